"""The ledger of a watcher: it learns from the stream, judges what is its own, and takes over from workers that are gone."""

import asyncio
from dataclasses import replace

from smtp_probe.model import Disposition, OutcomeKind, ProbeEnded, ProbeStarted, ProbeSubmitted, Stamp
from smtp_probe.ports import OpenProbe
from smtp_probe.probes.shared_ledger import SharedLedger
from smtp_probe.probes.views import MailboxView
from tests.probes.fakes import NS, FakeClock, MemoryJournal, settle
from tests.report.samples import make_arrival
from tests.report.test_event_records import PROBE, SUBMISSION

GIVE_UP = PROBE.give_up_after_seconds


class Bed:
    """A ledger that follows one probe, and judges."""

    def __init__(self):
        self.clock = FakeClock()
        self.journal = MemoryJournal()
        self.ledger = SharedLedger(self.journal, self.clock, [])
        view = MailboxView(self.clock.now_ns, lambda: None, lambda _: None)
        self.ledger.views.current = {"m": view}
        now = self.clock.now_ns()
        self.probe = replace(PROBE, created_ns=now, scheduled_ns=now)
        self.accepted = replace(SUBMISSION, started_ns=now, final_dot_ns=now)

    async def __aenter__(self):
        await self.journal.record(ProbeStarted(probe=self.probe))
        self.judging = asyncio.create_task(self.ledger.run())
        return self

    async def __aexit__(self, *_):
        self.judging.cancel()

    def follow(self, submitter="worker", *, sequence=None, **state):
        known = OpenProbe(probe=self.probe, submission=None, overdue=False)
        self.ledger.follow(replace(known, **state), submitter, sequence)

    def kinds(self):
        return [outcome.kind for outcome in self.journal.outcomes()]


async def test_a_probe_that_is_being_handed_over_is_left_alone():
    async with Bed() as bed:
        bed.follow()
        await bed.clock.advance(2000)

        assert bed.kinds() == []
        assert bed.ledger.in_flight("r") == 1


async def test_what_was_read_ahead_is_not_undone_by_what_the_stream_brings_after_it():
    async with Bed() as bed:
        bed.follow(submission=bed.accepted, submitter="", sequence=20)
        bed.follow(sequence=10)
        bed.follow(submission=bed.accepted, submitter="", sequence=20)
        assert bed.ledger.take_over(lambda _: False) == 0
        await bed.clock.advance(1300)

        assert bed.kinds() == [OutcomeKind.LOST]


async def test_a_submission_that_another_has_written_is_not_written_again():
    async with Bed() as bed:
        bed.follow(submission=bed.accepted, submitter="")
        await bed.clock.advance(70)
        await bed.clock.advance(1300)

        assert bed.journal.of(ProbeSubmitted) == []
        assert bed.kinds() == [OutcomeKind.LOST]


async def test_what_was_refused_is_ended_at_once():
    async with Bed() as bed:
        bed.follow(submission=replace(bed.accepted, disposition=Disposition.REFUSED), submitter="")
        await settle()

        assert bed.kinds() == [OutcomeKind.REFUSED]


async def test_a_worker_that_dies_after_the_dot_leaves_an_uncertain_probe():
    async with Bed() as bed:
        bed.follow(final_dot_ns=bed.clock.now_ns())
        assert bed.ledger.take_over(lambda member: True) == 0
        assert bed.ledger.take_over(lambda member: member != "worker") == 1
        assert bed.ledger.take_over(lambda member: False) == 0
        await settle()

        said = bed.journal.of(ProbeSubmitted)
        assert [event.submission.disposition for event in said] == [Disposition.UNCERTAIN]
        await bed.clock.advance(2000)
        assert bed.kinds() == [OutcomeKind.UNOBSERVED]


async def test_a_worker_that_dies_before_the_dot_leaves_what_may_never_have_been_sent():
    async with Bed() as bed:
        bed.follow()
        bed.ledger.take_over(lambda member: False)
        await bed.clock.advance(30)
        assert bed.kinds() == []  # it may still arrive

        await bed.clock.advance(2000)
        assert bed.journal.of(ProbeSubmitted) == []
        assert bed.kinds() == [OutcomeKind.UNOBSERVED]


async def test_an_end_by_another_is_an_end():
    async with Bed() as bed:
        bed.follow(submission=bed.accepted, submitter="")
        flight = bed.ledger.get("p")
        await bed.clock.advance(2000)
        ended = bed.journal.of(ProbeEnded)[0]
        other = Bed()
        other.follow(submission=bed.accepted, submitter="")
        other.ledger.has_ended(ended.outcome)
        other.ledger.has_ended(ended.outcome)

        assert flight.ended.is_set()
        assert other.ledger.open_probes() == ()


async def test_a_mailbox_that_is_anothers_is_forgotten():
    async with Bed() as bed:
        bed.follow(final_dot_ns=bed.clock.now_ns())

        assert bed.ledger.leave({"other"}) == []
        assert bed.ledger.leave({"m"}) == ["p"]
        await bed.clock.advance(2000)
        assert bed.kinds() == []
        assert bed.clock.now_ns() > NS


async def test_a_probe_that_was_taken_over_very_late_is_still_found_in_its_mailbox():
    async with Bed() as bed:
        known = []
        view = MailboxView(lambda: known[-1] if known else None, lambda: None, lambda _: None)
        bed.ledger.views.current = {"m": view}
        await bed.clock.advance(10 * GIVE_UP)
        bed.follow(submission=bed.accepted, submitter="")
        await bed.clock.advance(50)
        assert bed.kinds() == []  # nobody could look for so long, and the first look is on its way

        flight = bed.ledger.get(bed.probe.probe_id)
        found = make_arrival(bed.accepted)
        stamp = {"clock_ns": found.stored_ns, "clock_stamp": Stamp.GUID, "clock_resolution_seconds": 1e-6}
        arrived = replace(found, seen_ns=bed.clock.now_ns(), **stamp)
        await bed.ledger.arrived(flight, arrived)
        assert bed.kinds() == [OutcomeKind.DELIVERED]


async def test_a_probe_that_was_taken_over_very_late_ends_where_no_look_succeeds():
    async with Bed() as bed:
        view = MailboxView(lambda: None, lambda: None, lambda _: None)
        bed.ledger.views.current = {"m": view}
        await bed.clock.advance(10 * GIVE_UP)
        bed.follow(submission=bed.accepted, submitter="")
        await bed.clock.advance(59)
        assert bed.kinds() == []
        await bed.clock.advance(2)
        assert bed.kinds() == [OutcomeKind.UNOBSERVED]
