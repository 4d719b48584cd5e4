"""What is remembered of the distance of two clocks: a few observed upper bounds, each with its instant.

In: bounds as they are observed, one after the other. Out: the bound that holds at another instant, if the distance
changes no faster than so much. Of all that was observed only those points are kept that can be the tightest at some rate
of change: the lower edge of their convex hull, which has few corners. So one memory serves every assumption on the rate.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from math import inf

Points = tuple[tuple[int, int], ...]
"""(instant on our clock, upper bound), both nanoseconds, ascending in the instant."""

MAX_POINTS = 6
"""More are hardly ever needed; the one whose absence changes the edge least is given up."""
_LEARNING = 30
"""After how many observations of a passage the older ones begin to be forgotten."""
_SUDDEN = 8.0
"""So many times the usual excess counts at most: one retry after an hour says little of how a passage varies."""


@dataclass(frozen=True, slots=True)
class ClockBound:
    """Upper bounds on how far one clock is ahead of another."""

    settled: Points = ()
    doubted: Points = ()
    """What was observed since one of the two clocks came into doubt, apart until the doubt is resolved."""
    spread_ns: float = 0.0
    """How far an observation is above the tightest bound, as a rule: how much the passage between the two varies."""
    samples: int = 0

    def with_settled(self, points: Points, excess_ns: float | None) -> ClockBound:
        """The bound with other points; and how far the observation was above the tightest, if it was of a passage."""
        if excess_ns is None:
            return (
                self
                if points is self.settled
                else ClockBound(points, self.doubted, self.spread_ns, self.samples)
            )
        samples = min(self.samples + 1, _LEARNING)
        excess = max(excess_ns, 0.0)
        if self.samples >= 3 and self.spread_ns:
            excess = min(excess, _SUDDEN * self.spread_ns)
        spread = self.spread_ns + (excess - self.spread_ns) / samples
        return ClockBound(points, self.doubted, spread, samples)

    def with_doubted(self, points: Points) -> ClockBound:
        """The bound with other points among those in doubt."""
        return ClockBound(self.settled, points, self.spread_ns, self.samples)


def tighten(points: Points, at_ns: int, bound_ns: int, steepest: float) -> Points:
    """Add an observation. `steepest` is the fastest change that is ever assumed (nanoseconds a nanosecond).

    Gives back the same object where the observation says nothing new.
    """
    if points:
        last_ns, last = points[-1]
        if at_ns >= last_ns and bound_ns >= last + steepest * (at_ns - last_ns):
            return points
    place = bisect_left(points, (at_ns, bound_ns))
    hull: list[tuple[int, int]] = []
    for point in (*points[:place], (at_ns, bound_ns), *points[place:]):
        while len(hull) > 1 and _sag(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        if not hull or point[0] > hull[-1][0]:
            hull.append(point)
    return _trim(hull, steepest)


def bound_at(points: Points, now_ns: int, drift: float, growth: float, since_ns: int | None = None) -> float:
    """Give the upper bound that holds from `since_ns` (or now) until now. Infinite without points.

    The distance is taken to grow by `drift`, give or take `growth` (nanoseconds a nanosecond).
    """
    if not points:
        return inf
    if since_ns is None:
        since_ns = now_ns
    if points[-1][0] <= since_ns:
        rate, tightest = drift + growth, inf
        for at_ns, bound_ns in points:  # no comprehension: this is asked fifty times a message
            bound = bound_ns + rate * (now_ns - at_ns)
            if bound < tightest:  # noqa: PLR1730 - as above
                tightest = bound
        return tightest
    return min(
        bound_ns + drift * (now_ns - at_ns) + growth * max(now_ns - at_ns, at_ns - since_ns)
        for at_ns, bound_ns in points
    )


def _sag(before: tuple[int, int], point: tuple[int, int], after: tuple[int, int]) -> float:
    """How far a point lies below the straight line between two others."""
    span = after[0] - before[0]
    if span <= 0:
        return inf
    share = (point[0] - before[0]) / span
    return before[1] + (after[1] - before[1]) * share - point[1]


def _trim(hull: list[tuple[int, int]], steepest: float) -> Points:
    """Leave out the points that are the tightest only if the clocks change faster than they ever do."""
    while len(hull) > 1 and hull[0][1] - hull[1][1] >= steepest * (hull[1][0] - hull[0][0]):
        hull.pop(0)
    while len(hull) > 1 and hull[-1][1] - hull[-2][1] >= steepest * (hull[-1][0] - hull[-2][0]):
        hull.pop()
    while len(hull) > MAX_POINTS:
        inner = range(1, len(hull) - 1)
        hull.pop(min(inner, key=lambda at: _sag(hull[at - 1], hull[at], hull[at + 1])))
    return tuple(hull)
