"""The journal in the engine: each probe starts once and ends once, whatever is lost on the way and whoever writes too."""

import asyncio
import itertools
from dataclasses import replace
from fnmatch import fnmatchcase

import pytest

from smtp_probe.errors import EngineConflict, EngineError, JournalError
from smtp_probe.model import (
    BounceSeen,
    Disposition,
    DuplicateSeen,
    Outcome,
    OutcomeKind,
    ProbeEnded,
    ProbeHandedOver,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    Submission,
    VerdictsFormed,
)
from smtp_probe.ports import StoredMessage
from smtp_probe.report import engine_journal
from smtp_probe.report.engine_journal import EngineJournal
from smtp_probe.report.event_records import read_record
from tests.report.samples import make_arrival, make_authentication, make_bounce, make_submission
from tests.report.test_event_records import PLACE, PROBE, SUBMISSION
from tests.report.test_event_subjects import SUBJECTS

ALL_LOST = ["lost"] * (engine_journal._TRIES - 1)
"""What the further tries of an append meet."""


class MemoryLog:
    """A stream in memory. `faults` are what the next appends do: `lost` (no answer, not stored), `unheard` (stored)."""

    def __init__(self):
        self.messages = []
        self.faults = []
        self.numbers = itertools.count(1)

    async def append(self, subject, payload, *, expected=None, nonce=""):
        await asyncio.sleep(0)
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "lost":
            raise EngineError("timeout")
        last = await self.last("", subject)
        if expected is not None and (last.sequence if last else 0) != expected:
            raise EngineConflict(subject)
        message = StoredMessage(subject=subject, sequence=next(self.numbers), payload=payload)
        self.messages.append(message)
        if fault == "unheard":
            raise EngineError("timeout")
        return message.sequence

    async def last(self, _stream, subject):
        found = [each for each in self.messages if fnmatchcase(each.subject, subject)]
        return found[-1] if found else None

    def kinds(self):
        return [type(read_record(message.payload).event).__name__ for message in self.messages]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(engine_journal, "_AGAIN_SECONDS", 0.0)


def journal(log, writer="one"):
    return EngineJournal(log, SUBJECTS, writer)


def follow_all(log, reader):
    for message in log.messages:
        reader.follow(message, read_record(message.payload))


def end(kind=OutcomeKind.DELIVERED):
    return ProbeEnded(outcome=Outcome(probe=PROBE, kind=kind, ended_ns=9, was_overdue=False))


async def test_a_probe_is_started_by_one_only():
    log = MemoryLog()

    assert await journal(log).record(ProbeStarted(probe=PROBE)) is True
    assert await journal(log, "two").record(ProbeStarted(probe=PROBE)) is False


@pytest.mark.parametrize("is_forgotten", [False, True])
async def test_a_run_that_is_given_to_the_same_worker_again_is_not_started_again(is_forgotten):
    """As when the engine did not hear that it was taken: whatever was written of the probe since, it is known."""
    log = MemoryLog()
    worker = journal(log)
    await worker.record(ProbeStarted(probe=PROBE))
    await worker.record(ProbeHandedOver(probe=PROBE, final_dot_ns=4))
    await worker.record(ProbeSubmitted(probe=PROBE, submission=SUBMISSION))
    if is_forgotten:
        worker.forget("p")

    assert await worker.record(ProbeStarted(probe=PROBE)) is False
    assert log.kinds().count("ProbeStarted") == 1


async def test_a_start_that_came_through_late_is_not_made_again():
    log = MemoryLog()
    log.faults = ["unheard", *ALL_LOST]
    worker = journal(log)
    with pytest.raises(JournalError):
        await worker.record(ProbeStarted(probe=PROBE))
    assert await worker.came_through(PROBE) is True

    assert await worker.record(ProbeStarted(probe=PROBE)) is False


async def test_a_start_that_was_stored_without_our_hearing_is_ours_all_the_same():
    log = MemoryLog()
    log.faults = ["unheard"]

    assert await journal(log).record(ProbeStarted(probe=PROBE)) is True
    assert log.kinds() == ["ProbeStarted"]


async def test_a_start_that_nobody_answers_is_refused_and_found_out_later():
    log, came = MemoryLog(), MemoryLog()
    log.faults, came.faults = ["lost", *ALL_LOST], ["unheard", *ALL_LOST]
    lost, stored = journal(log), journal(came)
    for each in (lost, stored):
        with pytest.raises(JournalError):
            await each.record(ProbeStarted(probe=PROBE))

    assert await lost.came_through(PROBE) is False
    assert await stored.came_through(PROBE) is True
    assert await stored.record(ProbeSubmitted(probe=PROBE, submission=SUBMISSION)) is True


async def test_the_start_of_another_is_never_taken_for_ours():
    log = MemoryLog()
    await journal(log, "two").record(ProbeStarted(probe=PROBE))
    log.faults = ["lost", *ALL_LOST]
    ours = journal(log)
    with pytest.raises(JournalError):
        await ours.record(ProbeStarted(probe=PROBE))

    assert await ours.came_through(PROBE) is False


async def test_a_submission_that_comes_after_a_takeover_says_nothing_new():
    log = MemoryLog()
    worker, watcher = journal(log), journal(log, "watcher")
    await worker.record(ProbeStarted(probe=PROBE))
    await worker.record(ProbeHandedOver(probe=PROBE, final_dot_ns=4))
    follow_all(log, watcher)
    cut = Submission(disposition=Disposition.UNCERTAIN, started_ns=3, final_dot_ns=4)

    assert await watcher.record(ProbeSubmitted(probe=PROBE, submission=cut)) is True
    assert await worker.record(ProbeSubmitted(probe=PROBE, submission=SUBMISSION)) is False
    assert log.kinds().count("ProbeSubmitted") == 1


