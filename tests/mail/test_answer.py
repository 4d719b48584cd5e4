"""Answers as responders write them: what they quote, and of whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.answer import join_traces, read_answer
from smtp_probe.mail.message import Draft, build_message
from smtp_probe.mail.tag import TagKey, make_tag

TAG = make_tag((TagKey(b"k" * 32),), "r", 1, 1_795_000_000_000, "user@example.net")
BUILT = build_message(
    Draft(
        tag=TAG, route="r", sender="probe@example.test", recipient="user@example.net", created_ns=1, wants_answer=True
    )
)  # fmt: skip
OUT = (
    b"Received: from relay.example.test by mx.example.net with ESMTP id B; Thu, 18 Nov 2026 09:20:03 +0000\r\n"
    b"Received: from prober by relay.example.test with ESMTP id A;\r\n Thu, 18 Nov 2026 09:20:02 +0000\r\n"
)
BACK = (
    b"Received: from mx.example.net by imap.example.test with LMTP id C; Thu, 18 Nov 2026 09:20:05 +0000\r\n"
)
ORIGINAL = OUT + BUILT.message
HEAD, _, BODY = ORIGINAL.partition(b"\r\n\r\n")


def answer(subject=b"Re: something", extra=b"", body=b"I am away.\r\n", author=b"User <user@example.net>"):
    return (
        BACK + b"From: " + author + b"\r\nTo: probe@example.test\r\nSubject: " + subject + b"\r\n" + extra,
        body,
    )


def quoted(mark, text):
    return b"".join(mark + line + b"\r\n" for line in text.split(b"\r\n"))


def multipart(kind, content):
    extra = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n'
    body = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n--b\r\nContent-Type: "
        + kind
        + b"\r\n\r\n"
        + content
        + b"\r\n--b--\r\n"
    )
    return answer(extra=extra, body=body)


def test_a_message_that_wants_an_answer_keeps_no_responder_quiet():
    assert b"Auto-Submitted" not in BUILT.message
    assert b"X-Auto-Response-Suppress" not in BUILT.message


TIES = {
    "in reply to": answer(extra=b"In-Reply-To: " + BUILT.message_id.encode() + b"\r\n"),
    "references": answer(extra=b"References: <a@b> " + BUILT.message_id.encode() + b"\r\n"),
    "subject": answer(subject=b"Auto: [smtp-probe " + TAG.token.encode() + b"] delivery test"),
    "quoted body": answer(body=b"You wrote:\r\n" + quoted(b"> ", BODY)),
    "quoted header": answer(body=quoted(b"> ", HEAD)),
    "attached message": multipart(b"message/rfc822", ORIGINAL),
    "attached header": multipart(b"text/rfc822-headers", HEAD),
}


@pytest.mark.parametrize("tie", TIES)
def test_an_answer_is_tied_by_what_it_quotes(tie):
    read = read_answer(*TIES[tie])
    assert [each.token for each in read.candidates] == [TAG.token]
    assert not read.is_original
    assert read.author == "user@example.net"


QUOTING = {
    "attached message": multipart(b"message/rfc822", ORIGINAL),
    "attached header": multipart(b"text/rfc822-headers", HEAD),
    "quoted in text": answer(body=b"You wrote:\r\n\r\n" + quoted(b"> ", ORIGINAL) + b"\r\nBye\r\n"),
    "quoted twice": answer(body=quoted(b">> ", ORIGINAL)),
    "quoted without blanks": answer(body=quoted(b">", ORIGINAL)),
    "plain text": answer(body=b"Your header was:\r\n" + HEAD + b"\r\n\r\nBye\r\n"),
    "indented": answer(body=b"Original:\r\n" + quoted(b"| ", HEAD)),
}


@pytest.mark.parametrize("form", QUOTING)
def test_the_way_there_is_read_from_the_quoted_lines(form):
    header, body = QUOTING[form]
    there = read_answer(header, body).quoted_header(TAG.token)
    trace, outbound = join_traces(there, header)
    assert outbound == 2
    assert [hop.by for hop in trace.hops] == ["relay.example.test", "mx.example.net", "imap.example.test"]
    assert [each.delay_seconds for each in trace.delays] == [None, 1.0, 2.0]


def test_received_lines_of_another_message_are_not_the_way_there():
    header, body = answer(
        extra=b"In-Reply-To: " + BUILT.message_id.encode() + b"\r\n", body=OUT + b"Subject: other\r\n"
    )
    assert read_answer(header, body).quoted_header(TAG.token) is None
    trace, outbound = join_traces(None, header)
    assert (len(trace.hops), outbound) == (1, 0)


def test_our_own_message_is_no_answer_to_itself():
    assert read_answer(HEAD, BODY).is_original
    assert not read_answer(b"Auto-Submitted: auto-replied\r\n" + HEAD, BODY).is_original


@pytest.mark.parametrize(
    ("author", "wanted", "fits"),
    [
        (b"User <user@example.net>", ["example.net"], True),
        (b"user@MX.example.NET", ["example.net"], True),
        (b"user@example.net (User)", ["user@example.net"], True),
        (b'"a@b, c" <user@example.net>', ["USER@example.net"], True),
        (b"other@example.net", ["user@example.net"], False),
        (b"user@badexample.net", ["example.net"], False),
        (b"user@example.net.evil", ["example.net"], False),
        (b"<>", ["example.net"], False),
        (b"nobody", ["example.net", ""], False),
    ],
)
def test_who_answered_is_compared_whole(author, wanted, fits):
    assert read_answer(*answer(author=author)).is_from(wanted) is fits


def test_two_authors_are_none():
    header, body = answer(extra=b"From: evil@example.org\r\n")
    assert read_answer(header, body).author == ""


@given(st.binary(max_size=3000), st.binary(max_size=3000))
def test_nothing_raises(header, body):
    read = read_answer(header, body)
    join_traces(read.quoted_header("x"), header)


def test_a_hostile_text_is_read_in_linear_time():
    header, _ = answer()
    for text in (
        b"> " * 200_000,
        b"Received:" * 40_000,
        b">\r\n> Received: x\r\n" * 40_000,
        b" >" * 200_000 + b"Received:",
    ):
        read_answer(header, text)
