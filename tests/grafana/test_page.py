"""docs/dashboards.md names every dashboard and panel, in their order, with what each answers."""

from __future__ import annotations

import re

from .boards import BOARDS, ROOT, panels

ORDER = ("overview", "route", "hops", "dns", "queue", "prober")


def test_every_panel_is_told():
    page = (ROOT / "docs" / "dashboards.md").read_text()
    told = [
        line.split(" | ")[0].removeprefix("| ")
        for line in page.splitlines()
        if re.match(r"\| (?!---|Panel)", line)
    ]
    rows = [
        f"| {panel['title']} | {panel['description']} |"
        for name in ORDER
        for panel in panels(BOARDS[f"smtp-probe-{name}"])
    ]

    assert [line for line in page.splitlines() if line in set(rows)] == rows
    assert len(told) == len(rows)
    assert all(f"`{uid}`. {board['description']}" in page for uid, board in BOARDS.items())