async def test_two_watchers_end_a_probe_once():
    log = MemoryLog()
    worker, one, two = journal(log), journal(log, "one"), journal(log, "two")
    await worker.record(ProbeStarted(probe=PROBE))
    await worker.record(ProbeSubmitted(probe=PROBE, submission=SUBMISSION))
    follow_all(log, one)
    follow_all(log, two)

    results = await asyncio.gather(one.record(end()), two.record(end(OutcomeKind.LOST)))

    assert sorted(results) == [False, True]
    assert log.kinds().count("ProbeEnded") == 1
    assert await two.record(ProbeOverdue(probe=PROBE, at_ns=9)) is False


async def test_events_of_one_probe_do_not_overtake_each_other():
    log = MemoryLog()
    worker = journal(log)
    await worker.record(ProbeStarted(probe=PROBE))

    await asyncio.gather(
        worker.record(ProbeHandedOver(probe=PROBE, final_dot_ns=4)),
        worker.record(ProbeSubmitted(probe=PROBE, submission=SUBMISSION)),
    )

    assert log.kinds() == ["ProbeStarted", "ProbeHandedOver", "ProbeSubmitted"]
    state = read_record(log.messages[-1].payload).state
    assert (state.final_dot_ns, state.submission) == (4, SUBMISSION)


async def test_how_a_probe_stands_is_known_when_it_has_been_told():
    log = MemoryLog()
    worker, watcher = journal(log), journal(log, "watcher")
    assert await watcher.probe_state("p") is None
    await worker.record(ProbeStarted(probe=PROBE))
    assert await watcher.probe_state("p") is None  # it is open, and nobody here waits for it

    watcher.read_ahead = lambda _message, _record: True
    follow_all(log, watcher)
    assert await watcher.probe_state("p") == "open"
    assert [each.probe for each in await watcher.open_probes()] == [PROBE]
    await watcher.record(end())
    assert await watcher.probe_state("p") == "unseen"
    assert (await watcher.first_copy("p"))[0] is None


async def test_a_probe_of_which_the_stream_has_not_told_yet_is_read_ahead():
    log = MemoryLog()
    worker, watcher = journal(log), journal(log, "watcher")
    told = []

    def learn(message, record):
        told.append(record.event)
        watcher.follow(message, record)
        return True

    watcher.read_ahead = learn
    await worker.record(ProbeStarted(probe=PROBE))
    assert [await watcher.probe_state("p") for _ in range(2)] == ["open", "open"]
    await worker.record(ProbeSubmitted(probe=PROBE, submission=SUBMISSION))
    assert await watcher.probe_state("p") == "open"

    assert [type(each) for each in told] == [ProbeStarted, ProbeStarted, ProbeSubmitted]


async def test_what_belongs_to_a_probe_stands_under_its_vantage():
    log = MemoryLog()
    await journal(log).record(ProbeStarted(probe=PROBE))
    await journal(log).record(DuplicateSeen(route="r", probe_id="p", location=PLACE))

    assert log.messages[-1].subject == "x.seen.fra._.r"
    verdicts = VerdictsFormed(route="r", probe_id="p", found=make_authentication())
    await journal(log).record(verdicts)
    assert log.messages[-1].subject == "x.seen.fra._.r"
    assert read_record(log.messages[-1].payload).event == verdicts


async def test_the_copy_that_ended_a_probe_is_no_further_one():
    """A watcher that dies between the record of an end and the deletion leaves the copy to the next one."""
    log, arrival = MemoryLog(), make_arrival(make_submission())
    bounce = make_bounce(action="failed")
    await journal(log).record(ProbeStarted(probe=PROBE))
    outcome = Outcome(
        probe=PROBE,
        kind=OutcomeKind.DELIVERED,
        ended_ns=9,
        was_overdue=False,
        arrival=arrival,
        bounce=bounce,
    )
    watcher = journal(log)
    follow_all(log, watcher)
    await watcher.record(ProbeEnded(outcome=outcome))
    following = journal(log, "two")
    known = len(log.messages)

    assert await following.record(DuplicateSeen(route="r", probe_id="p", location=arrival.location)) is False
    assert await following.record(BounceSeen(route="r", probe_id="p", bounce=bounce)) is False
    assert len(log.messages) == known
    other = replace(arrival.location, uid=arrival.location.uid + 100)
    assert await following.record(DuplicateSeen(route="r", probe_id="p", location=other)) is True
    other_notice = replace(bounce, location=other)
    assert await following.record(BounceSeen(route="r", probe_id="p", bounce=other_notice)) is True


async def test_a_probe_is_looked_for_where_it_belongs_and_then_in_other_mailboxes():
    log = MemoryLog()
    worker, watcher = journal(log), journal(log, "watcher")
    watcher.read_ahead = lambda _message, _record: True
    await worker.record(ProbeStarted(probe=PROBE))
    asked, last = [], log.last

    async def note(stream, subject):
        asked.append(subject)
        return await last(stream, subject)

    log.last = note
    assert await watcher.probe_state("p", "r", "m") == "open"
    assert await watcher.probe_state("p", "r", "former") == "open"
    assert await watcher.probe_state("p", "other", "m") is None
    assert await watcher.probe_state("p") == "open"
    assert [subject.split(".")[-3:] for subject in asked] == [
        ["m", "r", "p"],
        ["former", "r", "p"],
        ["*", "r", "p"],
        ["m", "other", "p"],
        ["*", "other", "p"],
        ["*", "*", "p"],
    ]
