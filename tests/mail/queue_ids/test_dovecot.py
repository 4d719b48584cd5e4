"""Dovecot's LMTP session ids tell when the client connected, which is not always when the message came."""

from __future__ import annotations

import base64
import struct
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.demo.queue_ids import dovecot_id
from smtp_probe.mail.queue_ids.dovecot import decode_dovecot
from smtp_probe.mail.queue_ids.id_stamps import SECOND_NS
from smtp_probe.model import Hop


def hop(session: str | None, software: str | None = "dovecot") -> Hop:
    return Hop(id=session, software=software, with_="LMTP")


def test_the_id_of_a_real_server_is_just_before_its_own_log():
    """Dovecot 2.3.19 logs `Connect from local` when its log process wakes for it."""
    logged = datetime.fromisoformat("2026-11-23T19:59:33.161542+00:00").timestamp()

    stamp = decode_dovecot(hop("GP6ZCSWbBGsEAAAA0J78UA"))

    assert stamp is not None
    assert 0 <= logged - stamp.at_ns / SECOND_NS < 0.002
    assert (stamp.resolution_seconds, stamp.source, stamp.event) == (1e-6, "dovecot_id", "connection")
    assert not stamp.is_lower_bound


@given(
    st.integers(0, 2**32 * SECOND_NS - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)
def test_every_id_is_read(at_ns, pid, host_hash):
    stamp = decode_dovecot(hop(dovecot_id(at_ns, pid, host_hash)))

    assert stamp is not None
    assert stamp.at_ns == at_ns


@pytest.mark.parametrize("suffix", [":T2", ":T17", ":2", ":P3"])
def test_an_id_of_a_connection_that_was_used_before_is_only_a_lower_bound(suffix):
    stamp = decode_dovecot(hop("GP6ZCSWbBGsEAAAA0J78UA" + suffix))

    assert stamp is not None
    assert stamp.is_lower_bound


@pytest.mark.parametrize(
    "session",
    [
        None,
        "",
        "GP6ZCSWbBGsEAAAA0J78U",
        "GP6ZCSWbBGsEAAAA0J78UA==",
        "GP6ZCSWbBGsEAAAA0J78U-",
        "GP6ZCSWbBGsEAAAA0J78UA:",
        base64.b64encode(struct.pack("<4I", SECOND_NS, 1, 2, 3)).decode().rstrip("="),
    ],
)
def test_what_dovecot_does_not_write_is_not_read(session):
    assert decode_dovecot(hop(session)) is None


def test_the_form_is_no_sign_of_its_own():
    assert decode_dovecot(hop("GP6ZCSWbBGsEAAAA0J78UA", software=None)) is None
