"""BIMI records."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.model import CheckResult, DnsStatus, DomainUnderCheck
from smtp_probe.policy.bimi import check_bimi
from tests.policy.scripted import ScriptedDns

GOOD = "v=BIMI1; l=https://e.test/logo.svg; a=https://e.test/mark.pem"
DMARC: dict[str, Any] = {"_dmarc.e.test": {"TXT": ("v=DMARC1; p=reject",)}}


async def _check(zone: dict[str, Any], domain: str = "e.test") -> CheckResult:
    return await check_bimi(DomainUnderCheck(domain=domain), ScriptedDns({**DMARC, **zone}))


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((), []),
        (("something else",), []),
        ((GOOD,), []),
        (("v=BIMI1; l=; a=",), []),
        (("v=bimi1; l=https://e.test/logo.svg",), ["bimi_syntax"]),
        (("v=BIMI1; a=https://e.test/mark.pem",), ["bimi_syntax"]),
        ((GOOD + "; l=x",), ["bimi_syntax"]),
        ((GOOD, GOOD + ";"), ["bimi_multiple"]),
        ((GOOD.replace("https://e.test/logo", "http://e.test/logo"),), ["bimi_location"]),
        ((GOOD.replace(".svg", ".png"),), ["bimi_location"]),
        ((GOOD.replace("https://e.test/mark", "mark"),), ["bimi_location"]),
        (("v=BIMI1; l=https://e.test/logo.svg",), ["bimi_no_certificate"]),
    ],
)
async def test_each_fault_has_its_finding(records: tuple[str, ...], expected: list[str]) -> None:
    result = await _check({"default._bimi.e.test": {"TXT": records}})
    assert [finding.check for finding in result.findings] == expected
    assert all(finding.advice and finding.source and finding.subject for finding in result.findings)


@pytest.mark.parametrize("policy", ["v=DMARC1; p=none", "v=DMARC1; p=reject; t=y", "something else"])
async def test_a_logo_needs_a_policy_that_is_enforced(policy: str) -> None:
    zone = {"default._bimi.e.test": {"TXT": (GOOD,)}, "_dmarc.e.test": {"TXT": (policy,)}}
    assert [finding.check for finding in (await _check(zone)).findings] == ["bimi_policy"]


async def test_the_organisational_domain_speaks_for_those_below() -> None:
    result = await _check({"default._bimi.e.test": {"TXT": (GOOD,)}}, "m.e.test")
    assert (result.findings, result.facts["name"]) == ((), "default._bimi.e.test")


async def test_a_resolver_that_fails_is_no_finding() -> None:
    result = await _check({"default._bimi.e.test": DnsStatus.TIMEOUT})
    assert (result.findings, len(result.unobserved)) == ((), 1)
