"""How fast a clock gains or loses, from what is remembered of its distance to ours.

In: upper and lower bounds of the distance at several instants. Out: a rate and how uncertain it is. Serves the best
values only, never the bounds, which hold for every rate within the limits. A clock is taken to run right until there is
evidence against it: most are disciplined by NTP.
"""

from __future__ import annotations

from dataclasses import dataclass

from smtp_probe.mail.clocks.bounds import Points, bound_at

WANDER = 1e-6
"""How much a rate changes with temperature and discipline, at the least. Nanoseconds a nanosecond, like all rates."""
_USUAL = 20e-6
"""Half of all clocks that are not disciplined run less wrong than this."""
_STEPS = 8


@dataclass(frozen=True, slots=True)
class Drift:
    """The rate of a clock less the rate of ours, and how far it may be from that (one standard deviation)."""

    rate: float = 0.0
    uncertainty: float = _USUAL / 2


def estimate_drift(above: Points, below: Points, now_ns: int, most: float) -> Drift:
    """Estimate the rate from bounds: offset at most `above`, and less than none of `below` (negated, as remembered).

    Every rate at which a straight line passes between the bounds is possible. Of these, a rate is as likely as there is
    room for the line, and the less likely the further from zero. `most` is the fastest rate that is considered.
    """
    slowest, fastest = _possible_rates(above, below, most)
    if slowest > fastest or not above or not below:
        return Drift()
    mass = first = second = 0.0
    for step in range(_STEPS):
        rate = slowest + (fastest - slowest) * (step + 0.5) / _STEPS
        room = bound_at(above, now_ns, rate, 0.0) + bound_at(below, now_ns, -rate, 0.0)
        weight = max(room, 0.0) / (1 + (rate / _USUAL) ** 2)
        mass += weight
        first += weight * rate
        second += weight * rate * rate
    if not mass:
        return Drift((slowest + fastest) / 2, WANDER + (fastest - slowest) / 2)
    mean = first / mass
    return Drift(mean, WANDER + max(second / mass - mean * mean, 0.0) ** 0.5)


def _possible_rates(above: Points, below: Points, most: float) -> tuple[float, float]:
    """The slowest and the fastest rate at which a straight line passes between the bounds."""
    slowest, fastest = -most, most
    for upper_ns, upper in above:
        for lower_ns, lower in below:
            room, span = upper + lower, upper_ns - lower_ns
            if span > 0:
                fastest = min(fastest, room / span)
            elif span < 0:
                slowest = max(slowest, room / span)
    return slowest, fastest
