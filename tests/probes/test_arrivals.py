"""From messages to facts: whatever is ours is found and judged once, and nobody else's mail is touched."""

import asyncio
import re
from contextlib import asynccontextmanager

import pytest

from smtp_probe.config.settings import Route, Sender
from smtp_probe.mail.tag import TOKEN_PREFIX, TagKey, find_tokens, hash_route
from smtp_probe.model import (
    BounceSeen,
    Cause,
    DuplicateSeen,
    Echo,
    ForgerySeen,
    Fork,
    Location,
    MailboxMessage,
    OutcomeKind,
    Placement,
    StraySeen,
)
from smtp_probe.probes.arrivals import Arrivals, RouteIdentity
from smtp_probe.probes.echoes import EchoTerms
from smtp_probe.probes.folder_watch import WatchEvents, WatchSettings
from smtp_probe.probes.ledger import Ledger
from smtp_probe.probes.round_trip import RoundTrips, RouteUnderTest
from smtp_probe.probes.views import MailboxView
from smtp_probe.probes.watcher import MailboxWatcher
from tests.probes.fakes import FakeClock, FakeServer, FakeSubmitter, MemoryJournal, settle

KEY = TagKey(b"k" * 32)
RECEIVED = (
    b"Received: from a.example.test by mx.example.test with ESMTP id 1; Mon, 1 Jan 2024 00:00:00 +0000\r\n"
)


class Bed:
    """A whole path of fakes: what is sent can be stored, changed and answered by hand."""

    def __init__(self, journal=None, clock=None, server=None, keys=(KEY,)):
        self.clock = clock or FakeClock()
        self.journal = journal or MemoryJournal()
        self.server = server or FakeServer(self.clock, Cause.CONNECTION_LOST)
        self.submitter = FakeSubmitter(self.clock)
        self.ledger = Ledger(self.journal, self.clock, [])
        self.arrivals = Arrivals(self.ledger, self.journal, self.clock, keys)
        self.arrivals.routes = {
            hash_route("r"): RouteIdentity("r", "user@example.test", 86_400.0, "probe@example.test")
        }
        self.trips = RoundTrips(self.ledger, self.clock, keys)
        events = WatchEvents(
            dispatch=self.arrivals.look_at,
            expected_since_ns=lambda: self.ledger.expected_since_ns("inbox"),
            is_waited_for=lambda: any(name == "inbox" for name, _ in self.ledger.mailboxes_in_use()),
        )
        self.watcher = MailboxWatcher(self.server, self.clock, WatchSettings(), events)
        self.ledger.views.current = {
            "inbox": MailboxView(lambda: self.watcher.covered_ns, self.watcher.nudge, self.watcher.discard)
        }

    @property
    def inbox(self):
        return self.server.folders["INBOX"]

    async def send(self, *, verp=False, **route):
        sender = Sender(
            host="h", tls="none", ehlo_name="p.example.test", envelope_from="probe@example.test", verp=verp
        )
        settings = Route(sender="s", recipient="user@example.test", mailbox="inbox", **route)
        await self.trips.send(RouteUnderTest("r", settings, sender, self.submitter), self.clock.now_ns())
        return self.submitter.envelopes[-1]

    def store(self, raw, folder="INBOX"):
        return self.server.folders[folder].put(RECEIVED + raw)

    def kinds(self):
        return [outcome.kind for outcome in self.journal.outcomes()]


@asynccontextmanager
async def running(bed):
    tasks = [asyncio.create_task(bed.watcher.run()), asyncio.create_task(bed.ledger.run())]
    await settle()
    try:
        yield bed
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def without(raw, *names):
    head, _, body = raw.partition(b"\r\n\r\n")
    kept, skipping = [], False
    for line in head.split(b"\r\n"):
        if line[:1] not in (b" ", b"\t"):
            skipping = line.split(b":")[0].lower() in names
        if not skipping:
            kept.append(line)
    return b"\r\n".join(kept) + b"\r\n\r\n" + body


