"""What the journal keeps, and for how long."""

import asyncio
import sqlite3

from smtp_probe.model import OutcomeKind
from smtp_probe.report import journal_schema
from smtp_probe.report.journal_schema import open_database
from smtp_probe.report.keeping import KEPT_HEADERS, without_header
from tests.report.samples import NS, START_NS, make_outcome
from tests.report.web.stage import HEADER, Stage, delivery, ending, lives


async def test_headers_of_deliveries_make_room_for_newer_ones_and_those_of_failures_stay(tmp_path):
    stage = await Stage.build("empty", tmp_path)
    junked = [delivery(number, kind=OutcomeKind.JUNKED) for number in range(1, 6)]
    await stage.tell(*lives(junked + [delivery(number) for number in range(6, KEPT_HEADERS * 2 + 20)]))
    with sqlite3.connect(stage.path) as database:
        kept = {name for (name,) in database.execute("SELECT probe_id FROM headers")}

    assert len(kept) == KEPT_HEADERS + 5
    assert {outcome.probe.probe_id for outcome in junked} < kept
    assert f"example-{KEPT_HEADERS * 2 + 19:05d}" in kept


async def test_failures_outlive_successes_and_the_newest_always_stays(tmp_path):
    stage = await Stage.build("empty", tmp_path)
    await stage.tell(
        *lives([ending(OutcomeKind.REFUSED, 1), delivery(2), delivery(3), ending(OutcomeKind.LOST, 4), delivery(5)])
    )  # fmt: skip
    journal = await stage.open_journal()
    assert await journal.forget(START_NS + 10**6 * NS, START_NS) == 2
    assert {probe.sequence async for probe in journal.last_outcomes(10) for probe in [probe.probe]} == {
        1,
        4,
        5,
    }
    assert await journal.forget(START_NS + 10**6 * NS, START_NS + 10**6 * NS) == 2
    await journal.close()
    with sqlite3.connect(stage.path) as database:
        assert database.execute("SELECT probe_id FROM headers").fetchall() == [("example-00005",)]


async def test_old_probes_are_dropped_some_at_a_time_and_events_are_written_meanwhile(tmp_path, monkeypatch):
    monkeypatch.setattr("smtp_probe.report.keeping._AT_ONCE", 1)
    stage = await Stage.build("empty", tmp_path)
    await stage.tell(*lives([delivery(number) for number in range(1, 8)]))
    journal = await stage.open_journal()
    forgetting = asyncio.create_task(journal.forget(START_NS + 10**6 * NS, START_NS))
    written = [await journal.record(event) for event in lives([delivery(8)])]
    was_done = forgetting.done()

    assert all(written)
    assert not was_done
    assert await forgetting in (6, 7)
    assert {outcome.probe.sequence async for outcome in journal.last_outcomes(10)} <= {7, 8}
    await journal.close()


async def test_so_many_failures_are_kept_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr("smtp_probe.report.keeping.KEPT_FAILURES", 3)
    stage = await Stage.build("empty", tmp_path)
    await stage.tell(*lives([ending(OutcomeKind.REFUSED, number) for number in range(1, 9)]))
    journal = await stage.open_journal()
    await journal.forget(START_NS, START_NS)
    kept = [outcome.probe.sequence async for outcome in journal.last_outcomes(10)]
    await journal.close()

    assert sorted(kept) == [6, 7, 8]


def test_an_outcome_is_stored_without_its_header():
    outcome, header = without_header(delivery(1))

    assert header == HEADER
    assert outcome.arrival.header == b""
    assert without_header(make_outcome(OutcomeKind.LOST))[1] == b""


def test_a_journal_of_the_first_version_is_taken_over(tmp_path):
    path = tmp_path / "journal.db"
    path.touch(mode=0o600)
    with sqlite3.connect(path) as database:
        database.executescript(f"{journal_schema._TABLES} PRAGMA user_version = 1;")
        database.execute("INSERT INTO facts VALUES ('begun_ns', ?)", (START_NS,))
    database.close()
    connection = open_database(str(path), START_NS)

    assert connection.execute("PRAGMA user_version").fetchone() == (journal_schema.VERSION,)
    assert connection.execute("SELECT count(*) FROM headers").fetchone() == (0,)
    connection.close()
