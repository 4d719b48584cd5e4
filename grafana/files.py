"""The files made from the dashboards, as text by path: one JSON each, and all of them as ConfigMaps of Kubernetes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from . import dns, hops, overview, prober, queue, route

FOLDER = Path(__file__).parent
DASHBOARDS = FOLDER / "dashboards"
CONFIG_MAPS = FOLDER / "kubernetes" / "dashboards.json"
OF_INTERVALS = ("auto", "auto_min", "auto_count")
"""What the SDK gives to every variable, and only one of a kind that we have not can use."""
BUILDERS = (overview.build, route.build, hops.build, dns.build, queue.build, prober.build)


def plain(made: Dashboard) -> dict[str, Any]:
    """Give a dashboard as JSON data, without what the SDK adds that not every Grafana meant knows."""
    data: dict[str, Any] = _bare(json.loads(json.dumps(made, cls=JSONEncoder)))
    for variable in data["templating"]["list"]:
        for key in OF_INTERVALS:
            variable.pop(key, None)
    for panel in data["panels"]:
        panel["options"].pop("footer", None)
    return data


def _bare(data: Any) -> Any:
    if isinstance(data, dict):
        return {
            key: _bare(value)
            for key, value in data.items()
            if (key, value) != ("placement", "inControlsMenu")
        }
    return [_bare(each) for each in data] if isinstance(data, list) else data


def _text(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _config_map(data: dict[str, Any]) -> dict[str, Any]:
    """Give the ConfigMap that the sidecar of the Grafana chart picks up by its label."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": data["uid"],
            "labels": {"app.kubernetes.io/name": "smtp-probe", "grafana_dashboard": "1"},
            "annotations": {"grafana_folder": "smtp-probe"},
        },
        "data": {f"{data['uid']}.json": json.dumps(data, separators=(",", ":"), ensure_ascii=False)},
    }


def generated() -> dict[Path, str]:
    """Give the text of every generated file."""
    dashboards = [plain(build()) for build in BUILDERS]
    files = {DASHBOARDS / f"{data['uid']}.json": _text(data) for data in dashboards}
    items = [_config_map(data) for data in dashboards]
    files[CONFIG_MAPS] = _text({"apiVersion": "v1", "kind": "List", "items": items})
    return files
