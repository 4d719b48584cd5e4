"""The DKIM check of a domain."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.model import CheckResult, DnsStatus, DomainUnderCheck
from smtp_probe.policy.dkim.check import check_dkim
from tests.policy.dkim.keys import fill
from tests.policy.scripted import ScriptedDns

NAME = "s._domainkey.e.test"
GOOD = "v=DKIM1; p={rsa2048}"


async def _check(zone: dict[str, Any], *selectors: str) -> CheckResult:
    for records in zone.values():
        if isinstance(records, dict) and "TXT" in records:
            records["TXT"] = tuple(fill(record) for record in records["TXT"])
    return await check_dkim(DomainUnderCheck(domain="e.test", selectors=selectors), ScriptedDns(zone))


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((GOOD,), []),
        (("v=DKIM1; p={rsa1024}",), ["dkim_key_short"]),
        (("v=DKIM1; p={tiny8192}",), ["dkim_key_long"]),
        (("v=DKIM1; p={tiny512}",), ["dkim_key_weak"]),
        ((GOOD + "; t=y",), ["dkim_key_testing"]),
        ((GOOD, GOOD + ";n=2"), ["dkim_key_multiple"]),
        (("v=DKIM1; p=",), ["dkim_key_revoked"]),
        (("v=DKIM1; p=AAAA",), ["dkim_key_syntax"]),
        ((GOOD + "; k=gost",), ["dkim_key_algorithm"]),
        ((GOOD + "; s=other",), ["dkim_key_service"]),
        ((), ["dkim_key_missing"]),
    ],
)
async def test_each_fault_has_its_finding(records: tuple[str, ...], expected: list[str]) -> None:
    result = await _check({NAME: {"TXT": records}}, "s")
    assert [finding.check for finding in result.findings] == expected
    assert all(finding.advice and finding.source and finding.subject == NAME for finding in result.findings)


async def test_facts_and_gauge() -> None:
    result = await _check({"k20260102._domainkey.e.test": {"TXT": (GOOD,)}}, "k20260102")
    (facts,) = result.facts["selectors"]
    assert (facts["state"], facts["bits"], facts["dated"]) == ("usable", 2048, "2026-01-02")
    assert result.gauges == {"dkim_key_bits": 2048}


async def test_a_key_behind_an_alias() -> None:
    zone = {NAME: {"CNAME": ("s.provider.test",)}, "s.provider.test": {"TXT": (GOOD,)}}
    result = await _check(zone, "s")
    assert not result.findings
    assert result.facts["selectors"][0]["alias_of"] == "s.provider.test"


async def test_a_resolver_that_fails_is_no_finding() -> None:
    result = await _check({NAME: DnsStatus.SERVER_FAILED}, "s")
    assert (result.findings, len(result.unobserved)) == ((), 1)


async def test_without_a_selector_only_the_absence_of_all_keys_can_be_said() -> None:
    assert [finding.check for finding in (await _check({"e.test": {}})).findings] == ["dkim_absent"]
    assert not (await _check({NAME: {"TXT": (GOOD,)}})).findings
    assert not (await _check({"_domainkey.e.test": DnsStatus.TIMEOUT})).findings
