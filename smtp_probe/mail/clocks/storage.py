"""The memory of clocks as plain data, for the journal: a piece for each clock, so that a probe writes few of them.

In: a `ClockState`. Out: lists, strings and numbers, fit for JSON; and back. A bound between two foreign clocks is in the
piece of the first, one to or from our own clock in that of the other. What cannot be read is not read: those clocks are
then learnt anew. Opens no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from smtp_probe.mail.clocks.bounds import MAX_POINTS, ClockBound, Points
from smtp_probe.mail.clocks.drift import Drift
from smtp_probe.mail.clocks.events import REFERENCE
from smtp_probe.mail.clocks.state import ClockRecord, ClockState

_VERSION = 1
_MAX_NAME_CHARACTERS = 255
_MOST = 10**18
_Pair = tuple[str, str]


def find_changes(before: ClockState, after: ClockState) -> frozenset[str]:
    """Name the clocks whose pieces are not what they were, also those that were forgotten."""
    records = {
        name
        for name in before.records.keys() | after.records.keys()
        if before.records.get(name) is not after.records.get(name)
    }
    bounds = {
        _owner(pair)
        for pair in before.bounds.keys() | after.bounds.keys()
        if before.bounds.get(pair) is not after.bounds.get(pair)
    }
    return frozenset(records | bounds)


def write_clocks(state: ClockState, names: Iterable[str]) -> dict[str, dict[str, Any] | None]:
    """Give the pieces of these clocks, by name; None for one that is not known any more."""
    bounds: dict[str, list[Any]] = {name: [] for name in names}
    for pair, bound in state.bounds.items():
        owner = _owner(pair)
        if owner in bounds:
            bounds[owner].append(_write_bound(*pair, bound))
    return {
        name: {"version": _VERSION, "clock": _write_record(state.records[name]), "bounds": owned}
        if name in state.records
        else None
        for name, owned in bounds.items()
    }


def read_clocks(pieces: Iterable[tuple[str, object]]) -> ClockState:
    """Read what `write_clocks` gave. Leaves out pieces of another version, and damaged ones."""
    records: dict[str, ClockRecord] = {}
    bounds: dict[_Pair, ClockBound] = {}
    for name, data in pieces:
        try:
            if isinstance(data, dict) and data["version"] == _VERSION:
                record = _read_record(data["clock"])
                owned = dict(_read_bound(row) for row in data["bounds"])
                records[_read_name(name)] = record
                bounds.update(owned)
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
    known = {pair: bound for pair, bound in bounds.items() if records.keys() >= set(pair) - {REFERENCE}}
    return ClockState(records=records, bounds=known)


def _owner(pair: _Pair) -> str:
    return pair[0] if pair[0] != REFERENCE else pair[1]


def _write_record(record: ClockRecord) -> list[Any]:
    drift = record.drift
    return [
        *(record.met_ns, record.doubts, record.doubted_ns),
        *(drift.rate, drift.uncertainty, record.drift_ns),
    ]


def _write_bound(start: str, end: str, bound: ClockBound) -> list[Any]:
    points = [[list(point) for point in points] for points in (bound.settled, bound.doubted)]
    return [start, end, *points, bound.spread_ns, bound.samples]


def _read_record(row: Sequence[Any]) -> ClockRecord:
    met_ns, doubts, doubted_ns, rate, uncertainty, drift_ns = row
    drift = Drift(_read_number(rate), _read_number(uncertainty))
    return ClockRecord(int(met_ns), int(doubts), int(doubted_ns), drift, int(drift_ns))


def _read_bound(row: Sequence[Any]) -> tuple[_Pair, ClockBound]:
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
