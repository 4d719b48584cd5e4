"""The library's words are told apart, and nothing that a message has in it escapes as an exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.policy.dkim.library import Answer, ask_about_chain, ask_about_signature
from tests.policy.dkim.signing import ED25519_RECORD, MESSAGE, RSA_RECORD, sign, sign_ed25519

RECORD = RSA_RECORD.encode()


def test_what_it_says_of_a_signature() -> None:
    good = sign()

    assert ask_about_signature(good, 0, RECORD) == Answer(is_good=True)
    assert ask_about_signature(sign_ed25519(MESSAGE), 0, ED25519_RECORD.encode()) == Answer(is_good=True)
    assert ask_about_signature(good.replace(b"Subject: ", b"Subject: Re: "), 0, RECORD) == Answer()
    changed = ask_about_signature(good + b"footer\r\n", 0, RECORD)
    assert changed.is_body_changed
    assert not changed.is_good


@pytest.mark.parametrize(
    "record", [b"", b"v=DKIM1; p=", b"v=DKIM1; p=AAAA", b"\xff", b"v=DKIM1; k=ed25519; p=AAAA"]
)
def test_a_key_that_is_none(record: bytes) -> None:
    assert not ask_about_signature(sign(), 0, record).is_good


@given(st.binary(max_size=400))
def test_whatever_stands_there_is_answered(data: bytes) -> None:
    for message in (data, b"DKIM-Signature: " + data, b"ARC-Seal: i=1; " + data + b"\r\n\r\n"):
        assert not ask_about_signature(message, 0, RECORD).is_good
        assert not ask_about_chain(message, lambda _: RECORD).is_good
