"""The tables of the journal, and how an older journal becomes a newer one.

A journal of a newer version than this program knows is refused, never changed.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from smtp_probe.config.files import UnreadableFile
from smtp_probe.config.private_files import make_private_file
from smtp_probe.errors import JournalError

IN_MEMORY = ":memory:"
_LOG_PAGES = 250
VERSION = 7

_TABLES = """
CREATE TABLE probes (
    probe_id   TEXT PRIMARY KEY,
    route      TEXT NOT NULL,
    sequence   INTEGER NOT NULL,
    created_ns INTEGER NOT NULL,
    is_open    INTEGER NOT NULL,
    is_overdue INTEGER NOT NULL DEFAULT 0,
    ended_ns   INTEGER,
    kind       TEXT,
    probe      TEXT NOT NULL,
    submission TEXT,
    outcome    TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX probes_open ON probes (created_ns) WHERE is_open = 1;
CREATE INDEX probes_ended ON probes (ended_ns) WHERE is_open = 0;
CREATE INDEX probes_route ON probes (route, sequence);

-- Every copy that was counted: it is not counted again when it is listed again.
CREATE TABLE copies (
    mailbox     TEXT NOT NULL,
    folder      TEXT NOT NULL,
    uidvalidity INTEGER NOT NULL,
    uid         INTEGER NOT NULL,
    probe_id    TEXT,
    at_ns       INTEGER NOT NULL,
    PRIMARY KEY (mailbox, folder, uidvalidity, uid)
) STRICT, WITHOUT ROWID;

CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The counters of /metrics as they stood after the last event: see report/totals.
CREATE TABLE totals (
    metric TEXT NOT NULL,
    labels TEXT NOT NULL,
    field  TEXT NOT NULL,
    value  REAL NOT NULL,
    PRIMARY KEY (metric, labels, field)
) STRICT, WITHOUT ROWID;
"""

_HEADERS = """
CREATE INDEX probes_failed ON probes (route, sequence) WHERE is_open = 0 AND kind <> 'delivered';

-- The headers of what arrived, packed: of delivered messages the last of each route (a ring of slots), of others as
-- long as the probe is kept.
CREATE TABLE headers (
    route    TEXT NOT NULL,
    slot     INTEGER NOT NULL,
    probe_id TEXT NOT NULL,
    header   BLOB NOT NULL,
    PRIMARY KEY (route, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX headers_probe ON headers (probe_id);
"""

_MEMORY = """
-- What was learned of clocks and ways, by kind and name: see probes/path_reading.
CREATE TABLE IF NOT EXISTS memory (
    kind  TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
"""


_HANDED_OVER = "ALTER TABLE probes ADD COLUMN final_dot_ns INTEGER;"
_FORK = """
-- Where a further copy parted from the first one; further copies are those that have not ended a probe.
ALTER TABLE copies ADD COLUMN fork TEXT;
CREATE INDEX copies_probe ON copies (probe_id) WHERE fork IS NOT NULL;
"""
_VERDICTS = "ALTER TABLE probes ADD COLUMN verdicts TEXT;"
_DELAY = "ALTER TABLE probes ADD COLUMN delay TEXT;"


def open_database(path: str, now_ns: int) -> sqlite3.Connection:
    """Open or make a journal. Raises JournalError with a text for people."""
    if path != IN_MEMORY:
        try:
            make_private_file(Path(path))  # its companions (-wal, -shm) get the mode that it has
        except UnreadableFile as error:
            raise JournalError(str(error)) from None
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: an acknowledged event survives a power cut too, not only the end of this process.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # A quarter of SQLite's: on a small disk the log of what is to be written must not be what fills it.
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        # What is read is seldom read again; the kernel has it anyway.
        connection.execute("PRAGMA cache_size = -512")  # kB, where SQLite has 2 MB
        _migrate(connection, path, now_ns)
    except sqlite3.Error as error:
        message = f"{path}: the journal cannot be opened: {error}"
        raise JournalError(message) from error
    return connection


def _migrate(connection: sqlite3.Connection, path: str, now_ns: int) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        message = (
            f"{path}: the journal was written by a newer smtp-probe (version {version}, known is {VERSION})"
        )
        raise JournalError(message)
    if version < 1:
        connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = 1; COMMIT;")
        connection.execute("INSERT INTO facts VALUES ('begun_ns', ?)", (now_ns,))
    if version < 2:
        connection.executescript(f"BEGIN; {_HEADERS} PRAGMA user_version = 2; COMMIT;")
    if version < 3:
        connection.executescript(f"BEGIN; {_HANDED_OVER} PRAGMA user_version = 3; COMMIT;")
    if version < 4:
        connection.executescript(f"BEGIN; {_MEMORY} PRAGMA user_version = 4; COMMIT;")
    if version < 5:
        connection.executescript(f"BEGIN; {_DELAY} PRAGMA user_version = 5; COMMIT;")
    if version < 6:
        connection.executescript(f"BEGIN; {_FORK} PRAGMA user_version = 6; COMMIT;")
    if version < 7:
        connection.executescript(f"BEGIN; {_VERDICTS} PRAGMA user_version = 7; COMMIT;")
