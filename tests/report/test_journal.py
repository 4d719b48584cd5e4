"""The journal on a real file: what is acknowledged is there after a kill, counted once, and a full disk loses nothing."""

import asyncio
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from smtp_probe.errors import JournalError
from smtp_probe.model import (
    Arrival,
    Authentication,
    Bounce,
    BounceSeen,
    Disposition,
    DomainNoted,
    DuplicateSeen,
    ForgerySeen,
    Location,
    Memo,
    Outcome,
    OutcomeKind,
    Placement,
    Probe,
    ProbeEnded,
    ProbeHandedOver,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    SlotMissed,
    Stamp,
    Submission,
    SubmissionDeferred,
    VerdictsFormed,
)
from smtp_probe.report.journal import IN_MEMORY, SqliteJournal
from smtp_probe.report.journal_schema import open_database
from smtp_probe.report.metrics import RETRIES
from smtp_probe.report.series import Series
from smtp_probe.report.totals import Totals
from tests.probes.fakes import NS, START_NS, FakeClock
from tests.report.samples import make_authentication

pytestmark = pytest.mark.slow


def probe(number=1, route="r"):
    return Probe(
        probe_id=f"p{number}", route=route, sequence=number, sender="s", mailbox="inbox", bounce_mailbox=None,
        recipient="u@example.test", scheduled_ns=START_NS, created_ns=START_NS, deadline_seconds=60.0,
        give_up_after_seconds=600.0,
    )  # fmt: skip


def accepted():
    return Submission(disposition=Disposition.ACCEPTED, started_ns=START_NS, final_dot_ns=START_NS + NS)


def location(uid=1):
    return Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=uid)


def delivered(number=1, uid=1, ended_ns=START_NS + 3 * NS):
    arrival = Arrival(
        location=location(uid), placement=Placement.INBOX, seen_ns=ended_ns, stored_ns=ended_ns, stamp=Stamp.GUID,
        stamp_resolution_seconds=1e-6,
    )  # fmt: skip
    return Outcome(
        probe=probe(number), kind=OutcomeKind.DELIVERED, ended_ns=ended_ns, was_overdue=False,
        submission=accepted(), arrival=arrival,
    )  # fmt: skip


def page_of(series):
    from smtp_probe.report.metrics import METRICS

    return {
        (metric.name, labels): value
        for metric in METRICS
        for labels, value in series.all(metric)
    }  # fmt: skip


async def opened(path):
    series = Series()
    journal = SqliteJournal(path, FakeClock(), Totals(series))
    await journal.open()
    return journal, series


async def test_what_was_recorded_is_there_after_reopening(tmp_path):
    journal, _ = await opened(tmp_path / "journal.db")
    await journal.record(ProbeStarted(probe=probe(1)))
    await journal.record(ProbeStarted(probe=probe(2)))
    await journal.record(ProbeSubmitted(probe=probe(2), submission=accepted()))
    await journal.record(ProbeOverdue(probe=probe(2), at_ns=START_NS))
    await journal.close()

    journal, _ = await opened(tmp_path / "journal.db")
    known = await journal.open_probes()
    await journal.close()

    assert [(each.probe, each.submission, each.overdue) for each in known] == [
        (probe(1), None, False),
        (probe(2), accepted(), True),
    ]


async def test_an_end_is_recorded_once(tmp_path):
    journal, series = await opened(tmp_path / "journal.db")
    await journal.record(ProbeStarted(probe=probe()))
    first = await journal.record(ProbeEnded(outcome=delivered()))
    second = await journal.record(ProbeEnded(outcome=delivered()))
    state = await journal.probe_state("p1")
    await journal.close()

    assert (True, False, "ended") == (first, second, state)
    assert page_of(series)["smtp_probe_outcomes_total", ("r", "delivered")] == 1.0


