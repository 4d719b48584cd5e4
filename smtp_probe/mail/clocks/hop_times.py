"""How long each hop took on our clock: durations that add up exactly, each with bounds that contain the truth.

In: a chain, the bounds that follow for its events, and the best instant of each. Out: one duration for each event of the
chain. A hop lasts from the event before it to its own; the first one from the final dot; none begins before that, so an
event inside our dialogue ends a hop of zero. Nothing is cut off: the instants are in order because every solution of the
constraints is, and differences of instants add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

from smtp_probe.mail.clocks.difference_constraints import Matrix
from smtp_probe.mail.clocks.events import Chain
from smtp_probe.mail.clocks.facts import Estimate, HopTime

STORE_LABEL = "store"


def measure_hops(chain: Chain, instants: Matrix, best: Sequence[float]) -> tuple[HopTime, ...]:
    """Measure every hop. `instants` is closed; `best` holds a solution of it: zero, then each event in order."""
    times = []
    before_ns = 0
    first = 1
    for place, event in enumerate(chain.hops, 1):
        at_ns = max(round(best[place]), before_ns)
        lower, upper = bound_duration(instants, place)
        duration = Estimate(
            value_ns=at_ns - before_ns,
            lower_ns=min(floor(lower), at_ns - before_ns),
            upper_ns=max(ceil(upper), at_ns - before_ns),
        )
        times.append(
            HopTime(
                first_position=first,
                last_position=event.position,
                label=_label(chain, first, event.position),
                event=event.name,
                duration=duration,
            )
        )
        before_ns, first = at_ns, event.position + 1
    return tuple(times)


def bound_duration(instants: Matrix, place: int) -> tuple[float, float]:
    """Bound how long the hop that ends with event `place` took, counting from the final dot at the earliest."""
    latest, earliest = max(instants[0][place], 0.0), max(-instants[place][0], 0.0)
    before = place - 1
    latest_before, earliest_before = max(instants[0][before], 0.0), max(-instants[before][0], 0.0)
    upper = min(max(instants[before][place], 0.0), latest - earliest_before)
    lower = max(earliest - latest_before, 0.0)
    if -instants[before][0] >= 0:
        lower = max(lower, -instants[place][before])
    return lower, upper


def _label(chain: Chain, first: int, last: int) -> str:
    names = [*chain.labels, STORE_LABEL]
    return names[last - 1] if first == last else f"{names[first - 1]}..{names[last - 1]}"
