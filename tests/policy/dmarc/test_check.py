"""The DMARC check of a domain."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.model import DnsStatus, DomainUnderCheck
from smtp_probe.policy.dmarc.check import check_dmarc
from tests.policy.scripted import ScriptedDns

GOOD = "v=DMARC1; p=reject; rua=mailto:d@e.test"
ELSEWHERE = "v=DMARC1; p=reject; rua=mailto:d@r.test"


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((GOOD,), []),
        ((GOOD.replace("reject", "quarantine"),), []),
        ((), ["dmarc_missing"]),
        (("v=dmarc1; p=reject",), ["dmarc_syntax"]),
        ((GOOD.replace("reject", "block"),), ["dmarc_syntax"]),
        ((GOOD.replace("reject", "none"),), ["dmarc_policy_none"]),
        (("v=DMARC1; rua=mailto:d@e.test",), ["dmarc_no_policy"]),
        ((GOOD, GOOD + ";"), ["dmarc_multiple"]),
        ((GOOD + "; sp=none",), ["dmarc_subdomain_weaker"]),
        ((GOOD + "; np=quarantine",), ["dmarc_subdomain_weaker"]),
        ((GOOD + "; t=y",), ["dmarc_testing"]),
        ((GOOD + "; pct=10",), ["dmarc_tag_removed"]),
        ((GOOD + "; sb=none",), ["dmarc_tag_unknown"]),
        (("v=DMARC1; p=reject",), ["dmarc_no_reports"]),
        ((GOOD + "; ruf=d@e.test",), ["dmarc_report_address"]),
        ((GOOD + "!5m",), ["dmarc_report_address"]),
        ((ELSEWHERE,), ["dmarc_report_not_authorised"]),
    ],
)
async def test_each_fault_has_its_finding(records: tuple[str, ...], expected: list[str]) -> None:
    dns = ScriptedDns({"_dmarc.e.test": {"TXT": records}})
    result = await check_dmarc(DomainUnderCheck(domain="e.test"), dns)
    assert [finding.check for finding in result.findings] == expected
    assert all(finding.advice and finding.source and finding.subject for finding in result.findings)


@pytest.mark.parametrize("name", ["e.test._report._dmarc.r.test", "*._report._dmarc.r.test"])
async def test_a_destination_that_takes_reports(name: str) -> None:
    zone: dict[str, Any] = {
        "_dmarc.e.test": {"TXT": (ELSEWHERE,)},
        name.replace("*", "e.test"): {"TXT": ("v=DMARC1;",)},
    }
    assert not (await check_dmarc(DomainUnderCheck(domain="e.test"), ScriptedDns(zone))).findings


async def test_facts_of_a_subdomain() -> None:
    dns = ScriptedDns({"_dmarc.e.test": {"TXT": (GOOD + "; sp=quarantine; aspf=s",)}})
    subject = DomainUnderCheck(domain="m.e.test", sender="bounce@m.e.test")
    facts = (await check_dmarc(subject, dns)).facts
    assert (facts["domain"], facts["policy"]) == ("e.test", "quarantine")
    assert facts["alignment"] == {"spf": "strict", "dkim": "relaxed", "sender_aligned": True}


async def test_an_envelope_domain_that_does_not_align() -> None:
    dns = ScriptedDns({"_dmarc.e.test": {"TXT": (GOOD,)}})
    subject = DomainUnderCheck(domain="e.test", sender="x@bounces.test")
    result = await check_dmarc(subject, dns)
    assert [finding.check for finding in result.findings] == ["dmarc_spf_not_aligned"]


async def test_a_resolver_that_fails_is_no_finding() -> None:
    result = await check_dmarc(
        DomainUnderCheck(domain="e.test"), ScriptedDns({"_dmarc.e.test": DnsStatus.TIMEOUT})
    )
    assert (result.findings, len(result.unobserved)) == ((), 1)
    assert result.facts["policy"] is None
