"""How the daemon grows with its routes: 100, 1,000 and 5,000 of them, over the embedded receiver.

At one rate over all routes: processor time a probe, resident memory, and how late probes begin. With routes that are never due:
what merely having them costs. And the most probes a second that are sustained with an end for each of them. Growth is told as
the slope of a straight line through logarithms: 1 is linear, 0 does not depend on the number of routes.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence

from tests.engine.site import Receiver

from .embedded import USERS, EmbeddedDaemon, Window
from .figures import Aim, Figure, Row, below
from .site import Site

SIZES = (100, 1000, 5000)
_RATE = 10.0
_IDLE_RATE = 0.01
_REST_SECONDS = 4.0
_RATES = (20.0, 30.0, 40.0, 60.0, 80.0, 120.0)
_SUSTAINED = 0.95
"""A rate is sustained when so much of what was wanted was sent."""


def measure_growth(site: Site) -> list[Row]:
    """Measure at each size, in turns."""
    with Receiver(site.new_directory() / "receiver", USERS) as receiver:
        windows: dict[int, list[Window]] = {size: [] for size in SIZES}
        idle: dict[int, list[float]] = {size: [] for size in SIZES}
        for number in range(site.choose(3, 1)):
            for size in SIZES:
                site.say(f"growth: turn {number + 1}, {size:,} routes")
                windows[size].append(_measure(site, receiver, size))
                idle[size].append(_measure_idle(site, receiver, size))
        return [
            *_rows("CPU a probe", "ms", _each(windows, lambda one: one.cpu_seconds / one.sent * 1e3)),
            *_rows("RSS", "MB", _each(windows, lambda one: one.rss_bytes / 1e6)),
            *_rows("lag of the scheduler, 99 of 100", "ms", _each(windows, lambda one: one.p99_lag * 1e3)),
            *_idle_rows(idle),
            _route_row(windows),
            _rate_row(site, receiver),
        ]


def slope(points: Mapping[int, float]) -> float:
    """The slope of the straight line that fits the logarithms best. At least two points, all above zero."""
    xs = [math.log(size) for size in points]
    ys = [math.log(value) for value in points.values()]
    return statistics.linear_regression(xs, ys).slope


def _each(
    windows: Mapping[int, Sequence[Window]], value: Callable[[Window], float]
) -> dict[int, list[float]]:
    return {size: [value(window) for window in found] for size, found in windows.items()}


def _rows(what: str, unit: str, values: Mapping[int, Sequence[float]]) -> list[Row]:
    rows = [
        Row(benchmark="growth", what=f"{what}, {size:,} routes", ours=Figure.of(unit, found))
        for size, found in values.items()
    ]
    turns = zip(*values.values(), strict=True)
    slopes = [slope(dict(zip(values, turn, strict=True))) for turn in turns]
    return [
        *rows,
        Row(
            benchmark="growth",
            what=f"{what}: log-log slope over routes",
            ours=Figure.of("", slopes),
            aim=Aim("at most linear: 1", lambda row: row.ours.median <= 1.0),
        ),
    ]


def _idle_rows(values: Mapping[int, Sequence[float]]) -> list[Row]:
    """No slope: what costs nothing does not grow."""
    return [
        Row(
            benchmark="growth",
            what=f"CPU of {size:,} routes that are not due",
            ours=Figure.of("ms/s", found),
            aim=below(1.0, "ms/s"),
        )
        for size, found in values.items()
    ]


def _route_row(windows: Mapping[int, Sequence[Window]]) -> Row:
    least, most = min(windows), max(windows)
    pairs = zip(windows[least], windows[most], strict=True)
    each = [(many.rss_bytes - few.rss_bytes) / (most - least) / 1e3 for few, many in pairs]
    return Row(benchmark="growth", what="RSS a route", ours=Figure.of("kB", each), aim=below(40, "kB"))


def _measure(site: Site, receiver: Receiver, size: int) -> Window:
    with EmbeddedDaemon(receiver, site.new_directory(), size, _RATE) as daemon:
        daemon.warm_up(20)
        window = daemon.measure(site.choose(20.0, 8.0))
        _require_ends(daemon)
        return window


def _measure_idle(site: Site, receiver: Receiver, size: int) -> float:
    """Milliseconds of processor time in each second, of a daemon that has nothing to do."""
    with EmbeddedDaemon(receiver, site.new_directory(), size, _IDLE_RATE) as daemon:
        daemon.measure_quiet(_REST_SECONDS)  # what is done once after the start
        seconds = site.choose(10.0, 5.0)
        return daemon.measure_quiet(seconds) / seconds * 1e3


def _rate_row(site: Site, receiver: Receiver) -> Row:
    """The highest of some rates that is kept, on 500 routes."""
    best = 0.0
    for rate in _RATES:
        site.say(f"growth: {rate:g} probes a second")
        try:
            window = _measure_rate(site, receiver, rate)
        except TimeoutError as late:  # more than the machine can do: what was kept before this counts
            site.say(f"growth: {rate:g} probes a second are not sustained: {late}")
            break
        best = max(best, window.rate)
        if window.rate < _SUSTAINED * rate:
            break
    assert best > 0, f"not even {_RATES[0]:g} probes a second could be measured"
    return Row(
        benchmark="growth",
        what="probes sustained, an end for each, 500 routes",
        ours=Figure.of("probes/s", [best]),
        note="the receiver, a Python program as well, shares the machine",
    )


def _measure_rate(site: Site, receiver: Receiver, rate: float) -> Window:
    with EmbeddedDaemon(receiver, site.new_directory(), 500, rate) as daemon:
        daemon.warm_up(round(rate))
        window = daemon.measure(site.choose(20.0, 8.0))
        _require_ends(daemon)
        return window


def _require_ends(daemon: EmbeddedDaemon) -> None:
    taken, unknown = daemon.account()
    assert unknown == 0, f"{unknown} of {taken} messages are not in the journal"
