"""From the store to our seeing it: the daemon against a raw client that asks NOOP after NOOP without any pause.

Stored is when Dovecot says so (X-GUID, in microseconds); seen is when the whole header had been read. Both clocks are
this machine's. The two take turns: a tight loop takes most of a processor, and would slow the other down.
"""

from __future__ import annotations

from .figures import Aim, Baseline, Figure, Row
from .probers import DaemonUnderTest, RawScript, routes_at
from .site import Site

_INTERVAL_SECONDS = 0.4
_WARM_UP_PROBES = 2
_FACTOR, _ALLOWANCE_MS = 1.2, 5.0


def measure_lag(site: Site) -> list[Row]:
    """Compare the lag, in milliseconds, over all messages of all turns."""
    count = site.choose(20, 15)
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(site.choose(3, 1)):
        site.say(f"lag: turn {number + 1}")
        theirs += _measure_raw(site, count)
        ours += _measure_daemon(site, count)
    return [
        Row(
            benchmark="lag",
            what="from store to seen",
            ours=Figure.of("ms", ours),
            baseline=Baseline("raw, tight NOOP", Figure.of("ms", theirs)),
            aim=Aim(f"at most {_FACTOR:g} times plus {_ALLOWANCE_MS:g} ms", _is_close),
        )
    ]


def _is_close(row: Row) -> bool:
    assert row.baseline is not None
    return row.ours.median <= _FACTOR * row.baseline.figure.median + _ALLOWANCE_MS


def _measure_raw(site: Site, count: int) -> list[float]:
    interval = _INTERVAL_SECONDS
    with RawScript(site.lab, site.new_directory(), interval_seconds=interval, is_tight=True) as script:
        script.wait_for_ends(count + _WARM_UP_PROBES)
        probes = script.probes()[_WARM_UP_PROBES:][:count]
    return [(probe["seen_ns"] - probe["stored_ns"]) / 1e6 for probe in probes]


def _measure_daemon(site: Site, count: int) -> list[float]:
    routes = routes_at(1, 1 / _INTERVAL_SECONDS)
    with DaemonUnderTest(site.lab, site.new_directory(), routes) as daemon:
        daemon.wait_for_ends(count + _WARM_UP_PROBES)
        arrivals = daemon.arrivals()[_WARM_UP_PROBES:][:count]
    # `stored_ns` is the server's own instant only where the stamp was taken from it.
    return [(seen["seen_ns"] - seen["stored_ns"]) / 1e6 for seen in arrivals if seen["stamp"] == "guid"]
