"""How the tree is climbed for CAA; that each fault in a zone has its finding stands in `tests/zones`."""

from __future__ import annotations

from typing import Any

from smtp_probe.model import CaaRecord, DnsStatus, DomainUnderCheck
from smtp_probe.policy.caa import check_caa
from tests.policy.scripted import ScriptedDns

SUBJECT = DomainUnderCheck(domain="e.test", mx_hosts=("mx.a.e.test",))


async def test_the_first_set_on_the_way_up_is_the_one_that_counts() -> None:
    zone: dict[str, Any] = {
        "mx.a.e.test": {"A": ("192.0.2.1",)},
        "a.e.test": {"CAA": (CaaRecord(0, "issue", "ca.test"),)},
        "e.test": {"CAA": (CaaRecord(0, "issue", "other.test"),)},
    }
    result = await check_caa(SUBJECT, ScriptedDns(zone))
    assert result.facts["records"] == {"e.test": ['0 issue "other.test"'], "a.e.test": ['0 issue "ca.test"']}
    assert not result.findings


async def test_above_the_name_a_refusal_ends_the_climb() -> None:
    zone: dict[str, Any] = {
        "mx.a.e.test": {"A": ("192.0.2.1",)},
        "e.test": {"A": ("192.0.2.1",)},
        "test": DnsStatus.REFUSED,
    }
    result = await check_caa(SUBJECT, ScriptedDns(zone))
    assert (result.findings, result.unobserved) == ((), ())
    zone["e.test"] = DnsStatus.REFUSED
    assert (await check_caa(SUBJECT, ScriptedDns(zone))).unobserved