def bounce_of(
    envelope, action=b"failed", status=b"5.1.1", kind=b"multipart/report; report-type=delivery-status"
):
    head = envelope.message.partition(b"\r\n\r\n")[0]
    return (
        b"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.test\r\nTo: probe@example.test\r\nSubject: Returned\r\n"
        b"Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: "
        + kind
        + b'; boundary="b"\r\n\r\n'
        b"--b\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; mx.example.test\r\nOriginal-Envelope-Id: "
        + envelope.envid.encode()
        + b"\r\n\r\n"
        b"Final-Recipient: rfc822; user@example.test\r\nAction: "
        + action
        + b"\r\nStatus: "
        + status
        + b"\r\n"
        b"Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        + head
        + b"\r\n--b--\r\n"
    )


async def test_a_message_is_delivered_and_deleted():
    async with running(Bed()) as bed:
        envelope = await bed.send()
        await bed.clock.advance(2)
        uid = bed.store(envelope.message)
        await bed.clock.advance(1)

        assert bed.kinds() == [OutcomeKind.DELIVERED]
        outcome = bed.journal.outcomes()[0]
        assert outcome.delivery_seconds == pytest.approx(2.0, abs=2e-4)
        assert len(outcome.arrival.trace.hops) == 1
        assert bed.inbox.removed == [uid]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"nothing", b"nothing", False),
        (b"They carry no information", b"They carry an advertisement", True),
        (b"[end of smtp-probe test message]", b"", True),
        (b"[begin of smtp-probe test message]", b"hello", False),
    ],
)
async def test_a_body_changed_on_the_way_shows(old, new, expected):
    async with running(Bed()) as bed:
        envelope = await bed.send()
        bed.store(envelope.message.replace(old, new))
        await bed.clock.advance(1)

        assert [outcome.arrival.corrupted for outcome in bed.journal.outcomes()] == [expected]


@pytest.mark.parametrize("is_harmed", [False, True])
async def test_a_large_message_is_compared_as_a_whole(is_harmed):
    async with running(Bed()) as bed:
        identity = RouteIdentity("r", "user@example.test", 86_400.0, "probe@example.test", size_bytes=400_000)
        bed.arrivals.routes = {hash_route("r"): identity}
        envelope = await bed.send(message_size=400_000)
        assert len(envelope.message) >= 400_000
        at = 390_000 + envelope.message[390_000:].index(b"e")
        harmed = envelope.message[:at] + b"#" + envelope.message[at + 1 :]
        bed.store(harmed if is_harmed else envelope.message)
        await bed.clock.advance(1)
        async with asyncio.timeout(10):
            while not bed.kinds():  # a thread looks at it
                await asyncio.sleep(0.01)

        assert [outcome.arrival.corrupted for outcome in bed.journal.outcomes()] == [is_harmed]


@pytest.mark.parametrize(("size_bytes", "expected"), [(2600, None), (None, None), (700, True)])
async def test_a_body_that_somebody_else_took_away_meanwhile_is_no_damage(size_bytes, expected):
    """Nothing is known of it, then; a message that had none from the beginning was truncated."""
    async with running(Bed()) as bed:
        envelope = await bed.send()
        shown = {
            "header": RECEIVED + envelope.message.partition(b"\r\n\r\n")[0] + b"\r\n\r\n",
            "size_bytes": size_bytes,
        }
        place = Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=1)
        now = bed.clock.now_ns()

        async def nothing(limit):
            return b""

        message = MailboxMessage(
            location=place, placement=Placement.INBOX, seen_ns=now, internaldate_ns=now, **shown
        )
        await bed.arrivals.look_at(message, nothing)

        assert [outcome.arrival.corrupted for outcome in bed.journal.outcomes()] == [expected]


async def test_what_has_grown_far_beyond_what_was_sent_is_not_fetched():
    async with running(Bed()) as bed:
        envelope = await bed.send()
        bed.store(envelope.message + b"x" * 100_000)
        await bed.clock.advance(1)

        assert [outcome.arrival.corrupted for outcome in bed.journal.outcomes()] == [None]


async def test_a_message_in_the_junk_folder_is_found_as_fast_as_any():
    async with running(Bed()) as bed:
        envelope = await bed.send()
        await bed.clock.advance(2)
        bed.store(envelope.message, "Junk")
        await bed.clock.advance(0.5)

        assert bed.kinds() == [OutcomeKind.JUNKED]


