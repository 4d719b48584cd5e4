"""The bytes of a transaction, as they go over the wire."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.network.smtp_encoding import (
    encode_data,
    encode_xtext,
    mail_parameters,
    normalise_line_ends,
    rcpt_parameters,
)
from smtp_probe.ports import Envelope

HOSTILE = st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"a", b"\x00", b"\xff", b".."])).map(
    b"".join
)


def _decode_data(payload: bytes) -> bytes:
    """What a server makes of it, line by line (RFC 5321 section 4.5.2)."""
    lines = payload.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert b"." not in lines[:-2]
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:-2])


@given(HOSTILE)
def test_a_server_gets_back_what_was_given_and_sees_one_end(message: bytes) -> None:
    normal = normalise_line_ends(message)
    payload = encode_data(normal)
    assert _decode_data(payload) == normal
    assert payload.count(b"\r\n.\r\n") + payload.startswith(b".\r\n") == 1


@given(HOSTILE)
def test_no_bare_line_end_is_left(message: bytes) -> None:
    normal = normalise_line_ends(message)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", normal)
    assert normal.endswith(b"\r\n")
    assert normalise_line_ends(normal) == normal


@given(st.text())
def test_xtext_can_be_read_back(text: str) -> None:
    encoded = encode_xtext(text)
    assert re.fullmatch(rb"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*", encoded)
    decoded = re.sub(rb"\+([0-9A-F]{2})", lambda match: bytes.fromhex(match[1].decode()), encoded)
    assert decoded == text.encode("utf-8")


def _envelope(**changes: str) -> Envelope:
    texts = {"sender": "a@b.test", "recipient": "c@d.test", "envid": "tag", **changes}
    return Envelope(**texts, message=b"")


@pytest.mark.parametrize(
    ("offered", "message", "expected"),
    [
        (set(), b"plain\r\n", []),
        ({"size"}, b"plain\r\n", [b"SIZE=7"]),
        ({"8bitmime"}, b"plain\r\n", []),
        ({"8bitmime"}, b"\xc3\xa4\r\n", [b"BODY=8BITMIME"]),
        (set(), b"\xc3\xa4\r\n", []),
        ({"dsn"}, b"plain\r\n", [b"ENVID=tag"]),
    ],
)
def test_parameters_of_mail(offered: set[str], message: bytes, expected: list[bytes]) -> None:
    assert mail_parameters(_envelope(), message, offered) == expected


def test_identity_that_is_too_long_for_its_parameter_is_left_out() -> None:
    assert mail_parameters(_envelope(envid="x" * 101), b"", {"dsn"}) == []
    assert mail_parameters(_envelope(envid=""), b"", {"dsn"}) == []
    assert rcpt_parameters(_envelope(recipient="+" * 200 + "@d.test"), {"dsn"}) == [b"NOTIFY=FAILURE,DELAY"]


def test_parameters_of_rcpt() -> None:
    assert rcpt_parameters(_envelope(), set()) == []
    assert rcpt_parameters(_envelope(), {"dsn"}) == [b"NOTIFY=FAILURE,DELAY", b"ORCPT=rfc822;c@d.test"]
