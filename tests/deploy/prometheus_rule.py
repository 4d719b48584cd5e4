"""Makes the PrometheusRule objects of the plain rule files: `python -m tests.deploy.prometheus_rule`.

One object for each file, since the names of groups are their own in each. The rules are taken over as they stand, comments
included, two columns further in.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
TARGET = FOLDER / "kubernetes" / "smtp-probe-rules.yaml"

_HEAD = """\
# Made from ../rules/{source} by `python -m tests.deploy.prometheus_rule`: change that file, and not this one.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: smtp-probe
spec:
"""


def prometheus_rule(source: Path) -> str:
    """One rule file as an object of the Prometheus operator."""
    lines = source.read_text().splitlines()
    rules = lines[lines.index("groups:") :]
    body = "\n".join(f"  {line}".rstrip() for line in rules)
    return f"{_HEAD.format(source=source.name, name=source.stem)}{body}\n"


def prometheus_rules() -> str:
    """All of them, as one file for `kubectl apply -f`."""
    return "---\n".join(prometheus_rule(path) for path in sorted((FOLDER / "rules").glob("*.yml")))


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(prometheus_rules())
