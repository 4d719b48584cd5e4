"""Good signatures are confirmed in every form that dkimpy writes; what dkimpy does not take is never confirmed."""

from __future__ import annotations

import random
import re

import dkim
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtp_probe.policy.dkim.confirmation import is_confirmed
from tests.policy.dkim.signing import ED25519_RECORD, FIELDS, MESSAGE, RSA_RECORD, sign, sign_ed25519

RECORD = RSA_RECORD.encode()
FORMS = [(header, body) for header in (b"relaxed", b"simple") for body in (b"relaxed", b"simple")]


def confirmed(message: bytes, index: int = 0) -> bool:
    return is_confirmed(message, index, RECORD)


def is_good(message: bytes, index: int = 0) -> bool:
    """By dkimpy."""
    try:
        return bool(dkim.DKIM(message).verify(index, dnsfunc=lambda *_, **__: RECORD))
    except dkim.DKIMException:
        return False


@pytest.mark.parametrize("form", FORMS)
def test_a_good_signature_is_confirmed_in_every_form(form: tuple[bytes, bytes]) -> None:
    assert confirmed(sign(canonicalize=form))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "body",
    [b"", b"\r\n", b"\r\n\r\n", b" \t \r\n", b"a  b\t c \r\n\r\n \r\n", b"a\r\n\r\n\r\n", b".\r\nlast\r\n"],
)
def test_bodies_with_blanks_and_empty_lines(form: tuple[bytes, bytes], body: bytes) -> None:
    message = sign(MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body, canonicalize=form)
    assert is_good(message)
    assert confirmed(message)


def test_the_signature_that_is_meant() -> None:
    message = sign_ed25519(sign(MESSAGE.replace(b"first", b"other")).replace(b"other", b"first"))
    message = sign(message)
    assert [confirmed(message, index) for index in range(4)] == [True, False, False, False]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"last line\r\n", b"last line\r\nfooter\r\n"),
        (b"Subject: a test", b"Subject: [list] a test"),
        (b"From: Probe", b"From: second@x.test\r\nFrom: Probe"),
        (b"a=rsa-sha256", b"a=rsa-sha1"),
        (b"d=e.test", b"d=f.test"),
        (b"last line\r\n", b"last line\n"),
        (b"\r\nTo: p", b"\nTo: p"),
        (b"last line\r\n", b"last line"),
        (b"\r\nTo: p", b"\r\nno field\r\nTo: p"),
        (b"\r\nTo: p", b"\r\nTo : p"),
        (b" c=", b" l=3; c="),
    ],
)
def test_what_is_changed_or_unusual_is_left_to_the_library(old: bytes, new: bytes) -> None:
    message = sign()
    assert old in message
    assert not confirmed(message.replace(old, new, 1))


def test_keys_that_are_no_rsa_keys() -> None:
    for record in (ED25519_RECORD.encode(), b"", b"p=AAAA"):
        assert not is_confirmed(sign(), 0, record)


def test_a_message_that_is_none() -> None:
    for message in (b"", b"\r\n\r\n", b"x", b"DKIM-Signature:\r\n\r\n", b"DKIM-Signature: b\r\nx: y\r\n\r\n"):
        assert not confirmed(message)


TEXT = st.text("ab \t.:=;\r\n", max_size=40).map(str.encode)
VALUE = st.text("ab \t;=", min_size=1, max_size=30).map(str.encode)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.slow
@given(
    values=st.lists(st.tuples(st.sampled_from([b"Subject", b"to", b"X-a", b"CC"]), VALUE), max_size=6),
    body=TEXT,
    form=st.sampled_from(FORMS),
    seed=st.integers(0, 1 << 30),
)
def test_nothing_is_confirmed_that_the_library_does_not_take(
    values: list[tuple[bytes, bytes]], body: bytes, form: tuple[bytes, bytes], seed: int
) -> None:
    """Mail of any fields and bodies, as it was signed, and with some bytes of it changed, gone or doubled."""
    head = b"From: Probe <probe@e.test>\r\n" + b"".join(b"%b: x\r\n %b\r\n" % field for field in values)
    message = sign(head + b"\r\n" + body, canonicalize=form, include_headers=[*FIELDS, b"x-a", b"x-a", b"cc"])
    chance = random.Random(seed)  # mutations, no secrets
    mutants = [message] + [_mutate(message, chance) for _ in range(12)]
    for mutant in mutants:
        if confirmed(mutant):
            assert is_good(mutant), mutant
    is_common = b"\r\n" not in body.replace(b"\r\n", b"") and re.fullmatch(rb"(?:[^\r\n]*\r\n)*", body)
    if is_common and is_good(message):
        assert confirmed(message)


def _mutate(message: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(message))
    end = min(len(message), start + chance.choice((1, 1, 2, 4)))
    piece = chance.choice(
        (b"", b" ", b"\t", b"\r\n", b"\n", b"\r\n ", b";", b":", b"x", message[start:end] * 2)
    )
    return message[:start] + piece + message[end:]
