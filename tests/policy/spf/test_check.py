"""Each fault of SPF gives its finding, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.model import CheckResult, DomainUnderCheck, Severity
from smtp_probe.policy.spf.check import check_spf
from tests.policy.scripted import ScriptedDns
from tests.policy.spf.zone import ZONE

HEALTHY = "v=spf1 ip4:192.0.2.1 mx -all"


async def _check(*records: str, zone: dict[str, Any] | None = None, **about: object) -> CheckResult:
    everything = {**ZONE, **(zone or {}), "e.test": {**ZONE["e.test"], "TXT": records}}
    return await check_spf(DomainUnderCheck(domain="e.test", **about), ScriptedDns(everything))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("records", "check"),
    [
        ((HEALTHY,), None),
        (("v=spf1 -all",), None),
        (("v=spf1 redirect=ip.test",), None),
        (("v=spf1 include:neutral.test include:empty.test ~all",), None),
        ((), "spf_missing"),
        (("v=spf10 -all",), "spf_missing"),
        ((HEALTHY, "v=spf1 -all"), "spf_multiple"),
        (("v=spf1 ipv4:192.0.2.1 -all",), "spf_syntax"),
        (("v=spf1 include:perm.test -all",), "spf_syntax"),
        (("v=spf1 include:two.test -all",), "spf_multiple"),
        (("v=spf1 include:a.test -all",), "spf_include_missing"),
        (("v=spf1 include:no1.test -all",), "spf_include_missing"),
        (("v=spf1 include:five.test include:five.test -all",), "spf_too_many_lookups"),
        (("v=spf1 include:five.test a:a.test a:a.test a:a.test -all",), "spf_lookups_nearly_spent"),
        (("v=spf1 include:loop.test -all",), "spf_loop"),
        (("v=spf1 a:no1.test a:no2.test a:no3.test -all",), "spf_too_many_void_lookups"),
        (("v=spf1 a:no1.test -all",), "spf_void_lookup"),
        (("v=spf1 mx:eleven.test -all",), "spf_many_mx"),
        (("v=spf1 ip4:192.0.2.1 +all",), "spf_pass_all"),
        (("v=spf1 include:pass.test -all",), "spf_pass_all"),
        (("v=spf1 ip4:192.0.2.1 ?all",), "spf_neutral_all"),
        (("v=spf1 ip4:192.0.2.1",), "spf_no_all"),
        (("v=spf1 -all ip4:192.0.2.1",), "spf_after_all"),
        (("v=spf1 -all redirect=ip.test",), "spf_after_all"),
        (("v=spf1 ptr:a.test -all",), "spf_ptr"),
        (("v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all",), "spf_wide"),
        (("v=spf1 " + "ip4:192.0.2.100 " * 30 + "-all",), "spf_long"),
    ],
)
async def test_each_fault_has_its_finding_and_no_other(records: tuple[str, ...], check: str | None) -> None:
    result = await _check(*records)
    assert [finding.check for finding in result.findings] == ([check] if check else [])
    assert all(finding.message and finding.advice and finding.source for finding in result.findings)
    assert not result.unobserved


@pytest.mark.parametrize(
    ("record", "ip", "check"),
    [
        (HEALTHY, "192.0.2.1", None),
        (HEALTHY, "192.0.2.2", "spf_egress_not_allowed"),
        ("v=spf1 ip4:192.0.2.1 ~all", "192.0.2.2", "spf_egress_not_allowed"),
        ("v=spf1 ip4:192.0.2.1 ?all", "192.0.2.2", "spf_neutral_all"),
        ("v=spf1 exists:%{i}.no1.test include:%{i}.no2.test -all", "192.0.2.2", "spf_permerror"),
        ("v=spf1 foo", "192.0.2.2", "spf_syntax"),
    ],
)
async def test_the_egress_address_is_judged(record: str, ip: str, check: str | None) -> None:
    result = await _check(record, egress=(ip,), ehlo_name="helo.test", sender="user@e.test")
    assert [finding.check for finding in result.findings] == ([check] if check else [])


async def test_the_envelope_domain_may_be_another() -> None:
    result = await _check(HEALTHY, egress=("192.0.2.1",), sender="user@a.test")
    assert [finding.check for finding in result.findings] == ["spf_egress_not_named"]
    assert (result.facts["result"], result.facts["domain"]) == ("none", "a.test")


async def test_the_ehlo_name_has_a_record_of_its_own() -> None:
    zone = {"helo.test": {"TXT": ("v=spf1 -all",), "A": ("192.0.2.1",)}}
    result = await _check(HEALTHY, zone=zone, egress=("192.0.2.1",), ehlo_name="helo.test")
    assert [finding.check for finding in result.findings] == ["spf_ehlo_not_allowed"]
    assert result.facts["ehlo_result"] == "fail"


async def test_the_facts_tell_what_it_takes() -> None:
    result = await _check("v=spf1 include:ip.test a:no1.test -all", egress=("192.0.2.1", "192.0.2.2"))
    assert (result.facts["result"], result.facts["lookups"], result.facts["void_lookups"]) == ("pass", 2, 1)
    assert result.gauges == {"spf_lookups_left": 8}
    assert (await _check()).facts["result"] == "none"
    assert (await _check("v=spf1 x")).facts["result"] == "permerror"
    assert (await _check(HEALTHY)).facts["result"] is None


async def test_what_cannot_be_asked_is_no_finding() -> None:
    result = await check_spf(DomainUnderCheck(domain="broken.test"), ScriptedDns(ZONE))
    assert not result.findings
    assert result.unobserved
    assert result.facts["lookups"] is None
    result = await _check("v=spf1 include:broken.test -all", egress=("192.0.2.1",))
    assert not [finding for finding in result.findings if finding.severity is Severity.ERROR]
    assert result.unobserved


@pytest.mark.parametrize(
    ("record", "result"),
    [
        (HEALTHY, None),
        ("v=spf1 include:five.test include:five.test -all", "permerror"),
        ("v=spf1 include:loop.test -all", "permerror"),
        ("v=spf1 a:no1.test a:no2.test a:no3.test -all", "permerror"),
        ("v=spf1 include:no1.test -all", "permerror"),
        ("v=spf1 include:two.test -all", "permerror"),
        ("v=spf1 mx:eleven.test -all", "permerror"),
        ("v=spf1 foo -all", "permerror"),
    ],
)
async def test_without_an_address_the_result_is_told_where_the_record_ends_in_an_error(
    record: str, result: str | None
) -> None:
    assert (await _check(record)).facts["result"] == result


async def test_an_address_that_the_record_names_before_it_fails_passes() -> None:
    found = await _check("v=spf1 ip4:192.0.2.1 a:no1.test a:no2.test a:no3.test -all", egress=("192.0.2.1",))
    assert found.facts["result"] == "pass"
