"""Elements are read as the form has them, and whatever is cut off or too long is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.syntax.der import INTEGER, SEQUENCE, UTC_TIME, read_element


def element(tag: int, content: bytes, size: int = 0) -> bytes:
    """`size`: of the length, which is written as short as it can be without."""
    length = len(content)
    if not size and length < 0x80:
        return bytes([tag, length]) + content
    size = size or (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


@given(st.binary(max_size=70_000), st.binary(max_size=9))
def test_content_and_what_follows(content: bytes, rest: bytes) -> None:
    assert read_element(element(SEQUENCE, content) + rest, SEQUENCE) == (content, rest)


def test_one_of_several_types() -> None:
    assert read_element(element(UTC_TIME, b"x"), INTEGER, UTC_TIME) == (b"x", b"")
    with pytest.raises(ValueError, match="another type"):
        read_element(element(UTC_TIME, b"x"), INTEGER, SEQUENCE)


def test_a_length_of_up_to_four_octets() -> None:
    for size in (1, 2, 3, 4):
        assert read_element(element(INTEGER, b"ab", size), INTEGER) == (b"ab", b"")
    for data in (b"\x02\x80ab", element(INTEGER, b"ab", 5), b"\x02\x82\x01"):
        with pytest.raises(ValueError, match="length"):
            read_element(data, INTEGER)


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x02\x03ab", b"\x02\x84\xff\xff\xff\xffab"])
def test_what_is_cut_off(data: bytes) -> None:
    with pytest.raises(ValueError, match="cut off|another type"):
        read_element(data, INTEGER)
