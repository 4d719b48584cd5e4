"""All that is remembered of foreign clocks, and its form in the journal.

In: observed bounds on the distances of clocks. Out: a frozen state of bounded size, matrices of what it says at an
instant, and plain data for JSON. Judges nothing: whether a clock was set is decided in `clock_doubts`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from smtp_probe.mail.clock_bounds import MAX_POINTS, ClockBound, Points, bound_at
from smtp_probe.mail.clock_drift import Drift
from smtp_probe.mail.clock_events import REFERENCE
from smtp_probe.mail.difference_constraints import Matrix, unbounded

_VERSION = 1
_MAX_NAME_CHARACTERS = 255
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
        return ClockRecord(
            max(now_ns, self.met_ns), self.doubts, self.doubted_ns, self.drift, self.drift_ns
        )


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
class Ageing:
    """How the distances change with time: for each domain its rate, and by how much at most that may be wrong."""

    drifts: Sequence[float]
    growths: Sequence[float]


def recall(
    state: ClockState,
    domains: Sequence[str],
    now_ns: int,
    ageing: Ageing,
    *,
    ignored: Collection[str] = (),
    on_trial: Collection[str] = (),
) -> Matrix:
    """Say what the memory knows of these clocks at an instant, as bounds on the differences of their offsets.

    Nothing of those `ignored`; of those `on_trial` only what was observed since they came into doubt.
    """
    matrix = unbounded(len(domains))
    drifts, growths = ageing.drifts, ageing.growths
    for row, start in enumerate(domains):
        if start in ignored:
            continue
        for column, end in enumerate(domains):
            bound = state.bounds.get((start, end))
            if bound is None or end in ignored:
                continue
            points = bound.doubted if start in on_trial or end in on_trial else bound.settled
            matrix[row][column] = bound_at(
                points, now_ns, drifts[column] - drifts[row], growths[column] + growths[row]
            )
    return matrix


def write_state(state: ClockState) -> dict[str, Any]:
    """Give the state as plain data for JSON."""
    return {
        "version": _VERSION,
        "clocks": [
            [
                name,
                each.met_ns,
                each.doubts,
                each.doubted_ns,
                each.drift.rate,
                each.drift.uncertainty,
                each.drift_ns,
            ]
            for name, each in state.records.items()
        ],
        "bounds": [
            [
                start,
                end,
                list(map(list, each.settled)),
                list(map(list, each.doubted)),
                each.spread_ns,
                each.samples,
            ]
            for (start, end), each in state.bounds.items()
        ],
    }


def read_state(data: object) -> ClockState | None:
    """Read what `write_state` gave; None where it is of another version, or damaged."""
    try:
        if not isinstance(data, dict) or data["version"] != _VERSION:
            return None
        records = dict(_read_record(*row) for row in data["clocks"])
        bounds = dict(_read_bound(*row) for row in data["bounds"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return ClockState(records=records, bounds=bounds)


def widen_reference(state: ClockState, slack_ns: int) -> ClockState:
    """Give the state after our own clock was anchored anew and may have moved by so much against its old self."""
    return replace(
        state,
        bounds={
            pair: replace(
                bound, settled=_lift(bound.settled, slack_ns), doubted=_lift(bound.doubted, slack_ns)
            )
            if REFERENCE in pair
            else bound
            for pair, bound in state.bounds.items()
        },
    )


def _lift(points: Points, slack_ns: int) -> Points:
    return tuple((at_ns, bound_ns + slack_ns) for at_ns, bound_ns in points)


def _read_record(
    name: str, met_ns: int, doubts: int, doubted_ns: int, rate: float, uncertainty: float, drift_ns: int
) -> tuple[str, ClockRecord]:
    if not isinstance(name, str) or len(name) > _MAX_NAME_CHARACTERS:
        raise ValueError("name")
    drift = Drift(_number(rate), _number(uncertainty))
    return name, ClockRecord(int(met_ns), int(doubts), int(doubted_ns), drift, int(drift_ns))


def _read_bound(
    start: str, end: str, settled: Sequence[Any], doubted: Sequence[Any], spread_ns: float, samples: int
) -> tuple[tuple[str, str], ClockBound]:
    if not isinstance(start, str) or not isinstance(end, str):
        raise TypeError("name")
    bound = ClockBound(_read_points(settled), _read_points(doubted), _number(spread_ns), int(samples))
    return (start, end), bound


def _read_points(rows: Sequence[Any]) -> Points:
    points = sorted((int(at_ns), int(bound_ns)) for at_ns, bound_ns in rows)
    return tuple(points[-MAX_POINTS:])


def _number(value: float) -> float:
    number = float(value)
    if not abs(number) < 1e18:  # neither infinite nor NaN
        raise ValueError("number")
    return number