@pytest.mark.parametrize(
    ("lost", "found_in"),
    [
        ((), "header"),
        ((b"x-smtp-probe",), "message-id"),
        ((b"x-smtp-probe", b"message-id"), "subject"),
        ((b"x-smtp-probe", b"message-id", b"subject"), "body"),
    ],
)
async def test_a_message_is_recognised_by_whichever_carrier_survives(lost, found_in):
    async with running(Bed()) as bed:
        envelope = await bed.send()
        bed.store(without(envelope.message, *lost))
        await bed.clock.advance(1)

        assert [outcome.arrival.found_in for outcome in bed.journal.outcomes()] == [found_in]


async def test_a_message_of_which_only_the_subject_survives_is_recognised():
    """A gateway has replaced the text, and an answer by the same address, a second later, is none of ours."""
    async with running(Bed()) as bed:
        envelope = await bed.send()
        header = without(envelope.message, b"x-smtp-probe", b"message-id").partition(b"\r\n\r\n")[0]
        answer = re.sub(rb"(?m)^Date: .*$", b"Date: Thu, 1 Jan 2099 00:00:00 +0000", header)
        assert answer != header
        bed.store(answer + b"\r\n\r\nI am away.\r\n")
        own = bed.store(header + b"\r\n\r\nThe content of this message was removed.\r\n")
        await bed.clock.advance(1)

        assert [outcome.arrival.found_in for outcome in bed.journal.outcomes()] == ["subject"]
        assert bed.inbox.removed == [own]


async def test_a_second_copy_is_a_duplicate_and_is_deleted_too():
    async with running(Bed()) as bed:
        envelope = await bed.send()
        first, second = bed.store(envelope.message), bed.store(envelope.message)
        await bed.clock.advance(1)
        third = bed.store(envelope.message)
        await bed.clock.advance(1)

        assert bed.kinds() == [OutcomeKind.DELIVERED]
        assert [event.location.uid for event in bed.journal.of(DuplicateSeen)] == [second, third]
        assert bed.inbox.removed == [first, second, third]


async def test_a_replay_is_counted_as_forged_and_left_alone_and_a_copy_of_the_path_is_a_duplicate():
    """Only our own message has come by the server whose queue id we were told."""
    line = b"Received: from p.example.test by out.example.test (Postfix) with ESMTPS id %s; Mon, 1 Jan 2024 00:00:00 +0000\r\n"
    async with running(Bed()) as bed:
        bed.submitter.queue_id = "4ABC"
        envelope = await bed.send()
        genuine = line % b"4ABC" + envelope.message
        alias = line % b"4DEF" + genuine
        anew = line % b"4GHJ" + envelope.message
        first = bed.store(genuine)
        await bed.clock.advance(1)
        second, replay = bed.store(alias), bed.store(anew)
        await bed.clock.advance(1)

        assert bed.kinds() == [OutcomeKind.DELIVERED]
        assert [event.location.uid for event in bed.journal.of(DuplicateSeen)] == [second]
        assert [event.location.uid for event in bed.journal.of(ForgerySeen)] == [replay]
        assert bed.inbox.removed == [first, second]


async def test_where_a_second_copy_parted_is_told_also_when_the_first_one_has_ended_the_probe():
    async with running(Bed()) as bed:
        envelope = await bed.send()
        later = b"Received: from mx by store.example.test with LMTP id %d; Mon, 1 Jan 2024 00:00:01 +0000\r\n"
        for number in (1, 2):
            bed.inbox.put(later % number + RECEIVED + envelope.message)
            await bed.clock.advance(1)

        (seen,) = bed.journal.of(DuplicateSeen)
        assert seen.fork == Fork(after_hop=1, host="mx.example.test")


def queued(envelope, recipient=b"user@example.test", queue_id=b"4ABC"):
    """A bounce of Postfix that returns nothing of the message."""
    plain = bounce_of(envelope).replace(envelope.envid.encode(), b"none")
    plain = plain.partition(b"Content-Type: text/rfc822-headers")[0] + b"\r\n--b--\r\n"
    plain = plain.replace(b"Reporting-MTA:", b"X-Postfix-Queue-ID: " + queue_id + b"\r\nReporting-MTA:")
    return plain.replace(b"rfc822; user@example.test", b"rfc822; " + recipient)


async def test_a_bounce_that_names_our_message_by_its_queue_id_alone_ends_the_probe_and_is_not_deleted():
    async with running(Bed()) as bed:
        bed.submitter.queue_id = "4ABC"
        envelope = await bed.send(bounce_mailbox="inbox")
        uid = bed.inbox.put(queued(envelope))
        await bed.clock.advance(1)

        assert bed.kinds() == [OutcomeKind.BOUNCED]
        assert not bed.journal.outcomes()[0].bounce.is_verified
        assert uid in bed.inbox.messages
        await bed.clock.advance(60)
        assert uid in bed.inbox.messages
        assert bed.inbox.removed == []


