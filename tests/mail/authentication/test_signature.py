"""DKIM-Signature headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.authentication.signature import read_signature

GOOD = "v=1; a=rsa-sha256; c=relaxed/simple; d=Example.ORG; s=S1; i=@m.example.org; t=100; x=200; l=5;\r\n\th=From:To:\r\n\t Subject; bh=YWJj; b=YWJj\r\n\tZGVm"


def test_what_it_claims() -> None:
    found = read_signature(GOOD.encode())
    assert not found.fault
    assert (found.domain, found.selector, found.algorithm) == ("example.org", "s1", "rsa-sha256")
    assert found.key_name == "s1._domainkey.example.org"
    assert found.signed_fields == ("from", "to", "subject")
    assert (found.signed_seconds, found.expires_seconds, found.body_length) == (100, 200, 5)
    assert found.is_algorithm_known


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v=1", "v=2"),
        ("v=1; ", ""),
        ("b=YWJj\r\n\tZGVm", "b="),
        ("bh=YWJj", "bh=%%%"),
        ("From:To", "Date:To"),
        ("c=relaxed/simple", "c=relaxed/nofws"),
        ("d=Example.ORG", "d=a..b"),
        ("s=S1", "s=a b!"),
        ("i=@m.example.org", "i=@other.org"),
        ("i=@m.example.org", "i=@xexample.org"),
        ("x=200", "x=50"),
        ("t=100", "t=soon"),
        ("l=5", "l=-1"),
        ("v=1;", "v=1; q=http;"),
        ("v=1;", "v=1; v=1;"),
        ("From:To", ":".join(["from"] * 300)),
    ],
)
def test_faults(old: str, new: str) -> None:
    assert old in GOOD
    assert read_signature(GOOD.replace(old, new).encode()).fault


def test_old_algorithms_are_not_to_be_taken() -> None:
    assert not read_signature(GOOD.replace("sha256", "sha1").encode()).is_algorithm_known


@given(st.binary(max_size=300))
def test_nothing_raises(value: bytes) -> None:
    assert read_signature(value).fault
