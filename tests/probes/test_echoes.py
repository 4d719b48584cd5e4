"""What is an answer and what is none, before anybody asks for its signature."""

from __future__ import annotations

from smtp_probe.mail.trace import read_trace
from smtp_probe.model import Alteration, Arrival, Echo, Location, MailboxMessage, Placement, Stamp
from smtp_probe.probes.echoes import as_answer, read_echo
from tests.mail.test_answer import BUILT, TAG, TIES

LOCATION = Location(mailbox="m", folder="INBOX", uidvalidity=1, uid=1)


def message(header):
    return MailboxMessage(location=LOCATION, placement=Placement.INBOX, seen_ns=1, header=header)


def test_what_quotes_nothing_or_is_a_bounce_is_no_answer():
    header, body = TIES["in reply to"]
    assert read_echo(message(header), body) is not None
    assert read_echo(message(header.replace(TAG.token.encode(), b"x")), body) is None
    bounce = header.replace(b"Subject: Re: something", b"Subject: Undelivered Mail").replace(
        b"From: User <user@example.net>", b"From: MAILER-DAEMON@example.net"
    )
    assert read_echo(message(bounce), b"<user@example.net>: host mx said: 550 5.1.1 no such user\r\n") is None


def test_of_an_answer_nothing_is_said_about_our_own_body():
    header, body = TIES["attached message"]
    answer = read_echo(message(header), body)
    assert answer is not None
    arrival = Arrival(
        location=LOCATION, placement=Placement.INBOX, seen_ns=1, stored_ns=1, stamp=Stamp.SEEN,
        stamp_resolution_seconds=1e-9, trace=read_trace(header), corrupted=True, alterations=(Alteration.BODY,),
    )  # fmt: skip
    made = as_answer(arrival, answer, TAG.token, header)
    assert (made.corrupted, made.alterations, made.echo) == (None, (), Echo(outbound_hops=2))
    assert len(made.trace.hops) == 3
    assert as_answer(arrival, answer, BUILT.message_id, header).echo == Echo(outbound_hops=0)
