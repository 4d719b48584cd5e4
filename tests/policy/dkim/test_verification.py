"""Signatures made by dkimpy, broken in each way, and verified."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from smtp_probe.mail.authentication.arc_chain import read_chain
from smtp_probe.mail.authentication.signature import read_signature
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.model import DnsAnswer, DnsStatus, VerdictResult
from smtp_probe.policy.dkim.key import DkimKey, read_key
from smtp_probe.policy.dkim.verification import SignatureState, verify_chain, verify_signature
from tests.policy.dkim.signing import (
    ED25519_RECORD,
    MESSAGE,
    RSA_1024_RECORD,
    RSA_RECORD,
    seal,
    sign,
    sign_ed25519,
)

NOW = 2_500_000_000
"""Later than dkimpy, which dates what it signs, will be in this run."""


def key(record: str | DnsStatus) -> DkimKey:
    status = record if isinstance(record, DnsStatus) else DnsStatus.FOUND
    values = () if isinstance(record, DnsStatus) else (record.encode(),)
    return read_key(DnsAnswer(name="s._domainkey.e.test", kind="TXT", status=status, values=values))


def state(
    message: bytes, record: str | DnsStatus = RSA_RECORD, index: int = 0, now: int = NOW
) -> SignatureState:
    values = [value for name, value in split_fields(message) if name == "dkim-signature"]
    return verify_signature(message, index, read_signature(values[index]), key(record), now).state


@pytest.mark.parametrize("canonical", [b"relaxed", b"simple"])
def test_a_good_signature(canonical: bytes) -> None:
    assert state(sign(canonicalize=(canonical, canonical))) is SignatureState.PASS


def test_ed25519_and_a_short_key() -> None:
    assert state(sign_ed25519(), ED25519_RECORD) is SignatureState.PASS
    from tests.policy.dkim.keys import rsa_pem

    assert state(sign(privkey=rsa_pem(1024)), RSA_1024_RECORD) is SignatureState.PASS


def test_every_signature_has_a_result_of_its_own() -> None:
    message = sign_ed25519(sign(MESSAGE.replace(b"first", b"other")).replace(b"other", b"first"))
    assert state(message, ED25519_RECORD, 0) is SignatureState.PASS
    assert state(message, RSA_RECORD, 1) is SignatureState.BODY_CHANGED


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"last line\r\n", b"last line\r\nfooter\r\n", SignatureState.BODY_CHANGED),
        (b"first line", b"first  line", SignatureState.PASS),
        (b"Subject: a test", b"Subject: [list] a test", SignatureState.HEADER_CHANGED),
        (b"Subject: a test", b"Subject:  a   test", SignatureState.PASS),
        (b"From: Probe", b"From: second@x.test\r\nFrom: Probe", SignatureState.HEADER_CHANGED),
        (b"a=rsa-sha256", b"a=rsa-sha1", SignatureState.ALGORITHM),
        (b"d=e.test", b"d=f.test", SignatureState.SYNTAX),
        (b"v=1", b"v=3", SignatureState.SYNTAX),
    ],
)
def test_what_was_changed_is_told(old: bytes, new: bytes, expected: SignatureState) -> None:
    message = sign()
    assert old in message
    assert state(message.replace(old, new, 1)) is expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (DnsStatus.NO_SUCH_NAME, SignatureState.NO_KEY),
        (DnsStatus.NO_DATA, SignatureState.NO_KEY),
        (DnsStatus.TIMEOUT, SignatureState.TEMPORARY),
        (DnsStatus.SERVER_FAILED, SignatureState.TEMPORARY),
        ("v=DKIM1; p=", SignatureState.REVOKED),
        ("v=DKIM1; p=AAAA", SignatureState.KEY_INVALID),
        (RSA_RECORD + "; s=tlsrpt", SignatureState.KEY_INVALID),
        (RSA_RECORD + "; h=sha1", SignatureState.ALGORITHM),
        (ED25519_RECORD, SignatureState.ALGORITHM),
        (RSA_1024_RECORD, SignatureState.HEADER_CHANGED),
        (RSA_RECORD + "; t=y", SignatureState.PASS),
    ],
    ids=lambda value: value.name if isinstance(value, SignatureState) else "key",
)
def test_what_is_wrong_with_the_key_is_told(record: str | DnsStatus, expected: SignatureState) -> None:
    assert state(sign(), record) is expected


def test_a_weak_key_is_not_taken() -> None:
    from tests.policy.dkim.keys import tiny_rsa_public

    assert state(sign(), f"p={tiny_rsa_public(512)}") is SignatureState.WEAK_KEY


def test_a_strict_key_allows_no_subdomain() -> None:
    message = sign(identity=b"@m.e.test")
    assert state(message) is SignatureState.PASS
    assert state(message, RSA_RECORD + "; t=s") is SignatureState.SYNTAX


def test_an_expired_signature() -> None:
    message = re.sub(rb"d=e\.test;", b"d=e.test; x=1700000000;", sign(), count=1)
    assert state(re.sub(rb" t=\d+;", b" t=1600000000;", message)) is SignatureState.EXPIRED


@pytest.mark.parametrize("cut", [b"\r\n", b": ", b"\r\n\r\n"])
def test_a_message_that_is_none_is_no_exception(cut: bytes) -> None:
    message = sign()
    signature = read_signature(split_fields(message)[0][1])
    broken = message.replace(cut, b"")
    assert verify_signature(broken, 0, signature, key(RSA_RECORD), NOW).state is not SignatureState.PASS


HOSTILE = {
    "blanks": b" " * 500_000 + b"x\r\n",
    "runs": (b" " * 900 + b"x") * 500,
    "empty lines": b"\r\n" * 250_000 + b"x",
    "carriage returns": b"\r" * 500_000 + b"x",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("canonical", [b"relaxed", b"simple"])
def test_a_hostile_body_takes_linear_time(name: str, canonical: bytes) -> None:
    signed = sign(canonicalize=(b"relaxed", canonical))
    started = time.process_time()
    found = state(signed + HOSTILE[name])
    assert time.process_time() - started < 2
    assert found in (SignatureState.BODY_CHANGED, SignatureState.TEMPORARY)


@pytest.mark.parametrize("junk", [b" " * 7000, b"A " * 3500, b"A" * 7000 + b"!"])
def test_a_hostile_signature_takes_little_time(junk: bytes) -> None:
    message = sign().replace(b" b=", b" b=" + junk, 1)
    started = time.process_time()
    assert state(message) is SignatureState.SYNTAX
    assert time.process_time() - started < 1


def test_relaxed_bodies_with_blanks_still_verify() -> None:
    body = MESSAGE.replace(b"first line", b"first \t line" + b" " * 3000)
    assert state(sign(body)) is SignatureState.PASS
    good = sign(body, canonicalize=(b"relaxed", b"simple"))
    assert state(good) is SignatureState.PASS
    assert state(good.replace(b"last line", b"other line")) is SignatureState.TEMPORARY


# ARC.


def arc(message: bytes, *domains: str, record: str | DnsStatus = RSA_RECORD) -> Any:
    chain = read_chain(split_fields(message))
    return verify_chain(message, chain, {f"arc._domainkey.{name}": key(record) for name in domains})


def test_a_good_chain() -> None:
    message = seal(seal(sign(), "one.test"), "two.test", "arc=pass")
    assert arc(message, "one.test", "two.test").result is VerdictResult.PASS
    assert arc(MESSAGE).result is VerdictResult.NONE


def test_broken_chains() -> None:
    message = seal(seal(sign(), "one.test"), "two.test", "arc=pass")
    changed = message.replace(b"last line", b"other line")
    assert arc(changed, "one.test", "two.test").result is VerdictResult.FAIL
    unsealed = re.sub(rb"(?m)^ARC-Seal: i=1;(?:.*\r\n)(?:[ \t].*\r\n)*", b"", message)
    assert unsealed != message
    assert arc(unsealed, "one.test", "two.test").result is VerdictResult.FAIL
    assert arc(message, "one.test", "two.test", record=DnsStatus.NO_SUCH_NAME).result is VerdictResult.FAIL


def test_a_chain_whose_keys_cannot_be_had_is_not_judged() -> None:
    message = seal(sign(), "one.test")
    assert arc(message, "one.test", record=DnsStatus.TIMEOUT).result is None
    assert arc(message).result is None
