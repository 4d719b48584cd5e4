"""The life of a probe in the ledger: every end once, the journal first, whatever the order of events."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from smtp_probe.errors import JournalError
from smtp_probe.judgement import judge
from smtp_probe.model import (
    Arrival,
    Bounce,
    BounceSeen,
    Disposition,
    Location,
    OutcomeKind,
    Placement,
    Probe,
    ProbeEnded,
    ProbeOverdue,
    ProbeSubmitted,
    Stamp,
    Submission,
)
from smtp_probe.probes.ledger import Ledger
from smtp_probe.probes.views import MailboxView
from tests.probes.fakes import NS, FakeClock, MemoryJournal, settle

DEADLINE, GIVE_UP = 60.0, 600.0


class Bed:
    def __init__(self, journal=None, clock=None):
        self.clock = clock or FakeClock()
        self.journal = journal or MemoryJournal()
        self.told = []
        self.discarded = []
        self.nudges = 0
        self.is_covered = True
        self.ledger = Ledger(self.journal, self.clock, [self.told.append])
        self.ledger.views.current = {"inbox": MailboxView(self._covered, self._nudge, self.discarded.append)}

    def _covered(self):
        return self.clock.now_ns() if self.is_covered else None

    def _nudge(self):
        self.nudges += 1

    def probe(self, number=1, route="r"):
        now = self.clock.now_ns()
        return Probe(
            probe_id=f"p{number}", route=route, sequence=number, sender="s", mailbox="inbox",
            bounce_mailbox=None, recipient="u@example.test", scheduled_ns=now, created_ns=now,
            deadline_seconds=DEADLINE, give_up_after_seconds=GIVE_UP,
        )  # fmt: skip

    async def sent(self, number=1, disposition=Disposition.ACCEPTED):
        flight = await self.ledger.open(self.probe(number))
        now = self.clock.now_ns()
        await self.ledger.submitted(
            flight, Submission(disposition=disposition, started_ns=now, final_dot_ns=now)
        )
        return flight

    def arrival(self, uid=1, placement=Placement.INBOX):
        now = self.clock.now_ns()
        location = Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=uid)
        return Arrival(
            location=location, placement=placement, seen_ns=now, stored_ns=now, stamp=Stamp.GUID,
            stamp_resolution_seconds=1e-6,
        )  # fmt: skip

    def bounce(self, action="failed", uid=9):
        location = Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=uid)
        return Bounce(location=location, seen_ns=self.clock.now_ns(), action=action, status="5.1.1")

    def kinds(self):
        return [outcome.kind for outcome in self.journal.outcomes()]


@asynccontextmanager
async def running(bed):
    task = asyncio.create_task(bed.ledger.run())
    await settle()
    try:
        yield bed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_delivered_probe_ends_once_and_its_copy_is_given_to_be_deleted():
    async with running(Bed()) as bed:
        flight = await bed.sent()
        assert bed.ledger.routes_in_flight() == {"r"}
        await bed.clock.advance(3)
        arrival = bed.arrival()

        assert await bed.ledger.arrived(flight, arrival)
        assert bed.kinds() == [OutcomeKind.DELIVERED]
        assert bed.journal.outcomes()[0].delivery_seconds == 3.0
        assert bed.discarded == [arrival.location]
        assert bed.ledger.in_flight("r") == 0
        assert not bed.ledger.routes_in_flight()


async def test_silence_is_overdue_at_the_deadline_and_lost_when_given_up():
    async with running(Bed()) as bed:
        await bed.sent()
        await bed.clock.advance(DEADLINE - 0.01)
        assert bed.journal.of(ProbeOverdue) == []
        await bed.clock.advance(0.02)
        assert len(bed.journal.of(ProbeOverdue)) == 1
        await bed.clock.advance(GIVE_UP)

        assert bed.kinds() == [OutcomeKind.LOST]
        assert bed.journal.outcomes()[0].was_overdue


async def test_a_late_arrival_keeps_its_true_latency():
    async with running(Bed()) as bed:
        flight = await bed.sent()
        await bed.clock.advance(100)
        await bed.ledger.arrived(flight, bed.arrival())

        assert bed.kinds() == [OutcomeKind.LATE]
        assert bed.journal.outcomes()[0].delivery_seconds == 100.0


async def test_a_mailbox_out_of_view_delays_the_verdict_and_asks_for_a_look():
    async with running(Bed()) as bed:
        bed.is_covered = False
        flight = await bed.sent()
        await bed.clock.advance(100)
        assert bed.journal.of(ProbeOverdue) == []
        assert bed.nudges > 0
        bed.is_covered = True
        await bed.ledger.arrived(flight, bed.arrival())

        assert bed.kinds() == [OutcomeKind.LATE]


async def test_an_arrival_before_the_submission_has_returned_waits_for_it():
    bed = Bed()
    flight = await bed.ledger.open(bed.probe())
    bed.ledger.handed_over(flight)
    await bed.clock.advance(1)
    await bed.ledger.arrived(flight, bed.arrival())
    assert bed.kinds() == []
    await bed.ledger.submitted(
        flight,
        Submission(disposition=Disposition.ACCEPTED, started_ns=0, final_dot_ns=flight.probe.created_ns),
    )

    assert bed.kinds() == [OutcomeKind.DELIVERED]


async def test_two_copies_at_the_same_moment_end_the_probe_once():
    bed = Bed()
    flight = await bed.sent()
    taken = await asyncio.gather(
        bed.ledger.arrived(flight, bed.arrival(uid=1)), bed.ledger.arrived(flight, bed.arrival(uid=2))
    )

    assert sorted(taken) == [False, True]
    assert bed.kinds() == [OutcomeKind.DELIVERED]


@pytest.mark.parametrize("first", ["arrival", "bounce"])
async def test_an_arrival_and_a_bounce_end_the_probe_once_in_either_order(first):
    bed = Bed()
    flight = await bed.sent()
    steps = [bed.ledger.arrived(flight, bed.arrival()), bed.ledger.bounced(flight, bed.bounce())]
    for step in steps if first == "arrival" else reversed(steps):
        await step

    assert bed.kinds() == [OutcomeKind.DELIVERED if first == "arrival" else OutcomeKind.BOUNCED]


async def test_a_delay_notice_is_news_and_no_end():
    bed = Bed()
    flight = await bed.sent()
    await bed.ledger.bounced(flight, bed.bounce("delayed"))

    assert bed.kinds() == []
    assert len(bed.journal.of(BounceSeen)) == 1


@pytest.mark.parametrize(
    ("disposition", "kind"),
    [
        (Disposition.REFUSED, OutcomeKind.REFUSED),
        (Disposition.DEFERRED, OutcomeKind.DEFERRED),
        (Disposition.UNREACHABLE, OutcomeKind.UNREACHABLE),
        (Disposition.UNOBSERVED, OutcomeKind.UNOBSERVED),
    ],
)
async def test_a_message_that_was_not_handed_over_ends_at_once(disposition, kind):
    bed = Bed()
    await bed.sent(disposition=disposition)

    assert bed.kinds() == [kind]
    assert [type(event) for event in bed.journal.events[1:]] == [ProbeSubmitted, ProbeEnded]


async def test_a_delay_notice_is_kept_with_its_probe_also_over_a_restart_and_a_later_bounce_still_ends_it():
    bed = Bed()
    async with running(bed):
        flight = await bed.sent()
        first, second = (
            replace(bed.bounce("delayed", uid), retry_until_ns=bed.clock.ns + uid * NS) for uid in (5, 6)
        )
        await bed.ledger.bounced(flight, first)
        await bed.ledger.bounced(flight, second)
    (known,) = await bed.journal.open_probes()
    assert known.delay == second

    after = Bed(bed.journal, bed.clock)
    after.ledger.restore([known])
    async with running(after):
        (flight,) = after.ledger.open_probes()
        await after.ledger.bounced(flight, after.bounce("failed", 7))
    (outcome,) = bed.journal.outcomes()
    assert (outcome.kind, outcome.delay) == (OutcomeKind.BOUNCED, second)


async def test_other_news_is_no_delay():
    bed = Bed()
    async with running(bed):
        flight = await bed.sent()
        await bed.ledger.bounced(flight, bed.bounce("relayed", 5))
        assert flight.delay is None


async def test_a_message_that_was_put_off_is_not_awaited_and_its_dot_is_forgotten():
    bed = Bed()
    async with running(bed):
        flight = await bed.ledger.open(bed.probe())
        bed.ledger.handed_over(flight)
        await settle()
        put_off = Submission(disposition=Disposition.DEFERRED, started_ns=bed.clock.ns)
        await bed.ledger.deferred(flight, put_off)
        (known,) = await bed.journal.open_probes()

        assert known.final_dot_ns is None
        assert bed.ledger.expected_since_ns("inbox") is None
        assert bed.kinds() == []

        bed.journal.is_broken = True
        await bed.ledger.deferred(
            flight, put_off
        )  # an attempt that cannot be written down costs the probe nothing
        bed.journal.is_broken = False
        await bed.clock.advance(1)
        bed.ledger.handed_over(flight)
        assert bed.ledger.expected_since_ns("inbox") == bed.clock.ns


async def test_nothing_is_opened_while_the_journal_is_broken():
    bed = Bed()
    bed.journal.is_broken = True

    with pytest.raises(JournalError):
        await bed.ledger.open(bed.probe())
    assert bed.ledger.open_probes() == ()
    assert bed.told == []


async def test_an_end_that_cannot_be_written_is_told_to_nobody_until_it_is():
    async with running(Bed()) as bed:
        flight = await bed.sent()
        bed.journal.is_broken = True
        await bed.ledger.arrived(flight, bed.arrival())
        await bed.clock.advance(30)
        assert bed.discarded == []
        assert not any(isinstance(event, ProbeEnded) for event in bed.told)
        bed.journal.is_broken = False
        await bed.clock.advance(5)

        assert bed.kinds() == [OutcomeKind.DELIVERED]
        assert len(bed.discarded) == 1


async def test_a_restart_goes_on_with_the_true_send_times():
    before = Bed()
    await before.sent(1)
    await before.sent(2)
    await before.clock.advance(30)
    after = Bed(before.journal, before.clock)
    after.ledger.restore(await before.journal.open_probes())
    async with running(after) as bed:
        await bed.ledger.arrived(bed.ledger.get("p1"), bed.arrival())
        await bed.clock.advance(DEADLINE - 29)

        assert bed.journal.outcomes()[0].delivery_seconds == 30.0
        assert [event.probe.probe_id for event in bed.journal.of(ProbeOverdue)] == ["p2"]


async def test_a_probe_killed_before_its_submission_was_known_is_our_gap_when_it_does_not_arrive():
    before = Bed()
    await before.ledger.open(before.probe())
    after = Bed(before.journal, before.clock)
    after.ledger.restore(await before.journal.open_probes())
    async with running(after) as bed:
        await bed.clock.advance(DEADLINE + 1)

        assert bed.kinds() == [OutcomeKind.UNOBSERVED]


async def test_a_broken_sink_costs_nobody_anything(caplog):
    bed = Bed()

    def broken(_event):
        raise ValueError("a bug")

    bed.ledger = Ledger(bed.journal, bed.clock, [broken, bed.told.append])
    flight = await bed.sent()
    await bed.ledger.arrived(flight, bed.arrival())

    assert bed.kinds() == [OutcomeKind.DELIVERED]
    assert isinstance(bed.told[-1], ProbeEnded)
    assert "a sink failed" in caplog.text


async def test_the_youngest_expected_message_is_known_by_mailbox():
    bed = Bed()
    assert bed.ledger.expected_since_ns("inbox") is None
    first = await bed.sent(1)
    await bed.clock.advance(5)
    second = await bed.sent(2)
    assert bed.ledger.expected_since_ns("inbox") == second.submission.final_dot_ns
    await bed.ledger.arrived(second, bed.arrival())
    assert bed.ledger.expected_since_ns("inbox") == first.submission.final_dot_ns
    assert bed.clock.now_ns() == first.submission.final_dot_ns + 5 * NS


async def test_it_is_quiet_for_most_of_what_the_fastest_of_the_last_messages_took():
    bed = Bed()
    first = await bed.sent(1)
    assert bed.ledger.quiet_until_ns("inbox") == first.submission.final_dot_ns
    await bed.clock.advance(5)
    clock = {"clock_ns": bed.clock.now_ns(), "clock_stamp": Stamp.GUID, "clock_resolution_seconds": 1e-6}
    await bed.ledger.arrived(first, replace(bed.arrival(), **clock))
    assert bed.ledger.quiet_until_ns("inbox") is None

    second, third = await bed.sent(2), await bed.sent(3)
    quiet_until_ns = bed.ledger.quiet_until_ns("inbox")
    assert quiet_until_ns - second.submission.final_dot_ns == pytest.approx(4 * NS, rel=1e-3)
    assert third.submission.final_dot_ns == second.submission.final_dot_ns


async def test_the_dot_is_written_down_and_gives_the_latency_after_a_kill():
    before = Bed()
    flight = await before.ledger.open(before.probe())
    before.ledger.handed_over(flight)
    dot_ns = before.clock.now_ns()
    await settle()
    await before.clock.advance(3)
    after = Bed(before.journal, before.clock)
    after.ledger.restore(await before.journal.open_probes())
    async with running(after) as bed:
        await bed.ledger.arrived(bed.ledger.get("p1"), bed.arrival())

        outcome = bed.journal.outcomes()[0]
        assert outcome.submission.final_dot_ns == dot_ns
        assert outcome.submission.disposition is Disposition.UNCERTAIN
        assert outcome.delivery_seconds == 3.0


async def test_a_journal_that_misses_the_dot_costs_nothing_else():
    bed = Bed()
    flight = await bed.ledger.open(bed.probe())
    bed.journal.is_broken = True
    bed.ledger.handed_over(flight)
    await settle()
    bed.journal.is_broken = False
    now = bed.clock.now_ns()
    await bed.ledger.submitted(
        flight, Submission(disposition=Disposition.ACCEPTED, started_ns=now, final_dot_ns=now)
    )
    await bed.ledger.arrived(flight, bed.arrival())

    assert bed.kinds() == [OutcomeKind.DELIVERED]


@pytest.mark.slow
async def test_probes_past_their_deadline_cost_nothing_while_their_mailbox_is_out_of_view(monkeypatch):
    bed = Bed()
    bed.is_covered = False
    judged = []

    def judge_and_note(evidence):
        judged.append(evidence)
        return judge(evidence)

    monkeypatch.setattr("smtp_probe.probes.ledger.judge", judge_and_note)
    async with running(bed):
        for number in range(50):
            await bed.sent(number)
        await bed.clock.advance(DEADLINE + 1)
        judged.clear()
        await bed.clock.advance(200)
        assert judged == []
        bed.is_covered = True
        await bed.clock.advance(1)

        assert len(bed.journal.of(ProbeOverdue)) == 50


async def test_a_probe_is_watched_for_by_the_account_that_it_was_sent_to():
    bed = Bed()
    seen = {"old": True, "new": True}
    discarded = []

    def view(account):
        return MailboxView(
            lambda: bed.clock.now_ns() if seen[account] else None,
            lambda: None,
            lambda location: discarded.append((account, location)),
            account,
        )

    bed.ledger.views.current = {"inbox": view("old")}
    async with running(bed):
        flight = await bed.sent(1)
        bed.ledger.views.current = {"inbox": view("new")}
        bed.ledger.views.former = {("inbox", "old"): view("old")}
        assert bed.ledger.mailboxes_in_use() == {("inbox", "old")}
        seen["old"] = False
        await bed.clock.advance(DEADLINE + 1)
        assert bed.journal.of(ProbeOverdue) == []  # the new account's view says nothing of it
        there = replace(bed.arrival().location, account="old")
        dot_ns = flight.submission.final_dot_ns
        stored = {"stored_ns": dot_ns, "clock_ns": dot_ns, "clock_resolution_seconds": 1e-6}
        await bed.ledger.arrived(flight, replace(bed.arrival(), location=there, **stored))

        assert bed.kinds() == [OutcomeKind.DELIVERED]
        assert discarded == [("old", there)]
