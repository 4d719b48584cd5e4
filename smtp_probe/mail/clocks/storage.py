"""The memory of clocks as plain data, for the journal.

In: a `ClockState`. Out: lists, strings and numbers, fit for JSON; and back. What cannot be read is not read: the clocks
are then learnt anew. Opens no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smtp_probe.mail.clocks.bounds import MAX_POINTS, ClockBound, Points
from smtp_probe.mail.clocks.drift import Drift
from smtp_probe.mail.clocks.state import ClockRecord, ClockState

_VERSION = 1
_MAX_NAME_CHARACTERS = 255
_MOST = 10**18


def write_state(state: ClockState) -> dict[str, Any]:
    """Give the state as plain data."""
    return {
        "version": _VERSION,
        "clocks": [_write_record(name, record) for name, record in state.records.items()],
        "bounds": [_write_bound(*pair, bound) for pair, bound in state.bounds.items()],
    }


def read_state(data: object) -> ClockState | None:
    """Read what `write_state` gave; None where it is of another version, or damaged."""
    try:
        if not isinstance(data, dict) or data["version"] != _VERSION:
            return None
        records = dict(_read_record(row) for row in data["clocks"])
        bounds = dict(_read_bound(row) for row in data["bounds"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return ClockState(records=records, bounds=bounds)


def _write_record(name: str, record: ClockRecord) -> list[Any]:
    drift = record.drift
    return [
        *(name, record.met_ns, record.doubts, record.doubted_ns),
        *(drift.rate, drift.uncertainty, record.drift_ns),
    ]


def _write_bound(start: str, end: str, bound: ClockBound) -> list[Any]:
    points = [[list(point) for point in points] for points in (bound.settled, bound.doubted)]
    return [start, end, *points, bound.spread_ns, bound.samples]


def _read_record(row: Sequence[Any]) -> tuple[str, ClockRecord]:
    name, met_ns, doubts, doubted_ns, rate, uncertainty, drift_ns = row
    drift = Drift(_read_number(rate), _read_number(uncertainty))
    return _read_name(name), ClockRecord(int(met_ns), int(doubts), int(doubted_ns), drift, int(drift_ns))


def _read_bound(row: Sequence[Any]) -> tuple[tuple[str, str], ClockBound]:
    start, end, settled, doubted, spread_ns, samples = row
    bound = ClockBound(_read_points(settled), _read_points(doubted), _read_number(spread_ns), int(samples))
    return (_read_name(start), _read_name(end)), bound


def _read_points(rows: Sequence[Any]) -> Points:
    points = sorted((int(at_ns), int(bound_ns)) for at_ns, bound_ns in rows)
    return tuple(points[-MAX_POINTS:])


def _read_name(name: object) -> str:
    if not isinstance(name, str) or len(name) > _MAX_NAME_CHARACTERS:
        raise ValueError(name)
    return name


def _read_number(value: object) -> float:
    if not isinstance(value, (int, float)) or not abs(value) < _MOST:
        raise ValueError(value)
    return float(value)