async def test_counters_are_the_same_after_a_restart(tmp_path):
    journal, before = await opened(tmp_path / "journal.db")
    for number in range(1, 6):
        await journal.record(ProbeStarted(probe=probe(number)))
        await journal.record(ProbeSubmitted(probe=probe(number), submission=accepted()))
        await journal.record(ProbeEnded(outcome=delivered(number, uid=number)))
    await journal.record(SlotMissed(route="r", count=3, reason="late"))
    await journal.close()

    journal, after = await opened(tmp_path / "journal.db")
    await journal.close()

    assert {key: value for key, value in page_of(before).items() if not hasattr(value, "exemplars")} == {
        key: value for key, value in page_of(after).items() if not hasattr(value, "exemplars")
    }
    histogram = page_of(after)["smtp_probe_delivery_duration_seconds", ("r",)]
    assert sum(histogram.counts) == 5
    assert histogram.sum_us == pytest.approx(10.0e6)


async def test_what_was_seen_of_a_domain_is_kept_with_the_count_of_its_changes(tmp_path):
    journal, _ = await opened(tmp_path / "journal.db")
    for text in ("one", "two"):
        memo = Memo(kind="records", name="e.test", text=text)
        await journal.record(DomainNoted(domain="e.test", records=("mx", "mx", "spf"), memos=(memo,)))
    await journal.close()

    journal, after = await opened(tmp_path / "journal.db")
    memos = await journal.memos()
    await journal.close()

    assert memos == [Memo(kind="records", name="e.test", text="two")]
    page = page_of(after)
    assert page["smtp_probe_dns_record_changes_total", ("e.test", "mx")] == 4.0
    assert page["smtp_probe_dns_record_changes_total", ("e.test", "spf")] == 2.0


async def test_a_copy_is_counted_once_however_often_it_is_listed(tmp_path):
    journal, series = await opened(tmp_path / "journal.db")
    duplicate = DuplicateSeen(route="r", probe_id="p1", location=location(9))
    forgery = ForgerySeen(location=location(10))
    news = [await journal.record(event) for event in (duplicate, duplicate, forgery, forgery)]
    await journal.close()

    assert news == [True, False, True, False]
    assert page_of(series)["smtp_probe_duplicate_messages_total", ("r",)] == 1.0


async def test_the_delivered_copy_itself_is_never_a_duplicate(tmp_path):
    journal, _ = await opened(tmp_path / "journal.db")
    await journal.record(ProbeStarted(probe=probe()))
    await journal.record(ProbeEnded(outcome=delivered(uid=4)))
    is_new = await journal.record(DuplicateSeen(route="r", probe_id="p1", location=location(4)))
    await journal.close()

    assert not is_new


async def test_many_events_at_once_all_get_their_answers(tmp_path):
    journal, _ = await opened(tmp_path / "journal.db")
    news = await asyncio.gather(
        *(journal.record(ProbeStarted(probe=probe(number))) for number in range(2000))
    )
    count = len(await journal.open_probes())
    await journal.close()

    assert (2000, 2000) == (sum(news), count)


async def test_old_probes_are_forgotten_but_not_a_route_s_last_number(tmp_path):
    journal, _ = await opened(tmp_path / "journal.db")
    for number in range(1, 4):
        await journal.record(ProbeStarted(probe=probe(number)))
        await journal.record(ProbeEnded(outcome=delivered(number, uid=number)))
    forgotten = await journal.forget(START_NS + 1000 * NS, START_NS + 1000 * NS)
    sequences = await journal.last_sequences()
    await journal.close()

    assert (2, {"r": 3}) == (forgotten, sequences)


async def test_a_journal_in_memory_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    journal, _ = await opened(IN_MEMORY)
    await journal.record(ProbeStarted(probe=probe()))
    await journal.close()

    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_is_no_journal_is_refused_with_its_name(tmp_path):
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is not a database, " * 100)

    with pytest.raises(JournalError, match="journal.db"):
        await opened(path)


