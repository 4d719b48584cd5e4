"""The seventeen rules of Grafana's dashboard-linter, over the JSON: each gives what breaks it.

The tool itself is a Go program that cannot be had as a package. Where a rule speaks of Loki, of which we have nothing,
it holds that there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import promql_parser as promql

from .boards import label_values, panels, parsed, variables, walk

Board = dict[str, Any]
Rule = Callable[[Board], Iterator[str]]
CHECKED = {"stat", "gauge", "table", "timeseries"}
UNITS = {"s", "none", "percentunit", "bytes", "dateTimeFromNow", "short"}
"""Of the several hundred units those that we use; each is in Grafana's list."""


def _queries(board: Board) -> Iterator[tuple[str, str]]:
    for panel in panels(board):
        for target in panel.get("targets", []):
            yield f"{panel['title']} {target['refId']}", target["expr"]


def _trees(board: Board) -> Iterator[tuple[str, promql.Expr]]:
    for place, expr in _queries(board):
        try:
            yield place, parsed(board, expr)
        except ValueError:
            continue  # that is another rule


def template_datasource(board: Board) -> Iterator[str]:
    found = [each for each in board["templating"]["list"] if each["type"] == "datasource"]
    if [(each["name"], each["label"], each["query"]) for each in found] != [
        ("datasource", "Data source", "prometheus")
    ]:
        yield "there is to be one variable for the data source"


def _template(name: str) -> Rule:
    def rule(board: Board) -> Iterator[str]:
        wanted = {"label": name, "type": "query", "multi": True, "allValue": ".+"}
        variable = variables(board).get(name, {})
        if {key: variable.get(key) for key in wanted} != wanted:
            yield f"the variable {name} is not as it should be"
        if variable.get("datasource", {}).get("uid") not in ("$datasource", "${datasource}"):
            yield f"the variable {name} has a data source of its own"

    return rule


def template_label_promql(board: Board) -> Iterator[str]:
    for name, each in variables(board).items():
        if each["type"] == "query":
            try:
                parsed(board, label_values(each["query"]["query"])[0])
            except (ValueError, AttributeError) as error:
                yield f"{name}: {error}"


def template_on_time_change_reload(board: Board) -> Iterator[str]:
    yield from (
        name for name, each in variables(board).items() if each["type"] == "query" and each["refresh"] != 2
    )


def panel_datasource(board: Board) -> Iterator[str]:
    for panel in panels(board):
        if panel["datasource"]["uid"] not in ("$datasource", "${datasource}"):
            yield panel["title"]


def panel_title_description(board: Board) -> Iterator[str]:
    for panel in panels(board):
        if not panel.get("title") or not panel.get("description"):
            yield f"panel {panel['id']} ({panel.get('title')})"


def panel_units(board: Board) -> Iterator[str]:
    for panel in panels(board):
        if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
            yield panel["title"]


def panel_no_targets(board: Board) -> Iterator[str]:
    yield from (panel["title"] for panel in panels(board) if not panel.get("targets"))


def target_promql(board: Board) -> Iterator[str]:
    for place, expr in _queries(board):
        try:
            parsed(board, expr)
        except ValueError as error:
            yield f"{place}: {error}"


def target_logql(board: Board) -> Iterator[str]:
    for panel in panels(board):
        if panel["datasource"]["type"] != "prometheus":
            yield panel["title"]


def target_logql_auto(board: Board) -> Iterator[str]:
    yield from (place for place, expr in _queries(board) if "$__auto" in expr)


def target_rate_interval(board: Board) -> Iterator[str]:
    for place, expr in _queries(board):
        for node, parents in walk(parsed(board, expr.replace("$__rate_interval", "77m"))):
            if isinstance(node, promql.MatrixSelector) and parents and isinstance(parents[-1], promql.Call):
                seconds = node.range.total_seconds()
                if parents[-1].func.name in ("rate", "irate") and seconds != 77 * 60:
                    yield f"{place}: {parents[-1].func.name} over another range"


def _target_matcher(name: str) -> Rule:
    def rule(board: Board) -> Iterator[str]:
        for place, expr in _queries(board):
            marked = expr.replace(f"${name}", "the choice")
            for node, _ in walk(parsed(board, marked)):
                if isinstance(node, promql.VectorSelector) and node.name != "ALERTS":
                    has = [(each.name, str(each.op), each.value) for each in node.matchers.matchers]
                    if not any(label == name and value == "the choice" for label, _, value in has):
                        yield f"{place}: {node.name} is not selected by {name}"

    return rule


def target_counter_agg(board: Board) -> Iterator[str]:
    for place, tree in _trees(board):
        for node, parents in walk(tree):
            if isinstance(node, promql.VectorSelector) and (node.name or "").endswith("_total"):
                call = parents[-2] if len(parents) > 1 else None
                if not isinstance(call, promql.Call) or call.func.name not in ("rate", "irate", "increase"):
                    yield f"{place}: {node.name} as it is"


def uneditable_dashboard(board: Board) -> Iterator[str]:
    if board["editable"] is not False:
        yield "it can be edited"


RULES: dict[str, Rule] = {
    "template-datasource-rule": template_datasource,
    "template-job-rule": _template("job"),
    "template-instance-rule": _template("instance"),
    "template-label-promql-rule": template_label_promql,
    "template-on-time-change-reload-rule": template_on_time_change_reload,
    "panel-datasource-rule": panel_datasource,
    "panel-title-description-rule": panel_title_description,
    "panel-units-rule": panel_units,
    "panel-no-targets-rule": panel_no_targets,
    "target-promql-rule": target_promql,
    "target-logql-rule": target_logql,
    "target-logql-auto-rule": target_logql_auto,
    "target-rate-interval-rule": target_rate_interval,
    "target-job-rule": _target_matcher("job"),
    "target-instance-rule": _target_matcher("instance"),
    "target-counter-agg-rule": target_counter_agg,
    "uneditable-dashboard": uneditable_dashboard,
}
