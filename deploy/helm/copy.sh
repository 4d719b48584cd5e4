#!/bin/sh
# Copy into the chart what it ships from elsewhere in this repository: Helm reads nothing outside of a chart.
# Run it after a change of the rules or of the dashboards; a test compares both sides.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
rm -rf "$here/files"
for kind in "rules $top/deploy/prometheus/rules yml" "dashboards $top/grafana/dashboards json"; do
    set -- $kind
    for file in "$2"/*."$3"; do
        [ -f "$file" ] || continue
        mkdir -p "$here/files/$1"
        cp "$file" "$here/files/$1/"
    done
done
