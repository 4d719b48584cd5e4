"""The message of a probe is clean, says what it is, has its size, and its body proves itself."""

from __future__ import annotations

import base64
import email.policy
import quopri
import re
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.message import Draft, build_message, check_body
from smtp_probe.mail.tag import TagKey, find_tokens, make_tag

TAG = make_tag([TagKey(b"k" * 32)], "office-to-gmail", 7, 1_795_000_000_123, "probe@example.net")
CREATED_NS = 1_795_000_000_123_456_789


def build(**changes):
    fields: dict[str, Any] = {
        "tag": TAG,
        "route": "office-to-gmail",
        "sender": "bounces@example.org",
        "author": "Mail probe <postmaster@example.org>",
        "recipient": "probe@example.net",
        "created_ns": CREATED_NS,
        "size_bytes": 2048,
    }
    return build_message(Draft(**(fields | changes)))


def body_of(built):
    return built.message.partition(b"\r\n\r\n")[2]


def test_the_headers_are_those_of_a_test_message():
    message = email.message_from_bytes(build().message, policy=email.policy.default)
    assert message.defects == []
    assert message["From"] == "Mail probe <postmaster@example.org>"
    assert message["To"] == "probe@example.net"
    assert message["Subject"] == f"[smtp-probe {TAG.token}] delivery test"
    assert message["Message-ID"] == f"<{TAG.token}@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Content-Transfer-Encoding"] == "7bit"
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "us-ascii"
    assert message["Precedence"] is None
    assert parsedate_to_datetime(message["Date"]).timestamp() == CREATED_NS // 10**9


def test_the_own_header_carries_version_token_and_digest():
    built = build()
    value = email.message_from_bytes(built.message)["X-SMTP-Probe"].replace("\r\n", "")
    assert value == f"v=1; t={TAG.token}; d={built.body_digest}"
    assert re.fullmatch("sha256:[0-9a-f]{16}", built.body_digest)


def test_the_envelope_gets_what_it_needs():
    built = build()
    assert built.envid == TAG.token
    assert built.message_id == f"<{TAG.token}@example.org>"
    assert built.recipient == "probe@example.net"


def test_a_plus_address_goes_to_envelope_and_header():
    built = build(plus_address=True)
    assert built.recipient == f"probe+{TAG.token[5:]}@example.net"
    assert f"To: {built.recipient}\r\n".encode() in built.message


def test_the_body_tells_a_person_what_it_is():
    body = body_of(build()).decode("ascii")
    assert "test message" in body
    assert "Route: office-to-gmail" in body
    assert f"Token: {TAG.token}" in body
    assert "Who to ask: postmaster@example.org" in body
    assert "can be deleted" in body


def test_without_an_author_the_sender_is_named():
    assert b"From: bounces@example.org\r\n" in build(author=None).message


@given(st.integers(0, 6000))
def test_the_message_has_the_size_asked_for_and_only_clean_lines(size):
    message = build(size_bytes=size).message
    least = len(build(size_bytes=0).message)
    assert len(message) in {max(size, least), max(size, least) + (size - least == 1)}
    assert message.isascii()
    assert b"\0" not in message
    lines = message.split(b"\r\n")
    assert lines[-1] == b""
    assert all(b"\r" not in line and b"\n" not in line for line in lines)
    assert all(len(line) <= 78 for line in lines if not line.startswith(b"Message-ID:"))
    body = body_of(build(size_bytes=size)).split(b"\r\n")
    assert all(len(line) <= 76 for line in body)
    assert all(line == line.rstrip() for line in body)
    assert not any(line.startswith((b".", b"From ")) for line in body)
    assert check_body(build(size_bytes=size).body_digest, b"\r\n".join(body)) is True


def test_a_large_message_is_exact():
    assert len(build(size_bytes=10_485_760).message) == 10_485_760


