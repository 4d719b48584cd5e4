"""Sending one probe: written down first, every carrier filled, and cut short truthfully."""

import asyncio

import pytest

from smtp_probe.config.settings import Route, Sender
from smtp_probe.errors import JournalError
from smtp_probe.mail.addresses import find_address_tokens, strip_tag
from smtp_probe.mail.recognition import find_candidates
from smtp_probe.mail.tag import TagKey, verify
from smtp_probe.model import Disposition, ProbeStarted, ProbeSubmitted
from smtp_probe.probes.ledger import Ledger
from smtp_probe.probes.round_trip import RoundTrips, RouteUnderTest
from tests.probes.fakes import FakeClock, FakeSubmitter, MemoryJournal, settle

KEY = TagKey(b"k" * 32)


class Bed:
    def __init__(self):
        self.clock = FakeClock()
        self.journal = MemoryJournal()
        self.ledger = Ledger(self.journal, self.clock, [])
        self.submitter = FakeSubmitter(self.clock)
        self.trips = RoundTrips(self.ledger, self.clock, [KEY])

    def target(self, *, verp=False, **route):
        sender = Sender(
            host="h", tls="none", ehlo_name="p.example.test", envelope_from="probe@example.test", verp=verp
        )
        settings = Route(sender="s", recipient="user@example.test", mailbox="inbox", **route)
        return RouteUnderTest("r", settings, sender, self.submitter)


async def test_the_journal_knows_the_probe_before_anything_leaves():
    bed = Bed()
    known = []
    original = bed.submitter.submit

    async def submit(envelope, *, on_phase=None):
        known.extend(bed.journal.events)
        return await original(envelope, on_phase=on_phase)

    bed.submitter.submit = submit
    await bed.trips.send(bed.target(), bed.clock.now_ns())

    assert [type(event) for event in known] == [ProbeStarted]


async def test_nothing_leaves_when_the_journal_cannot_be_written():
    bed = Bed()
    bed.journal.is_broken = True

    with pytest.raises(JournalError):
        await bed.trips.send(bed.target(), bed.clock.now_ns())
    assert bed.submitter.envelopes == []


async def test_the_tag_in_every_carrier_is_signed_over_route_and_recipient():
    bed = Bed()
    await bed.trips.send(bed.target(), bed.clock.now_ns())
    envelope = bed.submitter.envelopes[0]
    header, _, text = envelope.message.partition(b"\r\n\r\n")
    candidates = find_candidates(header + b"\r\n\r\n", text)

    assert len(candidates) == 1
    tag = verify(candidates[0].token, [KEY], "r", "user@example.test")
    assert tag is not None
    assert tag.token in envelope.envid
    assert envelope.message.count(tag.token.encode()) == 4
    assert verify(candidates[0].token, [KEY], "r", "else@example.test") is None


async def test_a_plus_addressed_recipient_carries_the_tag_and_is_still_the_route_s():
    bed = Bed()
    await bed.trips.send(bed.target(plus_address=True), bed.clock.now_ns())
    envelope = bed.submitter.envelopes[0]

    assert envelope.recipient.startswith("user+")
    assert envelope.recipient.endswith("@example.test")
    assert bed.journal.events[0].probe.recipient == "user@example.test"


async def test_an_envelope_sender_carries_the_tag_where_that_is_asked_for():
    bed = Bed()
    await bed.trips.send(bed.target(verp=True), bed.clock.now_ns())
    await bed.trips.send(bed.target(), bed.clock.now_ns())
    tagged, plain = bed.submitter.envelopes
    [token] = find_address_tokens(tagged.sender.encode())

    assert verify(token, [KEY], "r", "user@example.test") is not None
    assert strip_tag(tagged.sender) == plain.sender == "probe@example.test"
    assert b"From: probe@example.test\r\n" in tagged.message


async def test_sequence_numbers_go_on_from_what_the_journal_knew():
    bed = Bed()
    bed.trips = RoundTrips(bed.ledger, bed.clock, [KEY], {"r": 41})
    flights = [await bed.trips.send(bed.target(), bed.clock.now_ns()) for _ in range(2)]

    assert [flight.probe.sequence for flight in flights] == [42, 43]


@pytest.mark.parametrize(
    ("hangs_after_dot", "disposition"), [(True, Disposition.UNCERTAIN), (False, Disposition.UNOBSERVED)]
)
async def test_a_submission_cut_short_is_uncertain_after_the_dot_and_our_own_gap_before(
    hangs_after_dot, disposition
):
    bed = Bed()
    bed.submitter.is_hanging_after_dot = hangs_after_dot
    bed.submitter.seconds = 0.0 if hangs_after_dot else 100.0
    task = asyncio.create_task(bed.trips.send(bed.target(), bed.clock.now_ns()))
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    submissions = [event.submission for event in bed.journal.of(ProbeSubmitted)]
    assert [submission.disposition for submission in submissions] == [disposition]
    assert (submissions[0].final_dot_ns is not None) is hangs_after_dot
