"""What a run of the demo has seen so far: for the line of what is on its way, and for the summary at the end.

In: events and the instants at which they were told. Out: counts and latencies by route, and the open probes. Prints
nothing, reads no clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from smtp_probe.model import (
    DuplicateSeen,
    Event,
    ForgerySeen,
    Outcome,
    OutcomeKind,
    Probe,
    ProbeEnded,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    SlotMissed,
)


@dataclass(slots=True)
class RouteTally:
    """One route: how its probes ended, and how long those took that were found."""

    started: int = 0
    outcomes: Counter[OutcomeKind] = field(default_factory=Counter)
    latencies_seconds: list[float] = field(default_factory=list)

    @property
    def under_way(self) -> int:
        """Probes without an end."""
        return self.started - self.outcomes.total()

    @property
    def median_seconds(self) -> float | None:
        """The median of the known delivery times."""
        return median(self.latencies_seconds) if self.latencies_seconds else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The open probes of one route: how many, since when the oldest, and whether it is overdue."""

    route: str
    count: int
    oldest_ns: int
    is_overdue: bool
    is_submitted: bool = True
    """Whether the oldest is out of our hands: its arrival is waited for, else an answer of the server."""
    usual_seconds: float | None = None
    """How long a delivery of this route takes, by the run so far."""


class Tally:
    """All routes of a run."""

    def __init__(self, routes: Sequence[str]) -> None:
        self.routes = {name: RouteTally() for name in routes}
        self.forged = 0
        self.duplicates = 0
        self.missed_slots = 0
        self._open: dict[str, Probe] = {}
        self._overdue: set[str] = set()
        self._submitted: set[str] = set()

    @property
    def ended(self) -> int:
        """Probes that have ended, over all routes."""
        return sum(route.outcomes.total() for route in self.routes.values())

    def learn(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case ProbeStarted(probe=probe):
                self._open[probe.probe_id] = probe
                self._route(probe.route).started += 1
            case ProbeSubmitted(probe=probe):
                self._submitted.add(probe.probe_id)
            case ProbeOverdue(probe=probe):
                self._overdue.add(probe.probe_id)
            case ProbeEnded(outcome=outcome):
                self._end(outcome)
            case ForgerySeen():
                self.forged += 1
            case DuplicateSeen():
                self.duplicates += 1
            case SlotMissed(count=count):
                self.missed_slots += count
            case _:
                pass

    def waiting(self) -> list[Waiting]:
        """The open probes by route, the oldest first."""
        found: dict[str, Waiting] = {}
        for probe in self._open.values():
            known = found.get(probe.route)
            if known is None:
                found[probe.route] = Waiting(
                    probe.route,
                    1,
                    probe.created_ns,
                    is_overdue=probe.probe_id in self._overdue,
                    is_submitted=probe.probe_id in self._submitted,
                    usual_seconds=self._route(probe.route).median_seconds,
                )
            else:
                found[probe.route] = replace(known, count=known.count + 1)
        return list(found.values())

    def _end(self, outcome: Outcome) -> None:
        route = self._route(outcome.probe.route)
        if self._open.pop(outcome.probe.probe_id, None) is None:
            route.started += 1  # taken over from an earlier run
        self._overdue.discard(outcome.probe.probe_id)
        self._submitted.discard(outcome.probe.probe_id)
        route.outcomes[outcome.kind] += 1
        if outcome.delivery_seconds is not None:
            route.latencies_seconds.append(outcome.delivery_seconds)

    def _route(self, name: str) -> RouteTally:
        return self.routes.setdefault(name, RouteTally())
