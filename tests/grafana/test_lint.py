"""The rules of the dashboard-linter: all dashboards keep all of them, and each rule finds its fault."""

from __future__ import annotations

import copy

import pytest

from .boards import BOARDS, variables
from .linter import RULES


@pytest.mark.parametrize("uid", BOARDS)
@pytest.mark.parametrize("rule", RULES)
def test_dashboards_keep_the_rules(rule, uid):
    assert list(RULES[rule](BOARDS[uid])) == []


def _with_query(expr):
    def spoil(board):
        board["panels"][0]["targets"][0]["expr"] = expr

    return spoil


FAULTS = {
    "template-datasource-rule": lambda board: board["templating"]["list"].pop(0),
    "template-job-rule": lambda board: variables(board)["job"].update(allValue=".*"),
    "template-instance-rule": lambda board: variables(board)["instance"].update(multi=False),
    "template-label-promql-rule": lambda board: variables(board)["route"].update(
        query={"query": "label_values(up{, job)"}
    ),
    "template-on-time-change-reload-rule": lambda board: variables(board)["route"].update(refresh=1),
    "panel-datasource-rule": lambda board: board["panels"][0]["datasource"].update(uid="mine"),
    "panel-title-description-rule": lambda board: board["panels"][0].pop("description"),
    "panel-units-rule": lambda board: board["panels"][0]["fieldConfig"]["defaults"].update(unit="furlong"),
    "panel-no-targets-rule": lambda board: board["panels"][0].update(targets=[]),
    "target-promql-rule": _with_query("sum by ("),
    "target-logql-rule": lambda board: board["panels"][0]["datasource"].update(type="loki"),
    "target-logql-auto-rule": _with_query("count_over_time(x[$__auto])"),
    "target-rate-interval-rule": _with_query('rate(x_total{job=~"$job",instance=~"$instance"}[5m])'),
    "target-job-rule": _with_query('x{instance=~"$instance"}'),
    "target-instance-rule": _with_query('x{job=~"$job"}'),
    "target-counter-agg-rule": _with_query('max(x_total{job=~"$job",instance=~"$instance"})'),
    "uneditable-dashboard": lambda board: board.update(editable=True),
}


def test_there_are_seventeen_rules_and_a_fault_for_each():
    assert len(RULES) == 17
    assert set(FAULTS) == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_finds_its_fault(rule):
    board = copy.deepcopy(BOARDS["smtp-probe-overview"])
    FAULTS[rule](board)

    assert list(RULES[rule](board))
