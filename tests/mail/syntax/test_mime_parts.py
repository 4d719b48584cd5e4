"""MIME messages are taken apart without recursion and without trust."""

from __future__ import annotations

import base64
import email
import time
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.syntax.mime_parts import (
    MAX_PARTS,
    parse_content_type,
    read_texts,
    split_head,
    split_parts,
)

MIXED = b'Content-Type: multipart/mixed; boundary="b"\r\n'


@pytest.mark.parametrize(
    ("value", "media_type", "parameters"),
    [
        (b"text/plain", "text/plain", {}),
        (b"Text/HTML; Charset=UTF-8", "text/html", {"charset": b"UTF-8"}),
        (
            b'multipart/report; report-type=delivery-status; boundary="a;b=\\"c"',
            "multipart/report",
            {"report-type": b"delivery-status", "boundary": b'a;b="c'},
        ),
        (b'multipart/mixed;boundary="   1/host"', "multipart/mixed", {"boundary": b"   1/host"}),
        (b"a/b; x=1; X=2", "a/b", {"x": b"1"}),
        (b"", "text/plain", {}),
        (b"nonsense; boundary=x", "text/plain", {"boundary": b"x"}),
    ],
)
def test_a_content_type_is_read(value, media_type, parameters):
    assert parse_content_type(value) == (media_type, parameters)


def test_a_plain_message_is_its_own_part():
    assert split_parts(b"Subject: x\r\n", b"body") == (("text/plain", b"Subject: x\r\n", b"body"),)


def test_the_leaves_of_what_the_standard_library_builds_come_in_order():
    message = EmailMessage()
    message.set_content("grüße\n" * 50, cte="quoted-printable")
    message.add_alternative("<p>grüße</p>", subtype="html", cte="base64")
    attached = EmailMessage()
    attached.set_content("inner")
    message.add_attachment(attached)
    header, text = split_head(message.as_bytes().replace(b"\n", b"\r\n"))
    parts = split_parts(header, text)
    assert [part.media_type for part in parts] == ["text/plain", "text/html", "message/rfc822"]
    assert parts[0].body.decode().split() == ["grüße"] * 50
    assert parts[1].body.decode().strip() == "<p>grüße</p>"
    assert b"inner" in parts[2].body
    assert b"inner" not in read_texts(header, text)
    assert "grüße".encode() in read_texts(header, text)


def test_line_ends_of_any_kind_and_preamble_and_epilogue():
    text = b"preamble\n--b \t\n\none\n--b\r\nContent-Type: a/b\r\n\r\ntwo\r\n--bb\r\n--b--\nepilogue\n--b\n\nmore"
    assert [(p.media_type, p.body.strip()) for p in split_parts(MIXED, text)] == [
        ("text/plain", b"one"),
        ("a/b", b"two\r\n--bb"),
    ]


def test_a_message_that_was_cut_gives_what_is_there():
    assert [part.body for part in split_parts(MIXED, b"--b\n\none\n--b\nContent-Type: a/b\n\ntw")] == [
        b"one\n",
        b"tw",
    ]


@pytest.mark.parametrize("missing", range(6))
def test_a_base64_that_was_cut_gives_its_whole_bytes(missing):
    encoded = base64.b64encode(b"twelve bytes and some more")
    header = b"Content-Transfer-Encoding: BASE64\r\n"
    body = split_parts(header, encoded[: len(encoded) - missing])[0].body
    assert b"twelve bytes and some more".startswith(body)
    assert len(body) >= 22


def test_deep_nesting_neither_recurses_nor_takes_long():
    depth = 5000
    text = b"".join(
        b'--b%d\nContent-Type: multipart/mixed; boundary="b%d"\n\n' % (n, n + 1) for n in range(depth)
    )
    header = b'Content-Type: multipart/mixed; boundary="b0"\n'
    started = time.process_time()
    parts = split_parts(header, text)
    assert time.process_time() - started < 1
    assert [part.media_type for part in parts] == ["multipart/mixed"]


def test_many_parts_are_bounded():
    assert len(split_parts(MIXED, b"--b\n\nx\n" * 10_000)) == MAX_PARTS


@pytest.mark.parametrize(
    "text",
    [
        b"--b" * 100_000,
        b"--b\n" * 60_000,
        b"--b \t" * 60_000,
        b"\r\n" * 100_000,
        b"--b\r" * 60_000,
        b"-" * 250_000,
    ],
    ids=["run", "lines", "blanks", "empty", "bare-cr", "dashes"],
)
def test_hostile_bodies_are_linear(text):
    started = time.process_time()
    split_parts(MIXED, text)
    assert time.process_time() - started < 1


def test_hostile_content_types_are_linear():
    started = time.process_time()
    for piece in (b";", b'; a="', b"; a=", b'; a="\\', b"a/", b"; "):
        parse_content_type(b"a/b" + piece * (16_384 // len(piece)))
    assert time.process_time() - started < 1


@given(st.binary(), st.binary())
def test_nothing_raises(header, text):
    split_parts(header, text)
    split_parts(MIXED + header, text.replace(b"A", b"\n--b\n"))
    split_parts(b"Content-Transfer-Encoding: base64\r\n", text)
    split_parts(b"Content-Transfer-Encoding: quoted-printable\r\n", text)


@given(st.binary(max_size=200))
def test_base64_is_decoded_as_the_standard_library_encodes_it(data):
    header = b"Content-Transfer-Encoding: base64\r\n"
    assert split_parts(header, base64.encodebytes(data))[0].body == data


def test_the_head_ends_at_the_first_empty_line():
    assert split_head(b"a: b\r\n\r\nc\r\n\r\nd") == (b"a: b", b"c\r\n\r\nd")
    assert split_head(b"\nbody") == (b"", b"body")
    assert split_head(b"a: b") == (b"a: b", b"")
    assert email.message_from_bytes(b"\nbody").get_payload() == "body"