@pytest.mark.parametrize(
    "changes", [{"recipient": b"other@example.test"}, {"queue_id": b"4ABD"}, {"queue_id": b""}]
)
async def test_a_bounce_about_another_recipient_or_id_is_somebody_else_s(changes):
    async with running(Bed()) as bed:
        bed.submitter.queue_id = "4ABC"
        envelope = await bed.send(bounce_mailbox="inbox")
        uid = bed.inbox.put(queued(envelope, **changes))
        await bed.clock.advance(1)

        assert bed.kinds() == []
        assert uid in bed.inbox.messages


async def test_a_queue_id_counts_only_in_the_mailbox_of_the_bounces():
    async with running(Bed()) as bed:
        bed.submitter.queue_id = "4ABC"
        envelope = await bed.send()
        bed.inbox.put(queued(envelope))
        await bed.clock.advance(1)

        assert bed.kinds() == []


async def test_a_forged_message_is_counted_once_and_never_deleted():
    async with running(Bed()) as bed:
        envelope = await bed.send()
        token = find_tokens(envelope.message)[0]
        forged = token[:-8] + ("a" * 8 if token[-8:] != "a" * 8 else "b" * 8)
        bed.store(envelope.message.replace(token.encode(), forged.encode()))
        await bed.clock.advance(1)
        bed.server.cut()
        await settle()
        bed.server.is_up = True
        await bed.clock.advance(10)

        assert bed.kinds() == []
        assert len(bed.journal.of(ForgerySeen)) == 1
        assert bed.inbox.removed == []


async def test_a_message_of_another_prober_with_another_key_is_left_alone():
    other = Bed(keys=(TagKey(b"x" * 32),))
    envelope = await other.send()
    async with running(Bed()) as bed:
        bed.arrivals.routes = {hash_route("elsewhere"): RouteIdentity("elsewhere", "user@example.test", 60.0)}
        await bed.send()
        bed.store(envelope.message)
        await bed.clock.advance(5)

        assert bed.journal.of(ForgerySeen) == []
        assert bed.inbox.removed == []


async def test_a_bounce_ends_the_probe_long_before_its_deadline_and_is_deleted():
    async with running(Bed()) as bed:
        envelope = await bed.send(deadline=600, give_up_after=6000)
        await bed.clock.advance(2)
        uid = bed.store(bounce_of(envelope))
        await bed.clock.advance(1)

        assert bed.kinds() == [OutcomeKind.BOUNCED]
        outcome = bed.journal.outcomes()[0]
        assert (outcome.bounce.status, outcome.failure.stage) == ("5.1.1", "bounce")
        assert outcome.bounce.reason == "no_such_user"
        assert bed.inbox.removed == [uid]


async def test_a_delay_notice_is_news_and_the_delivery_that_follows_counts():
    async with running(Bed()) as bed:
        envelope = await bed.send(deadline=600, give_up_after=6000)
        bed.store(bounce_of(envelope, b"delayed", b"4.4.1"))
        await bed.clock.advance(5)
        assert len(bed.journal.of(BounceSeen)) == 1
        bed.store(envelope.message)
        await bed.clock.advance(5)

        assert bed.kinds() == [OutcomeKind.DELIVERED]


async def test_a_bounce_after_the_end_is_told_apart():
    async with running(Bed()) as bed:
        envelope = await bed.send()
        bed.store(envelope.message)
        await bed.clock.advance(1)
        bed.store(bounce_of(envelope))
        await bed.clock.advance(5)

        assert bed.kinds() == [OutcomeKind.DELIVERED]
        assert len(bed.journal.of(BounceSeen)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"Auto-Submitted: auto-replied\r\n",
        b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n",
        b"X-Autoreply: yes\r\n",
        b"Precedence: auto_reply\r\n",
    ],
)
async def test_an_automatic_answer_is_never_a_delivery_though_it_quotes_everything(answer):
    async with running(Bed()) as bed:
        envelope = await bed.send()
        head, _, body = without(envelope.message, b"auto-submitted", b"content-type").partition(b"\r\n\r\n")
        bed.store(answer + head + b"\r\n\r\n" + body)
        await bed.clock.advance(5)

        assert bed.kinds() == []
        assert bed.inbox.removed == []


