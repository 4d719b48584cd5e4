"""TLSA records against certificates."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest
import trustme

from smtp_probe.model import TlsaRecord
from smtp_probe.policy.certificates import is_for, is_usable, is_well_formed, matches, public_key

AUTHORITY = trustme.CA()
LEAF = AUTHORITY.issue_cert("mail.test", "mx.e.test", "*.wild.test")
CHAIN = tuple(
    ssl.PEM_cert_to_DER_cert(blob.bytes().decode()) for blob in (LEAF.cert_chain_pems[0], AUTHORITY.cert_pem)
)


def _record(usage: int, selector: int, matching: int, certificate: bytes) -> TlsaRecord:
    data = certificate if selector == 0 else public_key(certificate)
    digests = {0: data, 1: hashlib.sha256(data).digest(), 2: hashlib.sha512(data).digest()}
    return TlsaRecord(usage, selector, matching, digests[matching])


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_the_host_s_own_key_and_its_authority_match(selector: int, matching: int) -> None:
    assert matches(_record(3, selector, matching, CHAIN[0]), CHAIN)
    assert not matches(_record(3, selector, matching, CHAIN[1]), CHAIN)
    assert matches(_record(2, selector, matching, CHAIN[1]), CHAIN)
    assert not matches(_record(2, selector, matching, trustme_other()), CHAIN)


def trustme_other() -> bytes:
    return ssl.PEM_cert_to_DER_cert(trustme.CA().cert_pem.bytes().decode())


@pytest.mark.parametrize(
    ("record", "well_formed", "usable"),
    [
        (TlsaRecord(3, 1, 1, bytes(32)), True, True),
        (TlsaRecord(2, 0, 2, bytes(64)), True, True),
        (TlsaRecord(1, 1, 1, bytes(32)), True, False),
        (TlsaRecord(3, 1, 1, bytes(31)), False, False),
        (TlsaRecord(3, 2, 1, bytes(32)), False, False),
        (TlsaRecord(3, 1, 3, bytes(32)), False, False),
        (TlsaRecord(4, 1, 1, bytes(32)), False, False),
        (TlsaRecord(3, 0, 0, b""), False, False),
    ],
)
def test_what_smtp_makes_something_of(record: TlsaRecord, well_formed: bool, usable: bool) -> None:
    assert (is_well_formed(record), is_usable(record)) == (well_formed, usable)


def test_a_certificate_that_cannot_be_read_matches_nothing(tmp_path: Path) -> None:
    assert public_key(b"garbage") == b""
    assert not matches(_record(3, 1, 1, CHAIN[0]), (b"garbage",))
    assert not matches(_record(3, 1, 1, CHAIN[0]), ())


@pytest.mark.parametrize(
    ("name", "is_named"),
    [
        ("mail.test", True),
        ("MX.e.test.", True),
        ("a.wild.test", True),
        ("a.b.wild.test", False),
        ("e.test", False),
    ],
)
def test_a_certificate_is_for_the_hosts_that_it_names(name: str, is_named: bool) -> None:
    assert is_for(CHAIN[0], [name]) is is_named
    assert is_for(b"nonsense", [name]) is None
    assert is_for(CHAIN[1], [name]) is False
