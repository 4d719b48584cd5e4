"""The ledger of a worker: written down first, sent once, and left to the watchers."""

import asyncio

import pytest

from smtp_probe.errors import AlreadyStarted, JournalError
from smtp_probe.model import Disposition, ProbeHandedOver, ProbeStarted, ProbeSubmitted, Submission
from smtp_probe.probes.handing_over import HandingOver
from tests.probes.fakes import FakeClock, MemoryJournal, settle
from tests.report.test_event_records import PROBE, SUBMISSION


class Bed:
    def __init__(self, came_through=False):
        self.clock = FakeClock()
        self.journal = MemoryJournal()
        self.asked = []
        self.came = came_through
        self.forgotten = []
        self.ledger = HandingOver(self.journal, self.clock, [], self.came_through, self.forgotten.append)

    async def came_through(self, probe):
        self.asked.append(probe.probe_id)
        if self.journal.is_broken:
            raise JournalError("no answer")
        return self.came


async def test_a_probe_is_forgotten_when_its_submission_is_written_down():
    bed = Bed()
    flight = await bed.ledger.open(PROBE)
    assert bed.ledger.in_flight("r") == 1

    await bed.ledger.submitted(flight, SUBMISSION)

    assert bed.ledger.in_flight("r") == 0
    assert [type(event) for event in bed.journal.events] == [ProbeStarted, ProbeSubmitted]
    assert flight.ended.is_set()
    assert bed.forgotten == ["p"]


async def test_what_another_has_started_is_not_sent():
    bed = Bed()
    await bed.ledger.open(PROBE)

    with pytest.raises(AlreadyStarted):
        await bed.ledger.open(PROBE)


async def test_the_end_of_a_submission_is_written_down_as_often_as_it_takes():
    bed = Bed()
    flight = await bed.ledger.open(PROBE)
    bed.journal.is_broken = True
    ending = asyncio.create_task(bed.ledger.submitted(flight, SUBMISSION))
    await bed.clock.advance(5)
    assert not ending.done()

    bed.journal.is_broken = False
    await bed.clock.advance(2)

    assert ending.done()
    assert bed.journal.of(ProbeSubmitted)


@pytest.mark.parametrize("came", [True, False])
async def test_a_start_without_an_answer_is_not_sent_and_settled_when_it_is_known(came):
    bed = Bed(came_through=came)
    bed.journal.is_broken = True
    with pytest.raises(JournalError):
        await bed.ledger.open(PROBE)
    await bed.clock.advance(3)
    bed.journal.is_broken = False
    if came:
        bed.journal.probes["p"] = None if not came else (await _started(bed))
    await bed.clock.advance(3)
    await settle()

    said = [event.submission.disposition for event in bed.journal.of(ProbeSubmitted)]
    assert said == ([Disposition.UNOBSERVED] if came else [])
    assert bed.asked
    await bed.ledger.close()


async def _started(bed):
    await bed.journal.record(ProbeStarted(probe=PROBE))
    return bed.journal.probes["p"]


def test_a_submission_says_how_it_ended():
    assert isinstance(SUBMISSION, Submission)


async def test_a_dot_is_written_down_when_its_reply_does_not_come_at_once():
    bed = Bed()
    flight = await bed.ledger.open(PROBE)
    bed.ledger.handed_over(flight)
    await settle()
    assert not bed.journal.of(ProbeHandedOver)
    dot_ns = bed.clock.now_ns()

    await bed.clock.advance(0.2)

    assert [event.final_dot_ns for event in bed.journal.of(ProbeHandedOver)] == [dot_ns]


async def test_a_dot_that_was_answered_at_once_is_not_written_down():
    bed = Bed()
    flight = await bed.ledger.open(PROBE)
    bed.ledger.handed_over(flight)
    await bed.ledger.submitted(flight, SUBMISSION)
    await bed.clock.advance(0.2)

    assert not bed.journal.of(ProbeHandedOver)


async def test_a_dot_whose_message_was_put_off_at_once_is_not_written_down_during_the_next_attempt():
    bed = Bed()
    flight = await bed.ledger.open(PROBE)
    bed.ledger.handed_over(flight)
    await settle()
    await bed.ledger.deferred(flight, SUBMISSION)
    await bed.clock.advance(0.2)

    assert not bed.journal.of(ProbeHandedOver)
