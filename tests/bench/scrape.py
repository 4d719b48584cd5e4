"""Scrapes of many routes: how long one takes, and how long the event loop stands still meanwhile.

The daemon is the ordinary one in a process of its own, with as many routes in its configuration and one ended probe
of each in its journal. The lab cannot deliver for 5,000 routes at the default interval, so the events of their probes
are told to the daemon's ledger at that rate (see `watched_daemon`). Beside it runs an empty event loop: what that one
feels comes from the machine. The baseline of a scrape is the library's own rendering of the same page.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from .figures import Aim, Baseline, Figure, Row
from .servants import EmptyLoop, Servant, WatchedDaemon
from .site import Site

INTERVAL_SECONDS = 300.0
"""The default interval of a route."""
_STALL_MS = 20.0
_QUIET_MS = 10.0
"""Where the machine holds up an empty loop for longer, our own stall cannot be told from its."""
_OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"}
_TEXT = {"Accept": "text/plain;version=0.0.4"}


@dataclass
class Stalls:
    """The longest stalls of the daemon's loop and of the empty one, in the same stretches of time."""

    ours: list[float] = field(default_factory=list)
    machine: list[float] = field(default_factory=list)

    def row(self, what: str, limit_ms: float | None = None) -> Row:
        """Give the line of the results."""
        return Row(
            benchmark="scrape",
            what=what,
            ours=Figure.of("ms", self.ours),
            baseline=Baseline("an empty loop", Figure.of("ms", self.machine)),
            aim=None
            if limit_ms is None
            else Aim(f"under {limit_ms:g} ms", lambda _: self.is_below(limit_ms)),
            note="" if limit_ms is None else self._describe_noise(),
        )

    def is_below(self, limit_ms: float) -> bool | None:
        """Whether our median is below a bound in the stretches in which the machine was quiet; None without any."""
        quiet = self._in_quiet()
        return median(quiet) < limit_ms if quiet else None

    def _describe_noise(self) -> str:
        quiet, count = self._in_quiet(), len(self.ours)
        if len(quiet) == count:
            return ""
        judged = f"judged by the others, {median(quiet):.3g} ms" if quiet else "not judged"
        return (
            f"the machine held up the empty loop too in {count - len(quiet)} of {count} stretches: {judged}"
        )

    def _in_quiet(self) -> list[float]:
        return [ours for ours, machine in zip(self.ours, self.machine, strict=True) if machine < _QUIET_MS]


@dataclass
class Findings:
    """What was measured at one number of routes."""

    first_ms: list[float] = field(default_factory=list)
    scrapes_ms: list[float] = field(default_factory=list)
    cold: Stalls = field(default_factory=Stalls)
    steady: Stalls = field(default_factory=Stalls)
    reload: Stalls = field(default_factory=Stalls)
    page: bytes = b""
    text: str = ""


def measure_scrape(site: Site) -> list[Row]:
    """Measure at several numbers of routes."""
    sizes = site.choose((100, 1000, 5000), (100, 1000))
    return [row for count in sizes for row in _report(count, _find(site, count))]


def _find(site: Site, count: int) -> Findings:
    site.say(f"scrape: {count} routes")
    found = Findings()
    with WatchedDaemon(site, count) as daemon, EmptyLoop(site) as empty:
        hearts = (daemon, empty)
        found.first_ms.append(daemon.scrape_ms(_OPENMETRICS))
        # The daemon renders OpenMetrics beforehand; nobody has asked for the other format yet.
        _watch(hearts, found.cold, lambda: daemon.scrape_ms(_TEXT))
        daemon.ask(f"tell {count / INTERVAL_SECONDS}")
        for _ in range(site.choose(5, 3)):
            _watch(hearts, found.steady, lambda: _wait_and_scrape(site, daemon, found))
        for _ in range(site.choose(3, 1)):
            _watch(hearts, found.reload, lambda: daemon.ask("reload"))
        found.page = gzip.decompress(daemon.get("/metrics", _OPENMETRICS))
        found.text = daemon.get("/metrics", _TEXT).decode()
    return found


def _wait_and_scrape(site: Site, daemon: WatchedDaemon, found: Findings) -> None:
    time.sleep(site.choose(4.0, 2.0))
    found.scrapes_ms.append(daemon.scrape_ms(_OPENMETRICS))


def _watch(hearts: Sequence[Servant], stalls: Stalls, work: Callable[[], object]) -> None:
    """Note the longest stalls while something is done."""
    for heart in hearts:
        heart.ask("take")
    work()
    ours, machine = (heart.ask("take") for heart in hearts)
    stalls.ours.append(ours)
    stalls.machine.append(machine)


def _report(count: int, found: Findings) -> list[Row]:
    series = sum(not line.startswith("#") for line in found.text.splitlines())
    library = Figure.of("ms", _render_by_library(found.text, repetitions=1 if count > 1000 else 3))
    baseline = Baseline("prometheus-client alone", library)
    times = {"first scrape": found.first_ms, "one scrape": found.scrapes_ms}
    size = f"{series:,} series, {len(found.page) / 1e6:.1f} MB before gzip"
    scrapes = [
        Row(
            benchmark="scrape",
            what=f"{which}, {count:,} routes",
            ours=Figure.of("ms", values),
            baseline=baseline,
            note=size if which == "one scrape" else "",
        )
        for which, values in times.items()
    ]
    return [
        *scrapes,
        found.steady.row(f"stall, scraped now and then, {count:,} routes", _STALL_MS),
        found.cold.row(f"stall, every line rendered anew, {count:,} routes", _STALL_MS),
        found.reload.row(f"stall at a reload, {count:,} routes"),
    ]


def _render_by_library(text: str, repetitions: int) -> list[float]:
    """Give how long the library takes for the same samples, from scratch, in milliseconds."""
    families = list(text_string_to_metric_families(text))
    took = []
    for _ in range(repetitions):
        begun = time.perf_counter()
        generate_latest(_Families(families))
        took.append((time.perf_counter() - begun) * 1e3)
    return took


class _Families:
    """A registry, as far as the renderer looks."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    def collect(self) -> Sequence[Family]:
        return self._families