async def test_a_full_disk_fails_the_caller_counts_nothing_and_heals(tmp_path, monkeypatch):
    monkeypatch.setattr("smtp_probe.report.journal._STEADY_SECONDS", 0.01)
    states = []
    series = Series()
    journal = SqliteJournal(tmp_path / "journal.db", FakeClock(), Totals(series), states.append)
    await journal.open()
    await journal.record(ProbeStarted(probe=probe(1)))
    # SQLite's own limit on the file's size fails writes exactly as a full disk does (SQLITE_FULL).
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalError, match="full"):
        for number in range(2, 500):
            await journal.record(ProbeStarted(probe=probe(number)))
            await journal.record(ProbeEnded(outcome=delivered(number, uid=number)))
    counted = page_of(series).get(("smtp_probe_outcomes_total", ("r", "delivered")), 0.0)
    ended = journal._connection.execute("SELECT count(*) FROM probes WHERE is_open = 0").fetchone()[0]
    assert counted == ended
    assert not journal.is_writable
    assert (tmp_path / "journal.db-wal").stat().st_size == 0, (
        "its room is given back: it may be what fills the disk"
    )
    journal._connection.execute("PRAGMA max_page_count = 1000000")
    is_new = await journal.record(ProbeStarted(probe=probe(900)))
    assert not journal.is_writable, "a small write may pass where the next one does not"
    await asyncio.sleep(0.05)
    assert journal.is_writable
    await journal.close()

    assert is_new
    assert states[-1] is True
    assert False in states


async def test_what_was_acknowledged_survives_kill_9(tmp_path):
    """A process records probes and prints each acknowledged one, until it is killed in the middle of its work."""
    script = textwrap.dedent("""
        import asyncio, sys
        from tests.report.test_journal import opened, probe, delivered
        from smtp_probe.model import ProbeEnded, ProbeStarted
        from pathlib import Path

        async def main():
            journal, _ = await opened(Path(sys.argv[1]))
            for number in range(1, 1_000_000):
                await journal.record(ProbeStarted(probe=probe(number)))
                await journal.record(ProbeEnded(outcome=delivered(number, uid=number)))
                print(number, flush=True)

        asyncio.run(main())
    """)
    path = tmp_path / "journal.db"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(25)][-1]
        process.kill()
        acknowledged = max([acknowledged, *(int(line) for line in process.stdout.read().split())])

    journal, series = await opened(path)
    states = [await journal.probe_state(f"p{number}") for number in range(1, acknowledged + 1)]
    await journal.close()

    assert set(states) == {"ended"}
    counted = page_of(series)["smtp_probe_outcomes_total", ("r", "delivered")]
    assert acknowledged <= counted <= acknowledged + 1


async def test_the_dot_of_an_open_probe_is_there_after_a_kill(tmp_path):
    journal, _ = await opened(tmp_path / "journal.db")
    await journal.record(ProbeStarted(probe=probe()))
    assert await journal.record(ProbeHandedOver(probe=probe(), final_dot_ns=START_NS + 5))
    again, _ = await opened(tmp_path / "journal.db")

    (known,) = await again.open_probes()
    assert (known.submission, known.final_dot_ns) == (None, START_NS + 5)
    await again.close()
    await journal.close()


async def test_a_message_that_was_put_off_has_no_dot_after_a_kill(tmp_path):
    journal, series = await opened(tmp_path / "journal.db")
    await journal.record(ProbeStarted(probe=probe()))
    await journal.record(ProbeHandedOver(probe=probe(), final_dot_ns=START_NS + 5))
    put_off = Submission(disposition=Disposition.DEFERRED, started_ns=START_NS)
    assert await journal.record(SubmissionDeferred(probe=probe(), submission=put_off))
    assert series.get(RETRIES, ("s",)) == 1.0
    again, counted = await opened(tmp_path / "journal.db")

    (known,) = await again.open_probes()
    assert (known.submission, known.final_dot_ns) == (None, None)
    assert counted.get(RETRIES, ("s",)) == 1.0
    await again.close()
    await journal.close()