async def test_a_reply_that_quotes_our_message_is_never_a_delivery():
    async with running(Bed()) as bed:
        envelope = await bed.send()
        quoted = b"".join(b"> " + line + b"\r\n" for line in envelope.message.split(b"\r\n"))
        token = find_tokens(envelope.message)[0].encode()
        bed.store(
            b"From: user@example.test\r\nSubject: Re: hello\r\nMessage-ID: <1@example.test>\r\n"
            b"References: <" + token + b"@example.test>\r\n\r\n" + quoted
        )
        await bed.clock.advance(5)

        assert bed.kinds() == []


ECHO = EchoTerms("inbox", ("example.test",))


def echo_bed(**changes):
    bed = Bed(**changes)
    bed.arrivals.routes = {
        hash_route("r"): RouteIdentity("r", "user@example.test", 86_400.0, "probe@example.test", ECHO)
    }
    return bed


def answer_to(envelope, author=b"user@example.test", mark=b"> "):
    quoted = b"".join(mark + line + b"\r\n" for line in (RECEIVED + envelope.message).split(b"\r\n"))
    return (
        b"From: " + author + b"\r\nTo: probe@example.test\r\nSubject: Re: yours\r\n"
        b"Message-ID: <a@example.test>\r\nAuto-Submitted: auto-replied\r\n\r\nYou wrote:\r\n\r\n" + quoted
    )  # fmt: skip


async def test_an_answer_is_the_delivery_of_an_echo_route():
    async with running(echo_bed()) as bed:
        envelope = await bed.send(echo=True)
        await bed.clock.advance(2)
        uid = bed.store(answer_to(envelope))
        await bed.clock.advance(1)

        assert bed.kinds() == [OutcomeKind.DELIVERED]
        arrival = bed.journal.outcomes()[0].arrival
        assert (arrival.found_in, arrival.echo, arrival.corrupted) == ("quoted", Echo(outbound_hops=1), None)
        assert len(arrival.trace.hops) == 2
        assert bed.inbox.removed == [uid]


async def test_an_answer_that_comes_twice_is_a_duplicate():
    async with running(echo_bed()) as bed:
        envelope = await bed.send(echo=True)
        uids = [bed.store(answer_to(envelope)) for _ in range(2)]
        await bed.clock.advance(5)

        assert bed.kinds() == [OutcomeKind.DELIVERED]
        assert len(bed.journal.of(DuplicateSeen)) == 1
        assert bed.inbox.removed == uids


async def test_our_own_message_is_no_answer_and_is_cleared_away():
    async with running(echo_bed()) as bed:
        envelope = await bed.send(echo=True)
        uid = bed.store(envelope.message)
        await bed.clock.advance(5)

        assert bed.kinds() == []
        assert bed.inbox.removed == [uid]


@pytest.mark.parametrize(
    "author", [b"user@example.org", b"MAILER-DAEMON@example.test.evil", b"a@example.test, b@x.test"]
)
async def test_an_answer_of_somebody_else_is_left_alone(author):
    async with running(echo_bed()) as bed:
        bed.store(answer_to(await bed.send(echo=True), author))
        await bed.clock.advance(5)

        assert bed.kinds() == []
        assert bed.inbox.removed == []


async def test_a_forged_answer_is_no_delivery():
    async with running(echo_bed()) as bed:
        envelope = await bed.send(echo=True)
        token = find_tokens(envelope.message)[0].encode()
        forged = token[:-8] + (b"AAAAAAAA" if not token.endswith(b"AAAAAAAA") else b"BBBBBBBB")
        bed.store(answer_to(envelope).replace(token, forged))
        await bed.clock.advance(5)

        assert bed.kinds() == []
        assert bed.inbox.removed == []


async def test_an_answer_is_no_delivery_of_an_ordinary_route_whose_mailbox_echoes_too():
    async with running(echo_bed()) as bed:
        other = RouteIdentity("other", "user@example.test", 86_400.0, "probe@example.test", ECHO)
        ordinary = RouteIdentity("r", "user@example.test", 86_400.0, "probe@example.test")
        bed.arrivals.routes = {hash_route("r"): ordinary, hash_route("other"): other}
        bed.store(answer_to(await bed.send()))
        await bed.clock.advance(5)

        assert bed.kinds() == []
        assert bed.inbox.removed == []


