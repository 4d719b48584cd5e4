"""Events as rows of the journal.

In: an event, or what events add to the totals, and a connection within a transaction. Out: whether the event is new: what is
known already changes nothing. Opens, commits and counts nothing; that is `report/journal`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from smtp_probe.model import (
    BounceSeen,
    DomainNoted,
    DuplicateSeen,
    Event,
    ForgerySeen,
    Location,
    Memo,
    Outcome,
    ProbeEnded,
    ProbeHandedOver,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    SlotMissed,
    StraySeen,
    SubmissionDeferred,
    VerdictsFormed,
)
from smtp_probe.report.keeping import keep_header
from smtp_probe.report.stored_facts import AUTHENTICATION, BOUNCE, FORK, OUTCOME, PROBE, SUBMISSION
from smtp_probe.report.totals import StoredTotal

_ROWS_AT_ONCE = 100
_HEADER = {"arrival": {"header"}}
"""What an outcome is kept without: it is kept apart, and not for long."""


def write_event(connection: sqlite3.Connection, event: Event, now_ns: int) -> bool:
    """Write one event, within a transaction of the caller's. Returns whether it is new. Raises sqlite3.Error."""
    match event:
        case ProbeStarted(probe=probe):
            return _changed(
                connection,
                "INSERT OR IGNORE INTO probes (probe_id, route, sequence, created_ns, is_open, probe)"
                " VALUES (?, ?, ?, ?, 1, ?)",
                (probe.probe_id, probe.route, probe.sequence, probe.created_ns, _dump(PROBE, probe)),
            )
        case ProbeHandedOver(probe=probe, final_dot_ns=final_dot_ns):
            return _changed(
                connection,
                "UPDATE probes SET final_dot_ns = ? WHERE probe_id = ? AND is_open = 1",
                (final_dot_ns, probe.probe_id),
            )
        case ProbeSubmitted(probe=probe, submission=submission):
            return _changed(
                connection,
                "UPDATE probes SET submission = ? WHERE probe_id = ? AND is_open = 1 AND submission IS NULL",
                (_dump(SUBMISSION, submission), probe.probe_id),
            )
        case ProbeOverdue(probe=probe):
            return _changed(
                connection,
                "UPDATE probes SET is_overdue = 1 WHERE probe_id = ? AND is_open = 1 AND is_overdue = 0",
                (probe.probe_id,),
            )
        case ProbeEnded(outcome=outcome, memos=memos):
            return _write_end(connection, outcome, memos, now_ns)
        case DuplicateSeen(probe_id=probe_id, location=location, fork=fork):
            note = None if fork is None else _dump(FORK, fork)
            return _write_copy(connection, location, now_ns, probe_id, note)
        case ForgerySeen(location=location) | StraySeen(location=location):
            return _write_copy(connection, location, now_ns)
        case BounceSeen():
            return _write_notice(connection, event, now_ns)
        case SubmissionDeferred(probe=probe):
            return _changed(  # what a server has put off is not with it
                connection,
                "UPDATE probes SET final_dot_ns = NULL WHERE probe_id = ? AND is_open = 1",
                (probe.probe_id,),
            )
        case SlotMissed():
            return True
        case DomainNoted(memos=memos):
            _write_memos(connection, memos)
            return True
        case VerdictsFormed(probe_id=probe_id, found=found):
            return _changed(
                connection,
                "UPDATE probes SET verdicts = ? WHERE probe_id = ? AND verdicts IS NULL",
                (_dump(AUTHENTICATION, found), probe_id),
            )


def _write_end(connection: sqlite3.Connection, outcome: Outcome, memos: Sequence[Memo], now_ns: int) -> bool:
    header = outcome.arrival.header if outcome.arrival is not None else b""
    is_new = _changed(
        connection,
        "UPDATE probes SET is_open = 0, ended_ns = ?, kind = ?, outcome = ?, is_overdue = ?"
        " WHERE probe_id = ? AND is_open = 1",
        (
            outcome.ended_ns,
            outcome.kind.value,
            OUTCOME.dump_json(outcome, exclude_defaults=True, exclude=_HEADER).decode(),
            int(outcome.was_overdue),
            outcome.probe.probe_id,
        ),
    )
    for fact in (outcome.arrival, outcome.bounce):
        if is_new and fact is not None:
            _write_copy(connection, fact.location, now_ns, outcome.probe.probe_id)
    if is_new and header:
        keep_header(connection, outcome, header)
    if is_new:
        _write_memos(connection, memos)
    return is_new


def _write_notice(connection: sqlite3.Connection, event: BounceSeen, now_ns: int) -> bool:
    """Note a notice that ended nothing; the last one of a delay is kept with its open probe."""
    is_new = _write_copy(connection, event.bounce.location, now_ns, event.probe_id)
    if is_new and event.bounce.action == "delayed":
        connection.execute(
            "UPDATE probes SET delay = ? WHERE probe_id = ? AND is_open = 1",
            (_dump(BOUNCE, event.bounce), event.probe_id),
        )
    return is_new


def _write_copy(
    connection: sqlite3.Connection,
    location: Location,
    now_ns: int,
    probe_id: str | None = None,
    fork: str | None = None,
) -> bool:
    """Note a copy. False for one that was counted before, also where all UIDs of its folder have become new."""
    mailbox = f"{location.mailbox} {location.account}".rstrip()
    folder = mailbox, location.folder
    is_new = _changed(
        connection,
        "INSERT OR IGNORE INTO copies VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*folder, location.uidvalidity, location.uid, probe_id, now_ns, fork),
    )
    if not is_new:
        return False
    # After a change of UIDVALIDITY the copies that were there are listed once more, as many as they were.
    rows = connection.execute(
        "SELECT uidvalidity, count(*) FROM copies WHERE mailbox = ? AND folder = ? AND probe_id IS ? GROUP BY uidvalidity",
        (*folder, probe_id),
    )
    counts: dict[int, int] = dict(rows.fetchall())
    copies = counts.pop(location.uidvalidity)
    return copies > max(counts.values(), default=0)


def add_totals(connection: sqlite3.Connection, rows: Sequence[StoredTotal]) -> None:
    """Add to the stored totals: many rows in one statement, since after each one the thread has to wait for the interpreter."""
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        piece = rows[start : start + _ROWS_AT_ONCE]
        places = ", ".join(["(?, ?, ?, ?)"] * len(piece))
        connection.execute(
            f"INSERT INTO totals VALUES {places} ON CONFLICT DO UPDATE SET value = value + excluded.value",  # noqa: S608 - question marks only
            [value for row in piece for value in (row.metric, row.labels_json, row.field, row.value)],
        )


def _write_memos(connection: sqlite3.Connection, memos: Sequence[Memo]) -> None:
    connection.executemany(
        "INSERT INTO memory VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        [(memo.kind, memo.name, memo.text) for memo in memos if memo.text is not None],
    )
    forgotten = [(memo.kind, memo.name) for memo in memos if memo.text is None]
    if forgotten:
        connection.executemany("DELETE FROM memory WHERE kind = ? AND name = ?", forgotten)


def _changed(connection: sqlite3.Connection, statement: str, parameters: tuple[object, ...]) -> bool:
    return connection.execute(statement, parameters).rowcount > 0


def _dump(adapter: TypeAdapter[Any], value: object) -> str:
    return adapter.dump_json(value, exclude_defaults=True).decode()
