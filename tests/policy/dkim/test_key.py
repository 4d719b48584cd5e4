"""Key records and whether they can be used."""

from __future__ import annotations

import pytest

from smtp_probe.model import DnsAnswer, DnsStatus
from smtp_probe.policy.dkim.key import KeyState, read_key
from tests.policy.dkim.keys import fill


def _answer(*records: str) -> DnsAnswer:
    status = DnsStatus.FOUND if records else DnsStatus.NO_SUCH_NAME
    values = tuple(fill(record).encode("latin-1") for record in records)
    return DnsAnswer(name="s._domainkey.e.test", kind="TXT", status=status, values=values)


RSA = "v=DKIM1; k=rsa; p={rsa2048}"


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (RSA, KeyState.USABLE),
        ("p={rsa1024}", KeyState.USABLE),
        ("v=DKIM1; h=sha1:sha256; s=*; t=s; n=note; p={rsa1024}", KeyState.USABLE),
        ("v=DKIM1; s=email; x=unknown; p={rsa1024}", KeyState.USABLE),
        ("v=DKIM1; k=ed25519; p={ed25519}", KeyState.USABLE),
        ("v=DKIM1; p=", KeyState.REVOKED),
        ("v=DKIM1; k=rsa; p= ", KeyState.REVOKED),
        ("v=DKIM1; k=rsa", KeyState.SYNTAX),
        ("v=DKIM2; p={rsa1024}", KeyState.SYNTAX),
        ("k=rsa; v=DKIM1; p={rsa1024}", KeyState.SYNTAX),
        ("v=dkim1; p={rsa1024}", KeyState.SYNTAX),
        ("v=DKIM1; p={rsa1024}; p=x", KeyState.SYNTAX),
        ("v=DKIM1; p=!!!!", KeyState.SYNTAX),
        ("v=DKIM1; p=AAAA", KeyState.SYNTAX),
        ("v=DKIM1; p={rsa_cut}", KeyState.SYNTAX),
        ("v=DKIM1; k=ed25519; p={rsa1024}", KeyState.SYNTAX),
        ("v=DKIM1; k=dsa; p={rsa1024}", KeyState.ALGORITHM),
        ("v=DKIM1; h=sha1; p={rsa1024}", KeyState.ALGORITHM),
        ("v=DKIM1; s=tlsrpt; p={rsa1024}", KeyState.SERVICE),
        ("v=DKIM1; p={tiny768}", KeyState.WEAK),
        ("v=spf1 -all", KeyState.MISSING),
    ],
)
def test_states(record: str, state: KeyState) -> None:
    key = read_key(_answer(record))
    assert key.state is state, key.detail
    assert key.is_usable == (state is KeyState.USABLE)


def test_facts_of_a_key() -> None:
    key = read_key(_answer("v=DKIM1; t=y:s; p={rsa2048}"))
    assert (key.algorithm, key.bits, key.is_testing, key.is_strict) == ("rsa", 2048, True, True)
    assert read_key(_answer("k=ed25519;p={ed25519}")).bits == 256


def test_several_keys_and_none() -> None:
    assert read_key(_answer(RSA, RSA)).state is KeyState.MULTIPLE
    assert read_key(_answer(RSA, "something else")).state is KeyState.USABLE
    assert read_key(_answer()).state is KeyState.MISSING


def test_a_resolver_that_fails_says_nothing_of_the_key() -> None:
    answer = DnsAnswer(name="s._domainkey.e.test", kind="TXT", status=DnsStatus.TIMEOUT)
    assert read_key(answer).state is KeyState.UNKNOWN
