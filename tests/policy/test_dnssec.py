"""Keys and digests of DNSSEC against a pair made by a real signer; signed zones stand in `tests/zones`."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.model import DnsStatus, DomainUnderCheck
from smtp_probe.policy.dnssec import check_dnssec, names_key, read_delegation, read_key
from tests.policy.scripted import ScriptedDns, mx

# RFC 4034 section 5.4: an example of a key and its DS record.
KEY = (
    "256 3 5 AQOeiiR0GOMYkDshWoSKz9Xz fwJr1AYtsmx3TGkJaNXVbfi/ 2pHm822aJ5iI9BMzNXxeYCmZ "
    "DRD99WYwYqUSdjMmmAphXdvx egXd/M5+X7OrzKBaMbCVdFLU Uh6DhweJBjEVv5f2wwjM9Xzc nOf+EPbtG9DMBmADjFDc2w/r ljwvFw=="
)
DS = "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"
NAME = "dskey.example.com"


def test_a_ds_record_names_its_key() -> None:
    key, delegation = read_key(KEY), read_delegation(DS)
    assert key is not None
    assert delegation is not None
    assert key.tag == 60485
    assert names_key(delegation, key, NAME)
    assert not names_key(delegation, key, "other.example.com")


@pytest.mark.parametrize("text", ["", "256 3", "x y z AAAA", "256 3 5 *"])
def test_what_is_no_key_is_none(text: str) -> None:
    assert read_key(text) is None


@pytest.mark.parametrize("text", ["", "1 2 3 xyz", "a b c 00"])
def test_what_is_no_delegation_is_none(text: str) -> None:
    assert read_delegation(text) is None


@pytest.mark.parametrize(
    ("records", "checks"),
    [
        ({}, []),
        ({"DS": (DS,), "DNSKEY": (KEY,)}, ["dnssec_weak_algorithm"]),
        ({"DS": (DS,)}, ["dnssec_no_key"]),
        (
            {"DS": ("1 8 2 " + "ab" * 32,), "DNSKEY": (KEY.replace("256 3 5", "256 3 8"),)},
            ["dnssec_ds_mismatch"],
        ),
        ({"DNSKEY": (KEY,)}, ["dnssec_no_ds"]),
    ],
)
async def test_keys_and_delegations_belong_together(records: dict[str, Any], checks: list[str]) -> None:
    zone = {NAME: {"MX": mx("10 a.test"), **records}}
    result = await check_dnssec(DomainUnderCheck(domain=NAME), ScriptedDns(zone))
    assert [finding.check for finding in result.findings] == checks


async def test_what_cannot_be_asked_is_unobserved() -> None:
    result = await check_dnssec(DomainUnderCheck(domain=NAME), ScriptedDns({NAME: DnsStatus.TIMEOUT}))
    assert (result.findings, len(result.unobserved)) == ((), 3)
