"""How long the journal keeps what: failures far longer than successes, headers of successes only for a while.

In: the journal's connection, in the journal's thread, inside its transaction. Out: rows kept or dropped. Bounded: of
each route the headers of its last deliveries, and so many probes that did not end in a delivery.
"""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import replace

from smtp_probe.model import Outcome, OutcomeKind

KEPT_HEADERS = 60
"""Of each route, the headers of so many delivered messages."""
KEPT_FAILURES = 10_000
"""Of each route, so many probes that ended otherwise; older ones go, however long the configuration would keep them."""


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


def forget(connection: sqlite3.Connection, before_ns: int, failures_before_ns: int) -> int:
    """Drop what is older than it is to be kept. Returns how many probes.

    The newest probe of each route stays: its sequence number must not be used again.
    """
    connection.execute("DELETE FROM copies WHERE at_ns < ?", (before_ns,))
    dropped = 0
    for (route,) in connection.execute("SELECT DISTINCT route FROM probes").fetchall():
        newest = connection.execute("SELECT max(sequence) FROM probes WHERE route = ?", (route,)).fetchone()[
            0
        ]
        surplus = connection.execute(
            "SELECT sequence FROM probes WHERE route = ? AND is_open = 0 AND kind <> 'delivered'"
            " ORDER BY sequence DESC LIMIT 1 OFFSET ?",
            (route, KEPT_FAILURES),
        ).fetchone()
        dropped += connection.execute(
            "DELETE FROM probes WHERE route = ? AND is_open = 0 AND sequence < ? AND"
            " CASE WHEN kind = 'delivered' THEN ended_ns < ? ELSE ended_ns < ? OR sequence <= ? END",
            (route, newest, before_ns, failures_before_ns, surplus[0] if surplus else -1),
        ).rowcount
    connection.execute(
        "DELETE FROM headers WHERE NOT EXISTS (SELECT 1 FROM probes WHERE probes.probe_id = headers.probe_id)"
    )
    return dropped
