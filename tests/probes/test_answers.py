"""Whatever is sent in answer is never a delivery, though it quotes our subject, body and headers, and comes from a list."""

from __future__ import annotations

from email.header import Header

import pytest

from smtp_probe.mail.tag import find_tokens
from smtp_probe.model import ForgerySeen, OutcomeKind
from tests.probes.test_arrivals import Bed, running

BOUNDARY = b'boundary="b"\r\n'


def subject(envelope):
    return b"[smtp-probe " + find_tokens(envelope.message)[0].encode() + b"] delivery test"


def quote(envelope):
    return b"".join(b"> " + line + b"\r\n" for line in envelope.message.split(b"\r\n"))


def attach(envelope):
    return b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + envelope.message + b"\r\n--b--\r\n"


def vacation(envelope):
    """RFC 3834, by Sieve."""
    return (
        b"From: user@example.test\r\nAuto-Submitted: auto-replied (vacation)\r\nSubject: Auto: " + subject(envelope)
        + b"\r\nIn-Reply-To: <" + envelope.envid.encode() + b"@example.test>\r\n\r\nI am away.\r\n" + quote(envelope)
    )  # fmt: skip


def out_of_office(envelope):
    """Of a program that marks nothing, and sends our text back as it is."""
    return (
        b"From: user@example.test\r\nSubject: Out of office: " + subject(envelope) + b"\r\n\r\nI am away.\r\n"
        + envelope.message.partition(b"\r\n\r\n")[2]
    )  # fmt: skip


def read_receipt(envelope):
    """RFC 8098, with the whole message."""
    return (
        b"From: user@example.test\r\nSubject: Read: " + subject(envelope)
        + b"\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=disposition-notification; " + BOUNDARY
        + b"\r\n--b\r\n\r\nIt was displayed.\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\n"
        b"Final-Recipient: rfc822; user@example.test\r\nOriginal-Message-ID: <" + envelope.envid.encode()
        + b"@example.test>\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n" + attach(envelope)
    )  # fmt: skip


def challenge(envelope):
    """A filter that wants to know whether the sender is a person. It has a Return-Path of its own."""
    return (
        b"Return-Path: <confirm-1234@example.test>\r\nFrom: Confirmation <confirm-1234@example.test>\r\n"
        b"Subject: Please confirm: " + subject(envelope) + b"\r\nPrecedence: bulk\r\n\r\n"
        b"Answer this mail to have yours delivered:\r\n" + envelope.message
    )  # fmt: skip


def ticket(envelope):
    """The receipt of a ticket system, which keeps our headers of use and the text unquoted."""
    return (
        b"From: Support <support@example.test>\r\nSubject: [Ticket#2026090110] " + subject(envelope)
        + b"\r\nX-Mailer: ticket system\r\nPrecedence: bulk\r\n\r\nYour request was received.\r\n\r\n"
        + envelope.message.partition(b"\r\n\r\n")[2]
    )  # fmt: skip


def ticket_by_robot(envelope):
    return ticket(envelope).replace(b"Precedence: bulk", b"Auto-Submitted: auto-replied")


def held_by_list(envelope):
    """A list that wants a moderator to look at it first."""
    return (
        b"From: list-bounces@example.test\r\nSender: list-bounces@example.test\r\nSubject: Your message to List awaits "
        b"moderator approval\r\nX-List-Administrivia: yes\r\nList-Id: <list.example.test>\r\nPrecedence: bulk\r\n\r\n"
        b"Your mail to 'List' with the subject\r\n\r\n    " + subject(envelope) + b"\r\n\r\nis being held.\r\n"
    )  # fmt: skip


def bounce_by_list(envelope):
    """A member's bounce that a list hands on, with the message in it, but not of our recipient's server."""
    return (
        b"From: mailman@example.test\r\nSender: list-bounces@example.test\r\nSubject: Bounce action notification\r\n"
        b"List-Id: <list.example.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; " + BOUNDARY
        + b"\r\n--b\r\n\r\nThis is a bounce action notice.\r\n" + attach(envelope)
    )  # fmt: skip


def forwarded(envelope):
    """A person who sends it on as an attachment."""
    return (
        b"From: user@example.test\r\nSubject: what is this?\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
        + BOUNDARY + b"\r\n--b\r\n\r\nSee below.\r\n" + attach(envelope)
    )  # fmt: skip


ANSWERS = (
    vacation,
    out_of_office,
    read_receipt,
    challenge,
    ticket,
    ticket_by_robot,
    held_by_list,
    bounce_by_list,
    forwarded,
)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.__name__)
async def test_an_answer_is_never_a_delivery_and_never_deleted(answer):
    async with running(Bed()) as bed:
        envelope = await bed.send()
        uid = bed.store(answer(envelope))
        await bed.clock.advance(5)

        assert bed.kinds() == []
        assert uid in bed.inbox.messages
        assert bed.journal.of(ForgerySeen) == []

        bed.store(envelope.message)
        await bed.clock.advance(5)
        assert bed.kinds() == [OutcomeKind.DELIVERED]
        assert uid in bed.inbox.messages


OWN_ANSWERS = (
    "Automaattinen vastaus", "Autosvar", "Frånvarande", "Odpowiedź automatyczna", "Автоматический ответ", "自動返信", "자동 회신",
    "Leído", "Odczytano", "Прочитано", "Doorgestuurd", "Απάντηση", "תגובה", "Ticket 5 opened",
)  # fmt: skip


@pytest.mark.parametrize("with_text", [True, False], ids=["with our text", "without"])
@pytest.mark.parametrize("words", OWN_ANSWERS)
async def test_an_answer_from_our_own_address_is_no_delivery_in_whatever_language(words, with_text):
    """A route to oneself: the answering program writes in the sender's name, and marks nothing."""
    async with running(Bed()) as bed:
        envelope = await bed.send()
        head, _, text = envelope.message.partition(b"\r\n\r\n")
        author = next(line for line in head.split(b"\r\n") if line.startswith(b"From:"))
        title = Header(words + ":", "utf-8").encode().encode() + b" " + subject(envelope)
        bed.store(
            author + b"\r\nSubject: " + title + b"\r\n\r\nI am away.\r\n\r\n" + (text if with_text else b"")
        )
        await bed.clock.advance(5)
        assert bed.kinds() == []


@pytest.mark.parametrize("title", [b"[EXTERNAL] ", b"SPAM: ", b"***Spam*** ", b"Suspected spam: ", b""])
async def test_our_message_that_a_gateway_took_the_marks_of_is_a_delivery(title):
    async with running(Bed()) as bed:
        envelope = await bed.send()
        head, _, text = envelope.message.partition(b"\r\n\r\n")
        author = next(line for line in head.split(b"\r\n") if line.startswith(b"From:"))
        bed.store(
            author + b"\r\nSubject: " + title + subject(envelope) + b"\r\nMessage-ID: <1@gw>\r\n\r\n" + text
        )
        await bed.clock.advance(5)
        assert bed.kinds() == [OutcomeKind.DELIVERED]
