"""The ids have the form of the real ones, and hold the instant they were made from."""

from __future__ import annotations

import base64
import re
import struct

from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.demo.queue_ids import dovecot_id, exim_id, postfix_long_id

_POSTFIX = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_EXIM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_INSTANTS = st.integers(min_value=1_600_000_000 * 10**9, max_value=4_200_000_000 * 10**9)


def _value(text: str, digits: str, base: int) -> int:
    total = 0
    for character in text:
        total = total * base + digits.index(character)
    return total


@given(_INSTANTS, st.integers(min_value=1, max_value=2**40))
def test_postfix_splits_at_the_last_z(at_ns: int, inode: int) -> None:
    queue_id = postfix_long_id(at_ns, inode)
    stamp, _, rest = queue_id.rpartition("z")
    assert _value(stamp[:-4], _POSTFIX, 52) == at_ns // 10**9
    assert _value(stamp[-4:], _POSTFIX, 52) == at_ns % 10**9 // 1000
    assert _value(rest, _POSTFIX[:51], 51) == inode
    assert not set(queue_id) & set("AEIOUaeiou")


@given(_INSTANTS, st.integers(min_value=1, max_value=2**22))
def test_exim_writes_three_numbers_of_fixed_width(at_ns: int, pid: int) -> None:
    queue_id = exim_id(at_ns, pid)
    assert re.fullmatch(r"[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}", queue_id)
    seconds, process, fraction = (_value(part, _EXIM, 62) for part in queue_id.split("-"))
    assert (seconds, process, fraction) == (at_ns // 10**9, pid, at_ns % 10**9 // 1000)


@given(_INSTANTS, st.integers(min_value=1, max_value=2**22))
def test_dovecot_packs_nanoseconds_first(at_ns: int, pid: int) -> None:
    queue_id = dovecot_id(at_ns, pid, 0xDEADBEEF)
    assert re.fullmatch(r"[0-9A-Za-z+/]{22}", queue_id)
    nanoseconds, seconds, process, host = struct.unpack("<4I", base64.b64decode(queue_id + "=="))
    assert (seconds * 10**9 + nanoseconds, process, host) == (at_ns, pid, 0xDEADBEEF)


def test_digits_are_those_of_the_servers() -> None:
    """One instant, 2026-11-23 19:00:04.123456 UTC, worked out by hand for each server."""
    at_ns = 1_795_460_404_123_456_000
    assert postfix_long_id(at_ns, 51).startswith("4jYFch")
    assert postfix_long_id(at_ns, 51).endswith("z10")
    assert exim_id(at_ns, 62)[:18] == "1xVZGm-00000000010"
