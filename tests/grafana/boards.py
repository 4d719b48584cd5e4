"""The committed dashboards as data: their panels, queries and variables, and queries as Grafana would send them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import promql_parser as promql

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "grafana" / "dashboards"
BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))
}

BUILT_IN = {"__rate_interval": "1m", "__range": "6h", "__interval": "30s"}


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])


def targets() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every query of every panel: the dashboard's uid, the panel, the target."""
    for uid, board in BOARDS.items():
        for panel in panels(board):
            for target in panel.get("targets", []):
                yield uid, panel, target


def variables(board: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in board["templating"]["list"]}


def filled(text: str, values: Mapping[str, str]) -> str:
    """A query with its variables put in; one that is not known stays, and fails in what reads it."""
    known = {**BUILT_IN, **values}
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: known.get(match[1] or match[2], match[0]), text)


def defaults(board: Mapping[str, Any]) -> dict[str, str]:
    """What each variable is when all is chosen, or by default."""
    return {
        name: each["current"]["value"] if each["type"] == "custom" else ".+"
        for name, each in variables(board).items()
    }


def parsed(board: Mapping[str, Any], expr: str) -> promql.Expr:
    return promql.parse(filled(expr, defaults(board)))


def children(node: promql.Expr) -> list[promql.Expr]:
    match node:
        case promql.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql.AggregateExpr():
            return [node.expr, *([node.param] if node.param else [])]
        case promql.Call():
            return list(node.args)
        case promql.MatrixSelector():
            return [node.vector_selector]
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return [node.expr]
    return []


def walk(
    node: promql.Expr, parents: tuple[promql.Expr, ...] = ()
) -> Iterator[tuple[promql.Expr, tuple[promql.Expr, ...]]]:
    yield node, parents
    for child in children(node):
        yield from walk(child, (*parents, node))


def label_values(query: str) -> tuple[str, str]:
    """The selector and the label of a variable's query `label_values(selector, label)`."""
    selector, label = re.fullmatch(r"label_values\((.+), *(\w+)\)", query).groups()
    return selector, label
