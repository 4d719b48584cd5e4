"""The page of 500 routes with 60 probes each: how long it takes to make, and how large it is.

Processor time of one thread in this process. The baseline is the least that any page of these facts needs: the views that
it shows, without a word of HTML.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from smtp_probe.report.web.checked import Checks
from smtp_probe.report.web.overview import Overview, view_overview
from smtp_probe.report.web.rendering import render
from smtp_probe.report.web.site import say_overall
from smtp_probe.report.web.snapshot import Filter, Snapshot, take_snapshot
from tests.report.web.stage import Stage

from .figures import Baseline, Figure, Row, below
from .site import Site

_ROUTES = 500


def measure_pages(site: Site) -> list[Row]:
    """Give milliseconds and kilobytes."""
    site.say("pages: 500 routes")
    with TemporaryDirectory() as folder:
        stage = asyncio.run(Stage.build("many", Path(folder)))

    def copy() -> Snapshot:
        return take_snapshot(stage.telemetry, stage.config, Checks(), Filter())

    def look() -> Overview:
        return view_overview(copy())

    def make() -> str:
        overview = look()
        headline, mood = say_overall(overview)
        return render(
            "overview.html", base="/", overview=overview, wanted=Filter(), wanted_label="",
            headline=headline, mood=mood,
        )  # fmt: skip

    page = make()
    assert page.count('id="r-') == _ROUTES
    turns = [(_milliseconds(make), _milliseconds(look)) for _ in range(site.choose(15, 5))]
    views = Baseline("its facts without HTML", Figure.of("ms", [turn[1] for turn in turns]))
    size = Figure.of("kB", [len(page.encode()) / 1e3])
    return [
        Row(
            benchmark="pages",
            what="page of 500 routes, processor time",
            ours=Figure.of("ms", [turn[0] for turn in turns]),
            baseline=views,
            aim=below(300, "ms"),
        ),
        Row(
            benchmark="pages",
            what="page of 500 routes, what of it the event loop does itself",
            ours=Figure.of("ms", [_milliseconds(copy) for _ in range(site.choose(15, 5))]),
            baseline=views,
            aim=below(10, "ms"),
        ),
        Row(
            benchmark="pages",
            what="page of 500 routes, size",
            ours=size,
            baseline=None,
            aim=below(1000, "kB"),
        ),
    ]


def _milliseconds(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return (time.thread_time() - begun) * 1e3
