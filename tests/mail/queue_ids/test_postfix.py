"""Postfix's queue ids tell when the first recipient was accepted: the long ones whole, the short ones modulo a second."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.demo.queue_ids import postfix_long_id
from smtp_probe.mail.queue_ids.id_stamps import SECOND_NS, IdStamp, ModularStamp
from smtp_probe.mail.queue_ids.postfix import decode_postfix
from smtp_probe.model import Hop


def hop(queue_id: str | None, software: str | None = "postfix", with_: str | None = "ESMTPS") -> Hop:
    return Hop(id=queue_id, software=software, with_=with_)


@pytest.mark.parametrize(
    ("queue_id", "logged"),
    [
        ("4jYGxJ6SRWzK0Ss", "2026-11-23T19:59:32.909947+00:00"),
        ("4jYGxK0ZPtzK0TC", "2026-11-23T19:59:33.082459+00:00"),
        ("4jYGxK0vHHzK0TG", "2026-11-23T19:59:33.128044+00:00"),
    ],
)
def test_long_ids_of_a_real_server_are_just_before_its_own_log(queue_id, logged):
    """Postfix 3.7.11 logs `client=` as soon as it has the id."""
    stamp = decode_postfix(hop(queue_id))

    assert isinstance(stamp, IdStamp)
    assert 0 <= datetime.fromisoformat(logged).timestamp() - stamp.at_ns / SECOND_NS < 0.002
    assert (stamp.resolution_seconds, stamp.source, stamp.event) == (1e-6, "postfix_id", "rcpt")


@given(st.integers(0, 2**33), st.integers(0, 999_999), st.integers(1, 2**63))
def test_every_long_id_is_read_to_the_microsecond(seconds, micros, inode):
    at_ns = seconds * SECOND_NS + micros * 1000

    stamp = decode_postfix(hop(postfix_long_id(at_ns, inode)))

    assert isinstance(stamp, IdStamp)
    assert stamp.at_ns == at_ns


@given(st.integers(0, 999_999), st.integers(0, 2**40))
def test_every_short_id_tells_its_fraction(micros, inode):
    stamp = decode_postfix(hop(f"{micros:05X}{inode:X}"))

    assert stamp == ModularStamp(
        fraction_ns=micros * 1000, resolution_seconds=1e-6, source="postfix_short_id", event="rcpt"
    )


def test_a_long_id_is_its_own_sign_and_a_short_one_is_not():
    assert decode_postfix(hop("4jYGxJ6SRWzK0Ss", software=None)) is not None
    assert decode_postfix(hop("4C99E86B9A", software=None)) is None


def test_nothing_is_read_for_other_software():
    assert decode_postfix(hop("4jYGxJ6SRWzK0Ss", software="sendmail")) is None
    assert decode_postfix(hop("4C99E86B9A", software="opensmtpd")) is None


def test_what_was_picked_up_from_the_maildrop_had_no_recipient_command():
    long, short = (
        decode_postfix(hop("4jYGxJ6SRWzK0Ss", with_=None)),
        decode_postfix(hop("4C99E86B9A", with_=None)),
    )

    assert long is not None
    assert short is not None
    assert (long.event, short.event) == (None, None)


@pytest.mark.parametrize(
    "queue_id",
    [
        None,
        "",
        "4jYGxJzzzzzK0Ss",  # more than a million microseconds
        "F4240A1",  # a million microseconds
        "4c99e86b9a",  # Postfix writes upper case
        "4C99E",
        "4jYGxJ6SRWz",
        "4jYGxJ6SRWzK0Sa",  # a vowel
        "4" * 255,
        "z" * 255,
    ],
)
def test_what_postfix_does_not_write_is_not_read(queue_id):
    assert decode_postfix(hop(queue_id)) is None
