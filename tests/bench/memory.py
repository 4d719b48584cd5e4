"""Resident memory of the daemon with 1, 100 and 1,000 routes.

Each daemon starts with one ended probe of each route in its journal, sends real probes for some seconds at the same rate
over all its routes, and is scraped meanwhile: what is measured is a daemon that works, not one that has just begun.
The baseline is a Python that has imported the same libraries and done nothing.
"""

from __future__ import annotations

import subprocess
import sys
import time

from .events import fill_journal
from .figures import Baseline, Figure, Row, below
from .probers import DaemonUnderTest, routes_at
from .process import end, rss_bytes
from .site import Site

_SIZES = (1, 100, 1000)
_RATE = 4.0
_IMPORTS_ONLY = "import smtp_probe.app.daemon, smtp_probe.cli, sys; print(flush=True); sys.stdin.read()"


def measure_memory(site: Site) -> list[Row]:
    """Give megabytes at each size, and kilobytes for each further route."""
    measured: dict[int, list[float]] = {count: [] for count in _SIZES}
    imports: list[float] = []
    for number in range(site.choose(3, 1)):
        site.say(f"memory: turn {number + 1}")
        imports.append(_measure_imports() / 1e6)
        for count, values in measured.items():
            values.append(_measure(site, count) / 1e6)
    baseline = Baseline("Python with the same imports", Figure.of("MB", imports))
    aims = {1: below(80, "MB")}
    totals = [
        Row(
            benchmark="memory",
            what=f"RSS, {count:,} route{'s' if count > 1 else ''}",
            ours=Figure.of("MB", values),
            baseline=baseline,
            aim=aims.get(count),
        )
        for count, values in measured.items()
    ]
    return [*totals, *(_growth(measured, count) for count in _SIZES[1:])]


def _growth(measured: dict[int, list[float]], count: int) -> Row:
    each = [(many - one) * 1e3 / (count - 1) for one, many in zip(measured[1], measured[count], strict=True)]
    return Row(
        benchmark="memory",
        what=f"RSS for each further route, up to {count:,}",
        ours=Figure.of("kB", each),
        aim=below(40, "kB"),
    )


def _measure(site: Site, count: int) -> int:
    """Give the bytes that a daemon with so many routes holds when it has worked for a while."""
    daemon = DaemonUnderTest(site.lab, site.new_directory(), routes_at(count, _RATE))
    fill_journal(daemon.daemon.config)
    with daemon:
        for _ in range(site.choose(5, 2)):
            time.sleep(1.0)
            daemon.scrape()
        return rss_bytes(daemon.pid)


def _measure_imports() -> int:
    command = [sys.executable, "-c", _IMPORTS_ONLY]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        return rss_bytes(process.pid)
    finally:
        end(process)
