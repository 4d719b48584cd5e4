"""Scheduling: each slot sent or counted as missed, never bunched, politely."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import pytest

from smtp_probe.config.settings import Route, Schedule, Sender
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import (
    Arrival,
    Cause,
    Disposition,
    Failure,
    Location,
    OutcomeKind,
    Phase,
    Placement,
    ProbeStarted,
    ProbeSubmitted,
    SlotMissed,
    Stamp,
    SubmissionDeferred,
)
from smtp_probe.probes.ledger import Ledger
from smtp_probe.probes.round_trip import RoundTrips, RouteUnderTest
from smtp_probe.probes.runner import Runner
from smtp_probe.probes.views import MailboxView
from tests.probes.fakes import NS, FakeClock, FakeSubmitter, MemoryJournal, settle

KEY = TagKey(b"k" * 32)


class Bed:
    def __init__(self, routes=1, interval=60.0, **schedule):
        self.clock = FakeClock()
        self.journal = MemoryJournal()
        self.ledger = Ledger(self.journal, self.clock, [])
        self.submitter = FakeSubmitter(self.clock)
        self.lags = []
        trips = RoundTrips(self.ledger, self.clock, [KEY])
        self.runner = Runner(trips, self.ledger, self.clock, self.lags.append)
        self.settings = Schedule(**schedule)
        self.targets = [self.target(f"r{number}", interval) for number in range(routes)]

    def target(self, name, interval, host="mx.example.test", **route):
        sender = Sender(host=host, tls="none", ehlo_name="p.example.test", envelope_from="a@example.test",
                        max_per_minute=route.pop("max_per_minute", 10_000))  # fmt: skip
        settings = Route(sender="s", recipient="u@example.test", mailbox="inbox", interval=interval, **route)
        return RouteUnderTest(name, settings, sender, self.submitter)

    def sent(self):
        return Counter(event.probe.route for event in self.journal.of(ProbeStarted))

    def missed(self):
        missed = Counter()
        for event in self.journal.of(SlotMissed):
            missed[event.reason] += event.count
        return missed


def arrival_of(flight, clock):
    location = Location(mailbox=flight.probe.mailbox, folder="INBOX", uidvalidity=1, uid=1)
    return Arrival(
        location=location, placement=Placement.INBOX, seen_ns=clock.ns, stored_ns=clock.ns, stamp=Stamp.GUID,
        stamp_resolution_seconds=1e-6,
    )  # fmt: skip


@asynccontextmanager
async def running(bed):
    bed.runner.configure(bed.targets, bed.settings)
    task = asyncio.create_task(bed.runner.run())
    await settle()
    try:
        yield bed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.slow
async def test_an_hour_of_ten_routes_is_sixty_probes_each_and_none_missed():
    async with running(Bed(routes=10)) as bed:
        await bed.clock.advance(3600)

        assert set(bed.sent().values()) <= {59, 60, 61}
        assert bed.missed() == {}
        assert max(bed.lags) < 1e-6


async def test_a_route_is_never_submitted_twice_at_once():
    async with running(Bed(interval=10.0)) as bed:
        bed.submitter.seconds = 25.0
        await bed.clock.advance(300)

        assert bed.sent()["r0"] <= 300 / 25
        assert bed.missed()["busy"] >= 15


async def test_messages_in_flight_are_bounded():
    bed = Bed()
    bed.targets = [bed.target("r0", 10.0, max_in_flight=3)]
    async with running(bed):
        await bed.clock.advance(100)

        assert bed.sent()["r0"] == 3
        assert bed.missed()["busy"] >= 6


async def test_a_failing_endpoint_is_left_alone_for_a_growing_while():
    bed = Bed(interval=10.0, backoff_minimum=30, backoff_maximum=3600)
    bed.submitter.dispositions = [Disposition.DEFERRED] * 1000
    async with running(bed):
        await bed.clock.advance(3600)

        assert 4 <= bed.sent()["r0"] <= 9
        assert bed.missed()["backoff"] > 300


async def until_put_off(bed, attempts=1):
    while len(bed.journal.of(SubmissionDeferred)) < attempts:
        await bed.clock.advance(5)


async def test_a_message_that_is_put_off_is_tried_again_as_the_same_probe():
    bed = Bed(interval=600.0, backoff_minimum=30)
    bed.submitter.dispositions = [Disposition.DEFERRED, Disposition.DEFERRED, Disposition.ACCEPTED]
    async with running(bed):
        await until_put_off(bed)
        await bed.clock.advance(120)
        first, *others = bed.submitter.envelopes

        assert others == [first, first]
        assert bed.sent()["r0"] == 1
        put_off = bed.journal.of(SubmissionDeferred)
        assert [event.submission.attempts for event in put_off] == [1, 2]
        submitted = bed.journal.of(ProbeSubmitted)[0]
        assert submitted.probe.probe_id == put_off[0].probe.probe_id
        assert submitted.submission.disposition is Disposition.ACCEPTED
        assert submitted.submission.attempts == 3
        starts = [event.submission.started_ns / NS for event in (*put_off, submitted)]
        assert starts[0] == submitted.submission.first_attempt_ns / NS
        assert 30 <= starts[1] - starts[0] <= 34
        assert 60 <= starts[2] - starts[1] <= 67


async def test_a_message_that_is_put_off_until_its_deadline_is_deferred_once():
    bed = Bed(interval=600.0, backoff_minimum=30)
    bed.submitter.dispositions = [Disposition.DEFERRED] * 1000
    async with running(bed):
        await bed.clock.advance(910)
        deferred = [outcome for outcome in bed.journal.outcomes() if outcome.kind is OutcomeKind.DEFERRED]

        assert [outcome.submission.attempts for outcome in deferred] == [4]
        assert set(bed.journal.ends().values()) == {1}
        assert deferred[0].ended_ns - deferred[0].probe.created_ns <= 300 * NS


async def test_nothing_else_is_sent_on_a_route_whose_message_waits_to_be_tried_again():
    bed = Bed(interval=10.0, backoff_minimum=1, backoff_maximum=1000)
    bed.submitter.dispositions = [Disposition.DEFERRED] * 1000
    async with running(bed):
        await until_put_off(bed, attempts=5)

        assert bed.sent()["r0"] == 1
        bed.runner.configure([], bed.settings)
        bed.runner.configure(bed.targets, bed.settings)
        await bed.clock.advance(60)
        assert len(bed.submitter.envelopes) >= 6
        assert bed.sent()["r0"] == 1, "also after a reload that took the route away and back"


async def test_waiting_messages_take_no_place_among_the_submissions():
    bed = Bed(max_submissions=1, backoff_minimum=30)
    bed.targets = [bed.target("put-off", 100.0, host="bad.example.test"), bed.target("good", 10.0)]
    bed.targets[0] = RouteUnderTest(
        "put-off", bed.targets[0].route, bed.targets[0].sender, FakeSubmitter(bed.clock)
    )
    bed.targets[0].submitter.dispositions = [Disposition.DEFERRED] * 1000
    async with running(bed):
        await bed.clock.advance(290)

        assert bed.sent()["put-off"] == 1
        assert bed.sent()["good"] >= 28


async def test_a_recipient_that_is_put_off_holds_up_no_other_route_of_its_server():
    bed = Bed(backoff_minimum=30)
    bed.targets = [bed.target("greylisted", 400.0), bed.target("good", 10.0)]
    bed.targets[0] = RouteUnderTest(
        "greylisted", bed.targets[0].route, bed.targets[0].sender, FakeSubmitter(bed.clock)
    )
    bed.targets[0].submitter.dispositions = [Disposition.DEFERRED] * 1000
    bed.targets[0].submitter.failure = Failure(stage=Phase.RCPT, cause=Cause.REPLY_TEMPORARY)
    async with running(bed):
        await until_put_off(bed, attempts=3)

        assert "backoff" not in bed.missed()
        assert bed.sent()["greylisted"] == 1


async def test_what_came_though_it_was_put_off_is_not_sent_again():
    bed = Bed(interval=400.0, backoff_minimum=30)
    bed.submitter.dispositions = [Disposition.DEFERRED]
    async with running(bed):
        await until_put_off(bed)
        (flight,) = bed.ledger.open_probes()
        await bed.ledger.arrived(flight, arrival_of(flight, bed.clock))
        await bed.clock.advance(60)

        assert len(bed.submitter.envelopes) == 1
        assert [outcome.kind for outcome in bed.journal.outcomes()] == [OutcomeKind.DELIVERED]


async def test_stopping_says_nothing_of_a_path_that_would_have_been_tried_again():
    bed = Bed(interval=400.0, backoff_minimum=30)
    bed.submitter.dispositions = [Disposition.DEFERRED]
    async with running(bed):
        await until_put_off(bed)
        await bed.runner.stop(1.0)
        await settle()

        assert [outcome.kind for outcome in bed.journal.outcomes()] == [OutcomeKind.UNOBSERVED]
        assert [outcome.failure.cause for outcome in bed.journal.outcomes()] == [Cause.SHUTDOWN]


async def test_a_kill_between_two_attempts_is_our_gap():
    bed = Bed(interval=400.0, backoff_minimum=30)
    bed.submitter.dispositions = [Disposition.DEFERRED]
    async with running(bed):
        await until_put_off(bed)
    (known,) = await bed.journal.open_probes()
    assert (known.submission, known.final_dot_ns) == (None, None)

    next_run = Ledger(bed.journal, bed.clock, [])
    next_run.views.current = {"inbox": MailboxView(bed.clock.now_ns, lambda: None, lambda _: None)}
    next_run.restore([known])
    judging = asyncio.create_task(next_run.run())
    await bed.clock.advance(310)
    judging.cancel()

    assert [outcome.kind for outcome in bed.journal.outcomes()] == [OutcomeKind.UNOBSERVED]


async def test_one_failing_endpoint_holds_up_no_other():
    bed = Bed()
    bed.targets = [bed.target("bad", 60.0, host="bad.example.test"), bed.target("good", 60.0)]
    bed.targets[0] = RouteUnderTest(
        "bad", bed.targets[0].route, bed.targets[0].sender, FakeSubmitter(bed.clock)
    )
    bed.targets[0].submitter.dispositions = [Disposition.UNREACHABLE] * 1000
    async with running(bed):
        await bed.clock.advance(3600)

        assert bed.sent()["good"] >= 59
        assert bed.sent()["bad"] < 20


async def test_a_refusal_is_an_answer_and_causes_no_back_off():
    bed = Bed()
    bed.submitter.dispositions = [Disposition.REFUSED] * 1000
    async with running(bed):
        await bed.clock.advance(3600)

        assert bed.sent()["r0"] >= 59


async def test_the_budget_of_an_endpoint_is_kept_over_all_its_routes():
    bed = Bed()
    bed.targets = [bed.target(f"r{number}", 10.0, max_per_minute=6) for number in range(5)]
    async with running(bed):
        await bed.clock.advance(600)

        assert sum(bed.sent().values()) <= 63
        assert bed.missed()["budget"] >= 200


async def test_the_budget_over_all_routes_is_kept():
    bed = Bed(max_per_minute=6)
    bed.targets = [bed.target(f"r{number}", 10.0, host=f"h{number}.example.test") for number in range(5)]
    async with running(bed):
        await bed.clock.advance(600)

        assert sum(bed.sent().values()) <= 63


async def test_a_program_that_slept_sends_once_and_counts_the_rest_as_missed():
    async with running(Bed(interval=60.0)) as bed:
        await bed.clock.advance(120)
        before = bed.sent()["r0"]
        bed.clock.ns += 3600 * 1_000_000_000
        await bed.clock.advance(60)

        assert bed.sent()["r0"] - before <= 2
        assert 58 <= bed.missed()["late"] <= 61


async def test_nothing_is_sent_while_the_journal_is_broken():
    async with running(Bed()) as bed:
        bed.journal.is_broken = True
        await bed.clock.advance(600)
        assert bed.submitter.envelopes == []
        bed.journal.is_broken = False
        await bed.clock.advance(120)

        assert len(bed.submitter.envelopes) == 2


async def test_a_reload_keeps_back_off_and_takes_over_new_routes():
    bed = Bed(backoff_minimum=600, backoff_maximum=3600)
    bed.submitter.dispositions = [Disposition.DEFERRED]
    async with running(bed):
        await bed.clock.advance(70)
        sent = sum(bed.sent().values())
        bed.runner.configure([*bed.targets, bed.target("new", 60.0)], bed.settings)
        await bed.clock.advance(120)

        assert sum(bed.sent().values()) == sent
        assert bed.missed()["backoff"] >= 3


async def test_stopping_lets_a_submission_end():
    async with running(Bed(interval=10.0)) as bed:
        bed.submitter.seconds = 3.0
        await bed.clock.advance(11)
        stopping = asyncio.create_task(bed.runner.stop(5.0))
        await bed.clock.advance(4)
        await stopping

        assert all(flight.submission is not None for flight in bed.ledger.open_probes())


async def test_stopping_records_a_submission_that_hangs_after_the_dot_as_uncertain():
    async with running(Bed(interval=10.0)) as bed:
        bed.submitter.is_hanging_after_dot = True
        await bed.clock.advance(11)
        await bed.runner.stop(0.05)

        known = await bed.journal.open_probes()
        assert [probe.submission.disposition for probe in known] == [Disposition.UNCERTAIN]
