"""How fast a clock gains or loses, from what is remembered of its distance to ours.

In: upper and lower bounds of the distance at several instants. Out: a rate, how uncertain it is, and the slowest rate
that agrees with the bounds. The rate serves the best values only; the bounds hold for every rate within the limits, or
within more than that for a clock that is proved to exceed them. A clock is taken to run right until there is evidence
against it: most are disciplined by NTP. All rates are nanoseconds a nanosecond.
"""

from __future__ import annotations

from dataclasses import dataclass

from smtp_probe.mail.clock_bounds import Points, bound_at

FASTEST = 1e-3
"""A clock that gains or loses more than a millisecond a second was set: nothing that runs is so wrong."""
WANDER = 1e-6
"""How much a rate changes with temperature and discipline, at the least."""
_USUAL = 20e-6
"""Half of all clocks that are not disciplined run less wrong than this."""
_RESERVE = 1.5
_FADING = 0.95
_STEPS = 8


@dataclass(frozen=True, slots=True)
class Drift:
    """The rate of a clock less the rate of ours, and how far it may be from that (one standard deviation)."""

    rate: float = 0.0
    uncertainty: float = _USUAL / 2
    least: float = 0.0
    """It certainly drifts as fast as this, forwards or backwards. Zero for a clock that may run right."""

    def allow(self, limit: float) -> float:
        """How fast the clock may drift: as any clock, or faster than it is proved to."""
        return max(limit, _RESERVE * self.least)


def estimate_drift(above: Points, below: Points, now_ns: int, limit: float, before: Drift) -> Drift:
    """Estimate the rate from bounds: offset at most `above`, and less than none of `below` (negated, as remembered).

    Every rate at which a straight line passes between the bounds is possible. Of these, a rate is as likely as there is
    room for the line, and the less likely the further from zero. Rates beyond the limit are considered only where the
    bounds leave no other. What was proved `before` is forgotten slowly.
    """
    faded = before.least * _FADING
    slowest, fastest = find_rates(above, below)
    if slowest > fastest or not above or not below:
        return Drift(least=faded)
    least = max(_least(slowest, fastest), faded)
    most = max(limit, least)
    slowest, fastest = max(slowest, -most), min(fastest, most)
    mass = first = second = 0.0
    for step in range(_STEPS):
        rate = slowest + (fastest - slowest) * (step + 0.5) / _STEPS
        room = bound_at(above, now_ns, rate, 0.0) + bound_at(below, now_ns, -rate, 0.0)
        weight = max(room, 0.0) / (1 + (rate / _USUAL) ** 2)
        mass += weight
        first += weight * rate
        second += weight * rate * rate
    if not mass:
        return Drift((slowest + fastest) / 2, WANDER + (fastest - slowest) / 2, least)
    mean = first / mass
    return Drift(mean, WANDER + max(second / mass - mean * mean, 0.0) ** 0.5, least)


def prove_drift(above: Points, below: Points, before: Drift) -> Drift | None:
    """Give the drift that brings bounds together which contradict each other within the limits.

    None where no drift does: the clock was set.
    """
    slowest, fastest = find_rates(above, below)
    if slowest > fastest:
        return None
    return Drift(before.rate, before.uncertainty, max(_least(slowest, fastest), before.least))


def find_rates(above: Points, below: Points) -> tuple[float, float]:
    """The slowest and the fastest rate at which a straight line passes between the bounds; crossed if none does."""
    slowest, fastest = -FASTEST, FASTEST
    for upper_ns, upper in above:
        for lower_ns, lower in below:
            room, span = upper + lower, upper_ns - lower_ns
            if span > 0:
                fastest = min(fastest, room / span)
            elif span < 0:
                slowest = max(slowest, room / span)
    return slowest, fastest


def _least(slowest: float, fastest: float) -> float:
    return max(slowest, -fastest, 0.0)
