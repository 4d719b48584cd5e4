"""The mixin, evaluated as its users do: it gives the dashboards and rules that are committed, and nothing else."""

from __future__ import annotations

import json

import _gojsonnet
from ruamel.yaml import YAML

from .boards import BOARDS, ROOT


def test_the_mixin_exports_the_generated_files():
    mixin = json.loads(_gojsonnet.evaluate_file(str(ROOT / "grafana" / "mixin.libsonnet")))

    assert mixin["grafanaDashboards"] == {f"{uid}.json": board for uid, board in BOARDS.items()}
    for key, name in {"prometheusAlerts": "alerts", "prometheusRules": "recording"}.items():
        path = ROOT / "deploy" / "prometheus" / "rules" / f"smtp-probe-{name}.yml"
        assert mixin[key] == YAML(typ="safe").load(path.read_text())
        assert mixin[key]["groups"]
