"""What ties a bounce to its probe: each of the carriers alone is enough, and forged it ties nothing."""

from __future__ import annotations

import pytest

from smtp_probe.mail.tag import TOKEN_PREFIX, find_tokens, peek
from smtp_probe.model import BounceSeen, OutcomeKind
from tests.probes.test_arrivals import Bed, running

FORMS = {
    "dsn": (
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n%(header)s\r\n"
        b"--b\r\n\r\nIt failed. %(words)s\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; mx.example.test\r\n%(of_message)s\r\n"
        b"Final-Recipient: rfc822; user@example.test\r\n%(of_recipient)sAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: hello\r\n%(returned)s\r\n--b--\r\n"
    ),
    "prose": (
        b"Content-Type: text/plain\r\n%(header)s\r\n"
        b"Hi. This is the qmail-send program at mx.example.test.\r\n\r\n<user@example.test>:\r\n550 5.1.1 No such user\r\n"
        b"%(words)s\r\n--- Below this line is a copy of the message.\r\n\r\nSubject: hello\r\n%(returned)s\r\n"
    ),
}
CARRIERS = {
    "envid": ("of_message", b"Original-Envelope-Id: %(token)s\r\n", ["dsn"]),
    "original recipient": (
        "of_recipient",
        b"Original-Recipient: rfc822; user+%(tag)s@example.test\r\n",
        ["dsn"],
    ),
    "returned Message-ID": ("returned", b"Message-ID: <%(token)s@example.test>\r\n", ["dsn", "prose"]),
    "returned header of ours": ("returned", b"X-SMTP-Probe: %(token)s\r\n", ["dsn", "prose"]),
    "verp, To": ("header", b"To: probe+%(tag)s@example.test\r\n", ["dsn", "prose"]),
    "verp, Delivered-To": ("header", b"Delivered-To: probe+%(tag)s@example.test\r\n", ["dsn", "prose"]),
    "verp, X-Original-To": ("header", b"X-Original-To: probe+%(tag)s@example.test\r\n", ["dsn", "prose"]),
    "tagged recipient in the words": ("words", b"user+%(tag)s@example.test\r\n", ["dsn", "prose"]),
    "In-Reply-To": ("header", b"In-Reply-To: <%(token)s@example.test>\r\n", ["dsn", "prose"]),
    "References": ("header", b"References: <%(token)s@example.test>\r\n", ["dsn", "prose"]),
}
CASES = [(name, form) for name, (_, _, forms) in CARRIERS.items() for form in forms]


def bounce(name, form, token):
    """A bounce in which this carrier alone names the message."""
    place, text, _ = CARRIERS[name]
    places = dict.fromkeys((b"header", b"words", b"of_message", b"of_recipient", b"returned"), b"")
    places[place.encode()] = text % {b"token": token, b"tag": token.removeprefix(TOKEN_PREFIX.encode())}
    head = b"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.test\r\nSubject: failure notice\r\nMIME-Version: 1.0\r\n"
    return head + FORMS[form] % places


def token_of(envelope):
    return find_tokens(envelope.message)[0].encode()


def probe_of(envelope):
    claim = peek(token_of(envelope).decode())
    return claim.probe_id if claim is not None else None


def forge(token):
    """The same claim under another signature."""
    return token[:-8] + (b"a" * 8 if token[-8:] != b"a" * 8 else b"b" * 8)


@pytest.mark.parametrize(("name", "form"), CASES)
async def test_each_carrier_alone_ends_its_probe_and_no_other(name, form):
    async with running(Bed()) as bed:
        await bed.send(deadline=600, give_up_after=6000)
        envelope = await bed.send(deadline=600, give_up_after=6000)
        uid = bed.inbox.put(bounce(name, form, token_of(envelope)))
        await bed.clock.advance(1)

        assert bed.kinds() == [OutcomeKind.BOUNCED]
        assert bed.journal.outcomes()[0].probe.probe_id == probe_of(envelope)
        assert bed.inbox.removed == [uid]


@pytest.mark.parametrize(("name", "form"), CASES)
async def test_a_forged_carrier_ties_nothing(name, form):
    async with running(Bed()) as bed:
        envelope = await bed.send(deadline=600, give_up_after=6000)
        uid = bed.inbox.put(bounce(name, form, forge(token_of(envelope))))
        await bed.clock.advance(1)

        assert bed.kinds() == []
        assert bed.journal.of(BounceSeen) == []
        assert uid in bed.inbox.messages