async def test_the_last_notice_of_a_delay_is_kept_with_its_open_probe(tmp_path):
    def notice(uid, action="delayed"):
        bounce = Bounce(
            location=location(uid), seen_ns=START_NS, action=action, retry_until_ns=START_NS + uid
        )
        return BounceSeen(route="r", probe_id="p1", bounce=bounce)

    journal, _ = await opened(tmp_path / "journal.db")
    await journal.record(ProbeStarted(probe=probe()))
    for event in (notice(5), notice(6), notice(7, "relayed")):
        assert await journal.record(event)
    assert not await journal.record(notice(5)), "it was listed again"
    again, _ = await opened(tmp_path / "journal.db")

    assert [known.delay for known in await again.open_probes()] == [notice(6).bounce]
    await again.close()
    await journal.close()


async def test_the_verdicts_on_the_last_message_of_a_route_are_there_after_a_restart(tmp_path):
    path, found = tmp_path / "journal.db", make_authentication()
    journal, _ = await opened(path)
    for number in (1, 2, 3):
        await journal.record(ProbeStarted(probe=probe(number)))
        await journal.record(
            ProbeEnded(outcome=delivered(number, uid=number, ended_ns=START_NS + number * NS))
        )
    first = VerdictsFormed(route="r", probe_id="p1", found=Authentication())
    assert await journal.record_all(
        [VerdictsFormed(route="r", probe_id="p2", found=found), first, first]
    ) == [True, True, False]
    await journal.close()

    journal, _ = await opened(path)
    assert await journal.last_verdicts(10) == {"r": found}
    assert await journal.last_verdicts(1) == {}
    await journal.close()


async def test_copies_that_get_new_numbers_are_the_same_copies(tmp_path):
    """After a change of UIDVALIDITY a folder lists what it held before once more; only what is added is new."""
    journal, _ = await opened(tmp_path / "journal.db")
    await journal.record(ProbeStarted(probe=probe()))
    await journal.record(ProbeEnded(outcome=delivered()))

    def copy(uid, uidvalidity, **where):
        place = Location(mailbox="inbox", folder="INBOX", uidvalidity=uidvalidity, uid=uid, **where)
        return DuplicateSeen(route="r", probe_id="p1", location=place)

    assert await journal.record(copy(2, 1))
    told = [await journal.record(copy(uid, 2)) for uid in (11, 12, 13)]
    assert told == [False, False, True]
    assert [await journal.record(copy(uid, 3)) for uid in (1, 2, 3, 4)] == [False, False, False, True]
    assert not await journal.record(copy(4, 3))
    assert await journal.record(copy(4, 3, account="another"))
    await journal.close()


async def test_forgeries_that_get_new_numbers_are_the_same_forgeries(tmp_path):
    journal, _ = await opened(tmp_path / "journal.db")
    first = [await journal.record(ForgerySeen(location=location(uid))) for uid in (1, 2)]
    places = [Location(mailbox="inbox", folder="INBOX", uidvalidity=2, uid=uid) for uid in (1, 2, 3)]
    second = [await journal.record(ForgerySeen(location=place)) for place in places]

    assert (first, second) == ([True, True], [False, False, True])
    await journal.close()


async def test_who_closes_while_it_is_being_opened_finds_no_file_made_afterwards(tmp_path, monkeypatch):
    """The opening goes on in its thread though nobody waits for it any more: closing waits for that."""
    entered = threading.Event()

    def open_slowly(path, now_ns):
        entered.set()
        time.sleep(0.2)
        return open_database(path, now_ns)

    monkeypatch.setattr("smtp_probe.report.journal.open_database", open_slowly)
    journal = SqliteJournal(tmp_path / "journal.db", FakeClock(), Totals(Series()))
    opening = asyncio.create_task(journal.open())
    await asyncio.to_thread(entered.wait, 5)
    opening.cancel()
    await asyncio.wait([opening])
    await journal.close()
    left = sorted(tmp_path.iterdir())
    await asyncio.sleep(0.3)

    assert sorted(tmp_path.iterdir()) == left
    await journal.close()
