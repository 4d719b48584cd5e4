"""The file of the journal: made once, kept by later versions, refused when it is newer than we are."""

import sqlite3

import pytest

from smtp_probe.errors import JournalError
from smtp_probe.report.journal_schema import _TABLES, VERSION, open_database


def test_a_new_journal_has_the_current_version_and_knows_when_it_began(tmp_path):
    database = open_database(str(tmp_path / "journal.db"), 42)

    assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert database.execute("SELECT value FROM facts WHERE name = 'begun_ns'").fetchone() == (42,)
    database.close()


def test_an_existing_journal_is_opened_as_it_is(tmp_path):
    path = str(tmp_path / "journal.db")
    open_database(path, 42).close()
    database = open_database(path, 99)

    assert database.execute("SELECT value FROM facts WHERE name = 'begun_ns'").fetchone() == (42,)
    database.close()


def test_a_journal_of_a_newer_version_is_refused_and_not_changed(tmp_path):
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    path.chmod(0o600)

    with pytest.raises(JournalError, match="newer smtp-probe"):
        open_database(str(path), 42)
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (99,)


def test_a_directory_that_is_not_there_is_said(tmp_path):
    with pytest.raises(JournalError, match="cannot be opened"):
        open_database(str(tmp_path / "missing" / "journal.db"), 42)


def test_a_journal_of_the_first_version_becomes_one_of_the_current_and_keeps_its_probes(tmp_path):
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as database:
        database.executescript(f"{_TABLES} PRAGMA user_version = 1;")
        database.execute(
            "INSERT INTO probes (probe_id, route, sequence, created_ns, is_open, probe) VALUES ('p', 'r', 1, 2, 1, '{}')"
        )
    database.close()
    path.chmod(0o600)
    opened = open_database(str(path), 42)

    assert opened.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert opened.execute("SELECT probe_id, final_dot_ns, verdicts FROM probes").fetchall() == [
        ("p", None, None)
    ]
    opened.close()


def test_the_file_is_ours_alone(tmp_path):
    path = tmp_path / "journal.db"
    database = open_database(str(path), 42)
    database.execute("BEGIN IMMEDIATE")
    modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    database.close()

    assert modes == {name: 0o600 for name in ("journal.db", "journal.db-wal", "journal.db-shm")}


def test_a_journal_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "journal.db"
    open_database(str(path), 42).close()
    path.chmod(0o644)
    with pytest.raises(JournalError, match="chmod 600"):
        open_database(str(path), 42)
