"""A raw header section falls into its fields, whatever it is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.syntax.fields import MAX_FIELDS, MAX_HEADER_BYTES, MAX_VALUE_BYTES, split_fields


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"Subject: a\r\nTo: b\r\n\r\nbody: c\r\n", (("subject", b"a"), ("to", b"b"))),
        (b"Received: one\r\n\ttwo\r\n three\r\nTo: b\r\n", (("received", b"one\ttwo three"), ("to", b"b"))),
        (b"Received: one\n two\nTo: b\n\nbody: c", (("received", b"one two"), ("to", b"b"))),
        (b"RECEIVED : old spelling\r\n", (("received", b"old spelling"),)),
        (b"X:\r\n folded from the first line\r\n", (("x", b"folded from the first line"),)),
        (b"A: 1\r\n \r\n 2\r\nB: 3\r\n", (("a", b"1  2"), ("b", b"3"))),
        (b"From someone Tue Sep  1 08:00:00 2026\nA: 1\n", (("a", b"1"),)),
        (b"no field at all\r\n and its continuation: x\r\nA: 1\r\n", (("a", b"1"),)),
        (b" begins with white space: x\r\nA: 1\r\n", (("a", b"1"),)),
        (b"A: \xff\x00\r\n", (("a", b"\xff\x00"),)),
        (b"A: 1", (("a", b"1"),)),
        (b": no name\r\nA: 1\r\n", (("a", b"1"),)),
        (b"\xc3\xa4: no ASCII name\r\nA: 1\r\n", (("a", b"1"),)),
        (b"", ()),
        (b"\r\nA: in the body\r\n", ()),
    ],
)
def test_fields_keep_their_order_and_lose_their_folds(header, expected):
    assert split_fields(header) == expected


def test_the_number_of_fields_and_the_length_of_a_value_are_bounded():
    fields = split_fields(b"A: " + b"x" * 30_000 + b"\r\n" + b"B: 1\r\n" * (MAX_FIELDS + 10))

    assert len(fields) == MAX_FIELDS
    assert fields[0] == ("a", b"x" * MAX_VALUE_BYTES)


def test_bytes_beyond_the_limit_are_not_looked_at():
    line = b"A: " + b"x" * 995 + b"\r\n"

    assert len(split_fields(line * 900)) == MAX_HEADER_BYTES // len(line) + 1


@given(st.binary(max_size=3000))
def test_never_raises_and_never_invents(header):
    for name, value in split_fields(header):
        assert name == name.lower()
        assert name.isascii()
        assert 1 <= len(name) <= 128
        assert len(value) <= MAX_VALUE_BYTES
        assert b"\n" not in value


@given(
    st.lists(
        st.tuples(st.from_regex(r"[A-Za-z][A-Za-z-]{0,20}", fullmatch=True), st.text("abc ;<>", max_size=30)),
        max_size=20,
    )
)
def test_what_was_put_together_comes_apart_again(pairs):
    header = b"".join(f"{name}: {value}\r\n".encode() for name, value in pairs)

    assert split_fields(header) == tuple((name.lower(), value.strip().encode()) for name, value in pairs)