async def test_an_answer_in_another_mailbox_than_the_route_s_does_not_count():
    async with running(echo_bed()) as bed:
        bed.arrivals.routes = {
            hash_route("r"): RouteIdentity(
                "r",
                "user@example.test",
                86_400.0,
                "probe@example.test",
                EchoTerms("elsewhere", ("example.test",)),
            )
        }
        bed.store(answer_to(await bed.send(echo=True)))
        await bed.clock.advance(5)

        assert bed.kinds() == []


async def test_a_bounce_of_an_echo_route_is_a_bounce_though_it_quotes_everything():
    async with running(echo_bed()) as bed:
        bed.store(bounce_of(await bed.send(echo=True, bounce_mailbox="inbox")))
        await bed.clock.advance(5)

        assert bed.kinds() == [OutcomeKind.BOUNCED]


async def test_an_answer_to_a_probe_that_was_given_up_is_no_second_end():
    async with running(echo_bed()) as bed:
        envelope = await bed.send(echo=True, deadline=5, give_up_after=10)
        await bed.clock.advance(30)
        assert bed.kinds() == [OutcomeKind.LOST]
        uid = bed.store(answer_to(envelope))
        await bed.clock.advance(30)

        assert bed.kinds() == [OutcomeKind.LOST]
        assert bed.inbox.removed == [uid]


@pytest.mark.slow
async def test_an_orphan_is_swept_when_it_is_old_enough_and_not_before():
    earlier = Bed()
    envelope = await earlier.send()
    bed = Bed(clock=earlier.clock)
    uid = bed.store(envelope.message)
    async with running(bed):
        await bed.clock.advance(80_000)
        assert bed.inbox.removed == []
        await bed.clock.advance(20_000)

        assert bed.inbox.removed == [uid]
        assert bed.kinds() == []


async def test_the_message_of_another_daemon_with_the_same_key_is_counted_once_and_left_alone():
    other = Bed()
    envelope = await other.send()
    async with running(Bed(clock=other.clock)) as bed:
        uid = bed.store(envelope.message)
        await bed.clock.advance(5)
        bed.server.cut()
        await bed.clock.advance(1)
        bed.server.is_up = True
        await bed.clock.advance(600)

        assert bed.server.opened > 2
        assert len(bed.journal.of(StraySeen)) == 1
        assert bed.inbox.removed == []
        assert list(bed.inbox.messages) == [uid]


async def test_after_a_restart_a_judged_copy_is_only_deleted():
    """Killed between the record of the end and the deletion: the copy lies there still."""
    bed = Bed()
    async with running(bed):
        envelope = await bed.send()
        bed.ledger.discard = lambda location: None
        uid = bed.store(envelope.message)
        await bed.clock.advance(1)
        assert (bed.kinds(), bed.inbox.removed) == ([OutcomeKind.DELIVERED], [])
    again = Bed(bed.journal, bed.clock, bed.server)
    async with running(again):
        await again.clock.advance(1)

        assert again.journal.of(DuplicateSeen) == []
        assert again.inbox.removed == [uid]


async def test_after_a_restart_a_message_that_came_meanwhile_is_delivered_with_its_true_latency():
    bed = Bed()
    envelope = await bed.send()
    await bed.clock.advance(7)
    bed.store(envelope.message)
    await bed.clock.advance(20)
    again = Bed(bed.journal, bed.clock, bed.server)
    again.ledger.restore(await bed.journal.open_probes())
    async with running(again):
        await again.clock.advance(1)

        assert again.journal.outcomes()[0].delivery_seconds == pytest.approx(7.0, abs=2e-4)


async def test_foreign_mail_is_never_touched():
    async with running(Bed()) as bed:
        for number in range(300):
            bed.store(b"Subject: hello %d\r\nFrom: a@b.test\r\n\r\nbody\r\n" % number)
        bed.store(b"Subject: [smtp-probe " + TOKEN_PREFIX.encode() + b"nonsense] x\r\n\r\n\r\n")
        envelope = await bed.send()
        own = bed.store(envelope.message)
        await bed.clock.advance(5)

        assert bed.inbox.removed == [own]


