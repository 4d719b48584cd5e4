"""All that is remembered of foreign clocks.

In: observed bounds on the distances of clocks. Out: a frozen state of bounded size, and matrices of what it says at an
instant. Judges nothing: whether a clock was set is decided in `doubts`. Its form for the journal is in
`storage`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from smtp_probe.mail.clocks.bounds import ClockBound, Points, bound_at
from smtp_probe.mail.clocks.difference_constraints import Matrix, unbounded
from smtp_probe.mail.clocks.drift import Drift
from smtp_probe.mail.clocks.events import REFERENCE

_NOTHING = ClockBound()


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """What is known of one clock by itself."""

    met_ns: int
    """When it was met last, on our clock."""
    doubts: int = 0
    """How many probes have met it since it contradicted what was known of it; 0 is no doubt."""
    doubted_ns: int = 0
    """When the first of these was sent."""
    drift: Drift = field(default_factory=Drift)
    drift_ns: int = 0
    """When the drift was estimated."""

    def met(self, now_ns: int) -> ClockRecord:
        """The record after the clock was met again."""
        return ClockRecord(max(now_ns, self.met_ns), self.doubts, self.doubted_ns, self.drift, self.drift_ns)


@dataclass(frozen=True, slots=True)
class ClockState:
    """The memory. Bounds are kept by (from, to): how far clock `to` is at most ahead of clock `from`."""

    records: Mapping[str, ClockRecord] = field(default_factory=dict)
    bounds: Mapping[tuple[str, str], ClockBound] = field(default_factory=dict)

    def record(self, domain: str) -> ClockRecord:
        """What is known of one clock; an empty record for one that was never met."""
        return self.records.get(domain) or ClockRecord(met_ns=0)

    def bound(self, start: str, end: str) -> ClockBound:
        """What is known of the distance of two clocks."""
        return self.bounds.get((start, end), _NOTHING)

    def doubted(self, domains: Collection[str]) -> frozenset[str]:
        """Those of the domains that are in doubt."""
        return frozenset(name for name in domains if self.record(name).doubts)

    def limited(self, most: int) -> ClockState:
        """The state without the domains that were not met for the longest time, where there are too many."""
        if len(self.records) <= most + 1:
            return self
        names = sorted(self.records, key=lambda name: (name != REFERENCE, -self.records[name].met_ns))
        kept = set(names[: most + 1])
        return ClockState(
            records={name: self.records[name] for name in self.records if name in kept},
            bounds={pair: bound for pair, bound in self.bounds.items() if kept.issuperset(pair)},
        )


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose past is believed. Nothing of those `ignored`; of those `on_trial` what was observed since they came into
    doubt, and nothing else.
    """

    ignored: frozenset[str] = frozenset()
    on_trial: frozenset[str] = frozenset()


_FULL_TRUST = Trust()


@dataclass(frozen=True, slots=True)
class Moment:
    """A span of our time, for which the memory is asked, and how the distances of clocks change until then.

    For each domain the rate of its clock, and by how much at most that may be wrong.
    """

    since_ns: int
    now_ns: int
    drifts: Sequence[float]
    growths: Sequence[float]


def recall(state: ClockState, domains: Sequence[str], moment: Moment, trust: Trust = _FULL_TRUST) -> Matrix:
    """Say what the memory knows of these clocks at a moment, as bounds on the differences of their offsets."""
    matrix = unbounded(len(domains))
    drifts, growths = moment.drifts, moment.growths
    now_ns, since_ns = moment.now_ns, moment.since_ns
    for row, start in enumerate(domains):
        if start in trust.ignored:
            continue
        for column, end in enumerate(domains):
            bound = state.bounds.get((start, end))
            if bound is None or end in trust.ignored:
                continue
            is_on_trial = start in trust.on_trial or end in trust.on_trial
            points = bound.doubted if is_on_trial else bound.settled
            drift, growth = drifts[column] - drifts[row], growths[column] + growths[row]
            matrix[row][column] = bound_at(points, now_ns, drift, growth, since_ns)
    return matrix


def widen_reference(state: ClockState, slack_ns: int) -> ClockState:
    """Give the state after our own clock was anchored anew and may have moved by so much against its old self.

    A greater move is found as a step of the reference.
    """
    bounds = {
        pair: ClockBound(
            _lift(bound.settled, slack_ns), _lift(bound.doubted, slack_ns), bound.spread_ns, bound.samples
        )
        if REFERENCE in pair
        else bound
        for pair, bound in state.bounds.items()
    }
    return replace(state, bounds=bounds)


def _lift(points: Points, slack_ns: int) -> Points:
    return tuple((at_ns, bound_ns + slack_ns) for at_ns, bound_ns in points)
