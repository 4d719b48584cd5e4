"""When a route began to stand otherwise, told from the probes that the journal kept.

In: ended probes of one route. Out: the changes that `History` told of while they happened, in the same words: so that a feed
is after a restart what it was before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtp_probe.model import Outcome
from smtp_probe.report.history import (
    Change,
    RouteState,
    change_between,
    overdue_ns,
    past_probe,
    standing_ended,
    standing_overdue,
)

_FIRST_SEQUENCE = 1


@dataclass(frozen=True, slots=True)
class End:
    """What of an ended probe tells how its route stood, without the rest of an outcome, which is much: there may be thousands."""

    route: str
    sequence: int
    created_ns: int
    ended_ns: int
    states: tuple[RouteState, ...]

    @classmethod
    def of(cls, outcome: Outcome) -> End:
        """Take it from an outcome."""
        probe = outcome.probe
        states = tuple(_states(outcome))
        return cls(probe.route, probe.sequence, probe.created_ns, outcome.ended_ns, states)


def changes_of(ends: Sequence[End]) -> tuple[Change, ...]:
    """Give the changes of one route, oldest first, from its ended probes in the order of their sending.

    How the route stood before the first of them is known only where that was the first one of all.
    """
    if not ends:
        return ()
    first = ends[0]
    stood = RouteState(route=first.route) if first.sequence == _FIRST_SEQUENCE else None
    changes = []
    states = (state for end in ends for state in end.states)
    for state in sorted(states, key=lambda state: state.at_ns or 0):
        if stood is not None and stood.sent_ns > state.sent_ns:
            continue  # a probe that was sent later has told already
        if stood is not None and stood.state is not state.state:
            changes.append(change_between(stood, state))
        stood = state
    return tuple(changes)


def changes_among(ends: Sequence[End]) -> tuple[Change, ...]:
    """Give the changes of all routes, from those probes that ended last, in the order of their ends.

    Of what was sent since the first of these ends, every end is among them; what was sent before is left out, since others
    that were sent beside it have ended earlier, and are not here.
    """
    by_route: dict[str, list[End]] = {}
    for end in ends:
        if end.created_ns >= ends[0].ended_ns:
            by_route.setdefault(end.route, []).append(end)
    return tuple(
        change
        for of_route in by_route.values()
        for change in changes_of(sorted(of_route, key=lambda end: end.sequence))
    )


def _states(outcome: Outcome) -> Iterator[RouteState]:
    """Give how the route stood by this probe: when it became overdue, and when it ended."""
    if outcome.was_overdue:
        yield standing_overdue(outcome.probe, min(overdue_ns(outcome.probe), outcome.ended_ns))
    yield standing_ended(past_probe(outcome))