@pytest.mark.parametrize("subject", [b"[Desk 4711] ", b"VL: ", b"(Fwd) ", b""])
async def test_somebody_else_s_mail_that_carries_our_subject_or_text_is_never_ours(subject):
    async with running(Bed()) as bed:
        envelope = await bed.send()
        ours = without(envelope.message, b"from", b"x-smtp-probe", b"message-id", b"auto-submitted")
        bed.store(
            b"From: human@elsewhere.test\r\nMessage-ID: <1@elsewhere.test>\r\n"
            + ours.replace(b"Subject: ", b"Subject: " + subject)
        )
        await bed.clock.advance(5)
        bed.store(envelope.message)
        await bed.clock.advance(5)

        assert bed.kinds() == [OutcomeKind.DELIVERED]
        assert bed.journal.of(DuplicateSeen) == []
        assert bed.inbox.removed == [2]


@pytest.mark.parametrize(
    "makes", [bounce_of, lambda envelope: without(envelope.message, b"x-smtp-probe", b"subject")]
)
async def test_what_came_while_we_were_gone_is_found_though_no_search_finds_it(makes):
    bed = Bed()
    envelope = await bed.send()
    await bed.clock.advance(7)
    for number in range(150):
        bed.store(b"Subject: foreign %d\r\n\r\n" % number)
    bed.store(makes(envelope))
    again = Bed(bed.journal, bed.clock, bed.server)
    again.ledger.restore(await bed.journal.open_probes())
    async with running(again):
        await again.clock.advance(1)

        assert again.kinds() in ([OutcomeKind.BOUNCED], [OutcomeKind.DELIVERED])


async def test_the_first_copy_of_a_probe_that_had_ended_is_no_duplicate():
    async with running(Bed()) as bed:
        envelope = await bed.send(deadline=10, give_up_after=20)
        await bed.clock.advance(60)
        assert bed.kinds() == [OutcomeKind.LOST]
        uid = bed.store(envelope.message)
        await bed.clock.advance(5)

        assert bed.journal.of(DuplicateSeen) == []
        assert bed.inbox.removed == [uid]


async def test_a_bounce_that_no_header_marks_as_an_answer_is_known_by_its_words():
    async with running(Bed()) as bed:
        envelope = await bed.send(deadline=600, give_up_after=6000)
        uid = bed.store(
            b"From: Postmaster <postmaster@mx.example.test>\r\nSubject: Delivery failure\r\n\r\n"
            b"Your message could not be delivered to:\r\n\r\nuser@example.test\r\n550 no such user\r\n\r\n"
            b"Original message follows.\r\n\r\n" + envelope.message
        )
        await bed.clock.advance(1)

        assert bed.kinds() == [OutcomeKind.BOUNCED]
        assert bed.journal.outcomes()[0].bounce.recipient == "user@example.test"
        assert bed.inbox.removed == [uid]


async def test_a_bounce_that_quotes_nothing_is_tied_by_the_address_that_it_came_to():
    async with running(Bed()) as bed:
        envelope = await bed.send(verp=True, deadline=600, give_up_after=6000)
        uid = bed.store(
            b"Return-Path: <>\r\nFrom: Postmaster <postmaster@mx.example.test>\r\nSubject: Delivery failure\r\n"
            b"To: " + envelope.sender.encode() + b"\r\n\r\n"
            b"Your message could not be delivered:\r\n\r\nuser@example.test\r\n552 mailbox full\r\n"
        )
        await bed.clock.advance(1)

        assert bed.kinds() == [OutcomeKind.BOUNCED]
        assert bed.journal.outcomes()[0].bounce.reason == "mailbox_full"
        assert bed.inbox.removed == [uid]


async def test_a_probe_of_a_postmaster_that_lost_its_marks_is_no_bounce():
    """Who writes as bounces do may be ourselves: where the words are no bounce's, it is a message as any other."""
    async with running(Bed()) as bed:
        bed.arrivals.routes = {
            hash_route("r"): RouteIdentity("r", "user@example.test", 86_400.0, "postmaster@example.test")
        }
        envelope = await bed.send()
        bare = without(envelope.message, b"from", b"x-smtp-probe", b"message-id")
        bed.store(b"From: postmaster@example.test\r\n" + bare)
        await bed.clock.advance(1)

        assert bed.kinds() == [OutcomeKind.DELIVERED]
