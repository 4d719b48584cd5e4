"""What an exporter has counted, in a form in which another one can begin with it.

In: the journal of an exporter, on disk. Out: the counters as they stood after one event of the stream, and since when the
events have to be read again to know the probes that were open then. Read in one transaction, beside the journal's own thread;
given to a new journal before that is opened.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from smtp_probe.report.journal_schema import open_database

MEMO = "engine"
"""The kind of memo in which an exporter's journal keeps how far it has read."""
SEEDED = "engine begins"
"""The kind of memo in which a journal keeps that it began with the counters of another."""
_LARGEST_BYTES = 1_073_741_824
_VERSION = 1
Row = tuple[str, str, str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The counters after the event `sequence`."""

    sequence: int
    open_since_ns: int
    """When the oldest probe that was open then began; where none was open, when the last one began."""
    begun_ns: int
    """Since when the counters count."""
    totals: tuple[Row, ...]


def read_checkpoint(path: Path, name: str) -> Checkpoint | None:
    """Read a journal; `name` is that of its memo. None where it has not read any events. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as connection:
        connection.execute("BEGIN")
        memo = connection.execute(
            "SELECT value FROM memory WHERE kind = ? AND name = ?", (MEMO, name)
        ).fetchone()
        begun = connection.execute("SELECT value FROM facts WHERE name = 'begun_ns'").fetchone()
        if memo is None or begun is None:
            return None
        (oldest,) = connection.execute("SELECT min(created_ns) FROM probes WHERE is_open = 1").fetchone()
        (newest,) = connection.execute("SELECT max(created_ns) FROM probes").fetchone()
        totals = connection.execute("SELECT metric, labels, field, value FROM totals").fetchall()
    since = oldest if oldest is not None else newest
    return Checkpoint(
        sequence=int(memo[0]), open_since_ns=since or begun[0], begun_ns=begun[0], totals=tuple(totals)
    )


def seed_journal(path: Path, checkpoint: Checkpoint, name: str) -> None:
    """Make a new journal that begins with these counters, and remembers that it does. Raises JournalError, sqlite3.Error."""
    begins = json.dumps({"sequence": checkpoint.sequence, "since_ns": checkpoint.open_since_ns})
    with closing(open_database(str(path), checkpoint.begun_ns)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO totals VALUES (?, ?, ?, ?)", checkpoint.totals)
        connection.execute("INSERT INTO memory VALUES (?, ?, ?)", (SEEDED, name, begins))
        connection.execute("COMMIT")


def pack(checkpoint: Checkpoint) -> bytes:
    """Give the bytes of a checkpoint."""
    data = {
        "version": _VERSION,
        "sequence": checkpoint.sequence,
        "open_since_ns": checkpoint.open_since_ns,
        "begun_ns": checkpoint.begun_ns,
        "totals": checkpoint.totals,
    }
    return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 1)


def unpack(payload: bytes) -> Checkpoint:
    """Read them back. Raises ValueError for what is none, or of another version."""
    try:
        data = json.loads(zlib.decompressobj().decompress(payload, _LARGEST_BYTES))
        if data["version"] != _VERSION:
            raise ValueError("a checkpoint of another version")
        rows = tuple((str(m), str(labels), str(f), float(v)) for m, labels, f, v in data["totals"])
        return Checkpoint(
            sequence=int(data["sequence"]),
            open_since_ns=int(data["open_since_ns"]),
            begun_ns=int(data["begun_ns"]),
            totals=rows,
        )
    except (zlib.error, KeyError, TypeError) as error:
        message = f"no checkpoint: {type(error).__name__}"
        raise ValueError(message) from error
