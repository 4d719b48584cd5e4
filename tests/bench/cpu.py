"""Processor time of one probe: the daemon, two scripts with the same dialogue, on raw sockets and on the libraries that
the daemon stands on, and the mailexporter.

All of them run at the same time, at the same rate, into mailboxes of their own, so that whatever else the machine does
falls on all of them alike. A window ends with a scrape of those that have a page, which is counted in.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack

from .figures import Baseline, Figure, Row, ratio_at_most
from .probers import DaemonUnderTest, LibraryScript, MailExporter, Prober, RawScript, routes_at
from .process import cpu_seconds
from .site import Site

RATE = 4.0
"""Probes a second of each of the four: not half of what the lab carries, so that nobody waits in a queue."""
_WARM_UP_PROBES = 4


def measure_cpu(site: Site) -> list[Row]:
    """Compare processor time a probe, in milliseconds."""
    lab, pace = site.lab, 1.0 / RATE
    probers: list[Prober] = [
        DaemonUnderTest(lab, site.new_directory(), routes_at(1, RATE)),
        RawScript(lab, site.new_directory(), interval_seconds=pace),
        LibraryScript(lab, site.new_directory(), interval_seconds=pace),
        MailExporter(lab, site.new_directory(), interval_seconds=pace),
    ]
    with ExitStack() as running:
        for prober in probers:
            running.enter_context(prober)
        for prober in probers:
            prober.wait_for_ends(_WARM_UP_PROBES)
        windows = [_measure_window(site, probers) for _ in range(site.choose(6, 3))]
    daemon, raw, libraries, exporter = (
        Figure.of("ms", (window[number] for window in windows)) for number in range(len(probers))
    )
    what = "CPU a probe, STARTTLS and login"
    return [
        Row(
            benchmark="cpu",
            what=what,
            ours=daemon,
            baseline=Baseline("raw sockets, same dialogue", raw),
            aim=ratio_at_most(2.0),
            is_paired=True,
        ),
        Row(
            benchmark="cpu",
            what=what,
            ours=daemon,
            baseline=Baseline("aiosmtplib and aioimaplib", libraries),
            is_paired=True,
        ),
        Row(
            benchmark="cpu",
            what=what,
            ours=daemon,
            baseline=Baseline("mailexporter", exporter),
            is_paired=True,
        ),
    ]


def _measure_window(site: Site, probers: Sequence[Prober]) -> list[float]:
    """Give the milliseconds of processor time a probe of each, over one window."""
    before = [_read(prober) for prober in probers]
    time.sleep(site.choose(8.0, 4.0))
    after = [_read(prober) for prober in probers]
    site.say(
        "cpu: a window of "
        + ", ".join(f"{b[1] - a[1]}" for a, b in zip(before, after, strict=True))
        + " probes"
    )
    return [(b[0] - a[0]) / (b[1] - a[1]) * 1e3 for a, b in zip(before, after, strict=True)]


def _read(prober: Prober) -> tuple[float, int]:
    """Scrape, then give processor seconds and ends so far."""
    prober.scrape()
    return cpu_seconds(prober.pid), prober.count_ends()
