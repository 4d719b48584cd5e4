#!/bin/sh
# pin.sh BIN: write runtime.txt, nats.txt, providers.txt, demo.txt, dev.txt and build.txt anew from pyproject.toml: versions and hashes,
# no download addresses, good for every Python from 3.11.
set -eu
bin=$1
cd "$(dirname "$0")/.."

pin() { # TARGET ARGUMENTS...
    target=$1
    shift
    "$bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-header --upgrade --output-file "requirements/$target" "$@"
}
pin runtime.txt pyproject.toml
pin nats.txt pyproject.toml --extra nats
pin providers.txt pyproject.toml --extra google --extra microsoft
pin demo.txt pyproject.toml --extra demo
pin dev.txt pyproject.toml --extra demo --group dev
printf 'hatchling\neditables\nuv\n' | pin build.txt -
