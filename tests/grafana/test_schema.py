"""Every dashboard against the JSON schema made from Grafana's own types (see `make_schema`)."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from .boards import BOARDS, panels

SCHEMAS = json.loads(Path(__file__).with_name("schema.json").read_text())
OF_THE_DATA_SOURCE = ("expr", "step", "titleFormat", "textFormat")
"""What the data source of Prometheus adds to an annotation; the type of the dashboard leaves that open."""
TARGET_KEYS = {"expr", "legendFormat", "format", "instant", "range", "exemplar", "refId", "datasource"}
"""Of a query of Prometheus; the package has no type for it."""


def faults(board: dict[str, Any]) -> Iterator[str]:
    """Give what is not as the types say. `definition` of a variable is older than they are, and still written by Grafana."""
    bare = copy.deepcopy(board)
    for variable in bare["templating"]["list"]:
        variable.pop("definition", None)
    for annotation in bare["annotations"]["list"]:
        for key in OF_THE_DATA_SOURCE:
            annotation.pop(key, None)
    kept = bare.pop("panels")
    yield from _against("dashboard", {**bare, "panels": []}, "dashboard")
    for panel in kept:
        where, kind = panel["title"], panel["type"].replace("-", "").lower()
        yield from _against("panel", panel, where)
        yield from _against(f"{kind} options", panel["options"], where)
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        if f"{kind} custom" in SCHEMAS or custom:
            yield from _against(f"{kind} custom", custom, where)
        yield from (
            f"{where}: {set(each) - TARGET_KEYS}" for each in panel["targets"] if not set(each) <= TARGET_KEYS
        )


def _against(name: str, data: object, where: str) -> Iterator[str]:
    for error in jsonschema.Draft7Validator(SCHEMAS[name]).iter_errors(data):
        yield f"{where}: {error.json_path}: {error.message[:200]}"


@pytest.mark.parametrize("uid", BOARDS)
def test_dashboards_are_as_grafanas_types_say(uid):
    assert list(faults(BOARDS[uid])) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda board: board.update(tags="smtp-probe"),
        lambda board: board["panels"][0].update(colour="red"),
        lambda board: board["panels"][0]["options"].update(colorMode="loud"),
        lambda board: list(panels(board))[5]["fieldConfig"]["defaults"].update(unit=5),
        lambda board: board["panels"][0]["targets"][0].update(query="up"),
    ],
)
def test_a_fault_is_found(spoil):
    board = copy.deepcopy(BOARDS["smtp-probe-overview"])
    spoil(board)

    assert list(faults(board))
