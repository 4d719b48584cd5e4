"""What one message's stamps and the memory say together of its clocks and its events.

In: a chain, and bounds on the differences of its clocks from the memory. Out: the tightest bounds on the differences of
its clocks and on those of the instants of its events, exactly those that follow; or that they contradict each other.

Let `offset` be how far a clock is ahead of ours, and `x` when an event was on our clock. The clock showed `x + offset`,
which is between the event's `low` and `high`. All that is known are differences: of two offsets (memory), of an `x` and
zero (our dialogue, our seeing the message), of two `x` (no hop comes before the one before it). Bounds on differences of
offsets become bounds on differences of instants, and are not needed any more: first the one system is closed, and then
the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smtp_probe.mail.clocks.difference_constraints import Matrix, close, intersect, unbounded
from smtp_probe.mail.clocks.events import Chain


@dataclass(frozen=True, slots=True)
class Solution:
    """Closed systems. `offsets`: in the order of the chain's domains. `instants`: the final dot, then its events."""

    offsets: Matrix
    instants: Matrix

    def offset_bounds(self, place: int) -> tuple[float, float]:
        """Lowest and highest offset of the domain at this place."""
        return -self.offsets[place][0], self.offsets[0][place]


def observe(chain: Chain, growths: Sequence[float]) -> Matrix:
    """Give the bounds on the offsets of a chain's clocks that follow from the chain alone.

    Each clock's against ours, from when its event can have been, and against that of each later hop, since a message
    moves forward in time. `growths` is how fast each clock may drift: the readings are not of the same instant.
    """
    places = {name: place for place, name in enumerate(chain.domains)}
    duration = chain.end - chain.start
    bounds = unbounded(len(places))
    read = [(each, places[each.domain]) for each in chain.events if each.domain is not None]
    for index, (event, place) in enumerate(read):
        moved = growths[place] * duration
        _lower(bounds, 0, place, event.high - event.opens + moved)
        _lower(bounds, place, 0, event.closes - event.low + moved)
        for later, further in read[index + 1 :]:
            if further != place and later.position > event.position > 0:
                _lower(bounds, place, further, later.high - event.low + moved + growths[further] * duration)
    return bounds


def solve(chain: Chain, history: Matrix, observed: Matrix, growths: Sequence[float]) -> Solution | None:
    """Bring memory and observation together; None where they contradict each other."""
    offsets = intersect(history, observed)
    if not close(offsets):
        return None
    instants = _relate_instants(chain, offsets, growths)
    if not close(instants):
        return None
    return Solution(offsets, instants)


def _relate_instants(chain: Chain, offsets: Matrix, growths: Sequence[float]) -> Matrix:
    places = {name: place for place, name in enumerate(chain.domains)}
    events = chain.events
    instants = unbounded(len(events) + 1)
    read = [
        (index, each, places[each.domain]) for index, each in enumerate(events, 1) if each.domain is not None
    ]
    for index, event in enumerate(events, 1):
        instants[0][index] = event.closes
        instants[index][0] = -event.opens
        if 1 < index <= len(chain.hops):
            instants[index][index - 1] = 0.0
    for index, event, place in read:
        _lower(instants, 0, index, event.high + offsets[place][0])
        _lower(instants, index, 0, offsets[0][place] - event.low)
        row = instants[index]
        for other, later, further in read:
            if other == index:
                continue
            apart = later.high - event.low
            apart += offsets[further][place] if further != place else growths[place] * abs(apart)
            if apart < row[other]:  # noqa: PLR1730 - as below
                row[other] = apart
    return instants


def _lower(matrix: Matrix, row: int, column: int, bound: float) -> None:
    line = matrix[row]
    if bound < line[column]:  # noqa: PLR1730 - a call of min takes twice the time
        line[column] = bound