def test_long_names_stay_under_the_hard_limit():
    built = build(
        sender="a@" + "d" * 63 + ".example",
        author="ü" * 300 + " <" + "l" * 64 + "@" + "e" * 180 + ".example>",
        route="r" * 63,
    )
    assert max(map(len, built.message.split(b"\r\n"))) <= 998


def test_quoted_printable_leaves_the_body_as_it_is():
    body = body_of(build())
    assert quopri.encodestring(body.replace(b"\r\n", b"\n")) == body.replace(b"\r\n", b"\n")


def test_the_same_draft_gives_the_same_bytes():
    assert build().message == build().message


@pytest.mark.parametrize(
    "changes",
    [
        {"author": "Evil\r\nBcc: x@example.com <a@b>"},
        {"sender": "a@b\r\nRCPT TO:<x@y>"},
        {"sender": "nobody"},
        {"author": "Probe <Mailer-Daemon@example.org>"},
        {"author": None, "sender": "mailer-daemon@example.org"},
        {"recipient": "a@b\n"},
        {"recipient": "é@b"},
        {"route": "r\r\n.\r\n"},
        {"plus_address": True, "recipient": "much-too-long-for-a-tag@example.net"},
    ],
)
def test_values_that_would_break_the_message_are_refused(changes):
    with pytest.raises(ValueError):
        build(**changes)


def test_the_token_is_not_shown_by_accident():
    assert TAG.token not in repr(build())


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body,
        lambda body: body.replace(b"\r\n", b"\n"),
        lambda body: body.replace(b"\r\n", b"  \t\r\n"),
        lambda body: body + b"\r\n\r\n\r\n",
        lambda body: body.rstrip(),
        lambda body: b"CAUTION: external mail\r\n\r\n" + body,
        lambda body: body + b"\r\n-- \r\nConfidential.\r\n",
        lambda body: b"--b\r\nContent-Type: text/plain\r\n\r\n" + body + b"\r\n--b--\r\n",
        lambda body: quopri.encodestring(body.replace(b"\r\n", b"\n")),
    ],
    ids=["none", "lf", "blanks", "blank-lines", "stripped", "banner", "disclaimer", "multipart", "qp"],
)
def test_harmless_changes_on_the_way_are_no_corruption(change):
    built = build()
    assert check_body(built.body_digest, change(body_of(built))) is True


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b"test message.", b"test massage."),
        lambda body: body.replace(b"Route:", b" Route:"),
        lambda body: body.replace(b"\r\n", b"\r\n\r\n"),
        lambda body: body.replace(b"These", b"\xd4hese").replace(b"They", b"\xd4hey"),
        lambda body: body.replace(b"They carry", b""),
    ],
    ids=["letter", "indent", "doubled", "bit", "hole"],
)
def test_true_changes_are_corruption(change):
    built = build()
    assert check_body(built.body_digest, change(body_of(built))) is False


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body[:-10],
        lambda body: body[:600],
        lambda body: b"",
        base64.encodebytes,
        lambda body: body[40:],
    ],
    ids=["no-end", "cut", "nothing", "base64", "no-begin"],
)
def test_a_body_that_is_not_whole_cannot_be_told(change):
    built = build()
    assert check_body(built.body_digest, change(body_of(built))) is None


@pytest.mark.parametrize("digest", ["", "sha256:", "md5:0123456789abcdef", "sha256:0123456789ABCDEF", "é"])
def test_a_strange_digest_cannot_be_told(digest):
    assert check_body(digest, body_of(build())) is None


@given(st.binary(), st.text())
def test_checking_never_raises(text, digest):
    check_body(digest, text)
    check_body("sha256:0123456789abcdef", text)


def test_every_carrier_holds_the_token():
    header, _, body = build(plus_address=True).message.partition(b"\r\n\r\n")
    for name in (b"Subject", b"Message-ID", b"X-SMTP-Probe"):
        (value,) = re.findall(rb"(?m)^" + name + rb":(.*(?:\r\n .*)*)", header)
        assert find_tokens(value) == (TAG.token,)
    assert find_tokens(body) == (TAG.token,)
