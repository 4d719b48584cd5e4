"""How long the journal keeps what: failures far longer than successes, headers of successes only for a while.

In: the journal's connection, in the journal's thread. Out: rows kept or dropped. Bounded: of
each route the headers of its last deliveries, and so many probes that did not end in a delivery.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from smtp_probe.model import Outcome, OutcomeKind

KEPT_HEADERS = 60
"""Of each route, the headers of so many delivered messages."""
KEPT_FAILURES = 10_000
"""Of each route, so many probes that ended otherwise; older ones go, however long the configuration would keep them."""

_AT_ONCE = 200
_OLD = (
    "SELECT probe_id, ended_ns, route, sequence, kind FROM probes"
    " WHERE is_open = 0 AND ended_ns < ? AND (ended_ns, probe_id) > (?, ?) ORDER BY ended_ns, probe_id LIMIT ?"
)
_CROWDED = (
    "SELECT route FROM probes WHERE is_open = 0 AND kind <> 'delivered' GROUP BY route HAVING count(*) > ?"
)
_SURPLUS = (
    "SELECT probe_id, route, sequence FROM probes WHERE is_open = 0 AND kind <> 'delivered' AND route = ?1"
    " AND sequence <= (SELECT sequence FROM probes WHERE is_open = 0 AND kind <> 'delivered' AND route = ?1"
    " ORDER BY sequence DESC LIMIT 1 OFFSET ?2) ORDER BY sequence LIMIT ?3"
)


def without_header(outcome: Outcome) -> tuple[Outcome, bytes]:
    """Give an outcome as the journal stores it, and the header apart."""
    if outcome.arrival is None or not outcome.arrival.header:
        return outcome, b""
    return replace(outcome, arrival=replace(outcome.arrival, header=b"")), outcome.arrival.header


def keep_header(connection: sqlite3.Connection, outcome: Outcome, header: bytes) -> None:
    """Store a header: of a delivered message in the place of an older one, of another as long as its probe is kept."""
    probe = outcome.probe
    is_delivered = outcome.kind is OutcomeKind.DELIVERED
    slot = probe.sequence % KEPT_HEADERS if is_delivered else KEPT_HEADERS + probe.sequence
    connection.execute(
        "INSERT OR REPLACE INTO headers VALUES (?, ?, ?, ?)",
        (probe.route, slot, probe.probe_id, zlib.compress(header, 6)),
    )


def forget(connection: sqlite3.Connection, before_ns: int, failures_before_ns: int) -> Iterator[int]:
    """Drop what is older than it is to be kept, some at a time, so that events can be written meanwhile.

    Yields how many probes were dropped. What is kept is not looked at. The newest probe of each route stays: its sequence number
    must not be used again.
    """
    connection.execute("DELETE FROM copies WHERE at_ns < ?", (before_ns,))
    last = -1, ""
    while True:
        rows = connection.execute(_OLD, (before_ns, *last, _AT_ONCE)).fetchall()
        if not rows:
            break
        last = rows[-1][1], rows[-1][0]
        old = [
            (probe_id, route, sequence)
            for probe_id, ended_ns, route, sequence, kind in rows
            if kind == OutcomeKind.DELIVERED or ended_ns < failures_before_ns
        ]
        yield _drop(connection, old)
    crowded = connection.execute(_CROWDED, (KEPT_FAILURES,)).fetchall()
    for (route,) in crowded:
        while rows := connection.execute(_SURPLUS, (route, KEPT_FAILURES, _AT_ONCE)).fetchall():
            if not (dropped := _drop(connection, rows)):
                break
            yield dropped


def _drop(connection: sqlite3.Connection, probes: Sequence[tuple[str, str, int]]) -> int:
    """Drop those of these probes (id, route, sequence) that are not the newest of their routes, in one transaction."""
    newest = {
        route: connection.execute("SELECT max(sequence) FROM probes WHERE route = ?", (route,)).fetchone()[0]
        for route in {route for _, route, _ in probes}
    }
    ids = [(probe_id,) for probe_id, route, sequence in probes if sequence < newest[route]]
    if ids:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM probes WHERE probe_id = ?", ids)
            connection.executemany("DELETE FROM headers WHERE probe_id = ?", ids)
    return len(ids)
