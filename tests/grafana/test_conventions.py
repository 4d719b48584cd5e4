"""What all our dashboards have: a whole grid, links that lead somewhere, variables in order, words for every panel."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from .boards import BOARDS, panels, variables

ALL = pytest.mark.parametrize("uid", BOARDS)
ROWS_OF_A_SCREEN = 27
"""So many rows of the grid, of 38 pixels each, are seen at once at 1080 pixels."""
ANNOTATIONS = {
    "Firing alerts",
    "Path changes",
    "Reloads",
    "Clock steps of the prober",
    "Clock steps of hosts",
}


def links(panel):
    """Every data link of a panel: of all its fields, and of one."""
    config = panel["fieldConfig"]
    yield from config["defaults"]["links"]
    for override in config["overrides"]:
        for each in override["properties"]:
            if each["id"] == "links":
                yield from each["value"]


@ALL
def test_it_is_one_of_ours(uid):
    board = BOARDS[uid]

    assert board["uid"] == uid
    assert len(uid) <= 40
    assert board["tags"] == ["smtp-probe"]
    assert "id" not in board
    assert "__inputs" not in board
    assert board["editable"] is False
    assert board["description"]
    (dropdown,) = board["links"]
    assert (dropdown["type"], dropdown["tags"]) == ("dashboards", ["smtp-probe"])
    assert dropdown["asDropdown"]
    assert dropdown["keepTime"]
    assert dropdown["includeVars"]
    assert {each["name"] for each in board["annotations"]["list"]} == ANNOTATIONS
    assert all(
        each["enable"] and each["datasource"]["uid"] == "${datasource}"
        for each in board["annotations"]["list"]
    )


@ALL
def test_the_grid_is_whole(uid):
    places = [panel["gridPos"] for panel in panels(BOARDS[uid])]
    cells = [
        (x, y)
        for at in places
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len(cells) == len(set(cells)), "panels overlap"
    assert len(cells) == 24 * (max(y for _, y in cells) + 1), "there are blanks"
    assert max(x for x, _ in cells) == 23
    assert max(y for _, y in cells) < 2 * ROWS_OF_A_SCREEN
    ids = [panel["id"] for panel in panels(BOARDS[uid])]
    assert ids == sorted(set(ids))


@ALL
def test_variables_are_in_order_and_each_follows_those_before(uid):
    known = variables(BOARDS[uid])

    assert list(known)[:4] == ["datasource", "job", "instance", "route"]
    for before, after in pairwise(["job", "instance", "route"]):
        assert f'{before}=~"${before}"' in known[after]["query"]["query"]
    for each in known.values():
        if each["type"] == "query":
            assert each["allValue"] == ".+"
            assert each["sort"] == 1
            assert each["definition"] == each["query"]["query"]


@ALL
def test_every_panel_says_what_it_shows(uid):
    for panel in panels(BOARDS[uid]):
        config = panel["fieldConfig"]["defaults"]
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert config["unit"], panel["title"]
        assert config["noValue"], panel["title"]
        assert config["thresholds"]["steps"], panel["title"]
        assert (
            "value" not in config["thresholds"]["steps"][0]
            or config["thresholds"]["steps"][0]["value"] is None
        )
        assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]
        if panel["type"] in ("timeseries", "statetimeline"):
            assert panel["options"]["legend"]["showLegend"], panel["title"]
            assert all("__auto" not in target["legendFormat"] for target in panel["targets"]), panel["title"]
    titles = [panel["title"] for panel in panels(BOARDS[uid])]
    assert len(titles) == len(set(titles))


@ALL
def test_every_link_leads_to_a_dashboard_with_that_variable_and_keeps_the_time(uid):
    for panel in panels(BOARDS[uid]):
        for link in links(panel):
            target, query = re.fullmatch(r"/d/([^?&]+)[?&](.*)", link["url"]).groups()
            assert query.startswith("${__url_time_range}&${datasource:queryparam}&${job:queryparam}"), link
            if target.startswith("${"):
                continue  # the uid is a label: see the next test
            assert target in BOARDS, link
            for name in re.findall(r"var-(\w+)=", query):
                assert name in variables(BOARDS[target]), link
            for name in re.findall(r"\$\{(\w+):queryparam\}", query):
                assert name in variables(BOARDS[uid]), link


def test_the_pages_that_the_words_on_the_overview_lead_to_exist():
    (wrong,) = [
        panel for panel in panels(BOARDS["smtp-probe-overview"]) if panel["title"] == "What is wrong now"
    ]
    pages = re.findall(r'"page", "([^"?]+)\?var-(\w+)=\$1"', wrong["targets"][0]["expr"])

    assert len(pages) == wrong["targets"][0]["expr"].count('"page"')
    assert len(pages) > 15
    assert [(uid, name) for uid, name in pages if name not in variables(BOARDS[uid])] == []


@ALL
def test_most_graphs_lead_on(uid):
    shown = [
        panel for panel in panels(BOARDS[uid]) if panel["type"] in ("timeseries", "statetimeline", "heatmap")
    ]

    assert [panel["title"] for panel in shown if not list(links(panel))] == []


def test_exemplars_are_asked_for_where_the_histogram_has_them():
    asked = {
        (panel["title"], "smtp_probe_delivery_duration_seconds_bucket" in target["expr"])
        for board in BOARDS.values()
        for panel in panels(board)
        for target in panel["targets"]
        if target.get("exemplar")
    }

    assert ("When do messages arrive?", True) in asked
    assert all(found for _, found in asked)
