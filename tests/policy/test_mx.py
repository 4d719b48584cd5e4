"""Rules of MX that a zone cannot show; the faults themselves stand in `tests/zones`."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.model import CheckResult, DnsAnswer, DnsStatus, DomainUnderCheck
from smtp_probe.policy.mx import check_mx, is_host_name
from tests.policy.scripted import ScriptedDns, mx

SUBJECT = DomainUnderCheck(domain="e.test")
HOSTS: dict[str, Any] = {
    "a.test": {"A": ("192.0.2.1",)},
    "b.test": {"A": ("192.0.2.2",), "AAAA": ("2001:db8::2",)},
}


def _ids(result: CheckResult) -> list[str]:
    return [finding.check for finding in result.findings]


async def test_hosts_come_by_preference_each_once() -> None:
    zone = {**HOSTS, "e.test": {"MX": mx("20 a.test", "10 b.test", "30 b.test")}}
    result = await check_mx(SUBJECT, ScriptedDns(zone))
    assert result.facts["hosts"] == ["b.test", "a.test"]
    assert result.facts["records"][0] == {
        "preference": 10,
        "host": "b.test",
        "addresses": ["2001:db8::2", "192.0.2.2"],
    }
    assert result.gauges == {"mx_ttl_seconds": 3600}


async def test_a_host_that_cannot_be_looked_up_is_unobserved_and_no_finding() -> None:
    zone: dict[str, Any] = {
        **HOSTS,
        "e.test": {"MX": mx("10 a.test", "20 c.test")},
        "c.test": DnsStatus.TIMEOUT,
    }
    result = await check_mx(SUBJECT, ScriptedDns(zone))
    assert not result.findings
    assert result.unobserved


@pytest.mark.parametrize("status", [DnsStatus.SERVER_FAILED, DnsStatus.REFUSED, DnsStatus.TIMEOUT])
async def test_a_resolver_that_fails_says_nothing_of_the_domain(status: DnsStatus) -> None:
    result = await check_mx(SUBJECT, ScriptedDns({"e.test": status}))
    assert (result.findings, len(result.unobserved)) == ((), 1)


async def test_one_name_with_two_addresses_is_no_single_point_of_failure() -> None:
    zone: dict[str, Any] = {"e.test": {"MX": mx("10 a.test")}, "a.test": {"A": ("192.0.2.1", "192.0.2.2")}}
    assert not _ids(await check_mx(SUBJECT, ScriptedDns(zone)))


async def test_a_cache_tells_nothing_of_a_short_time_to_live() -> None:
    zone = ScriptedDns({**HOSTS, "e.test": {"MX": mx("10 a.test", "20 b.test")}}, ttl=5)

    async def cached(name: str, kind: str) -> DnsAnswer:
        answer = await zone(name, kind)
        return DnsAnswer(
            name=name, kind=kind, status=answer.status, values=answer.values, ttl_seconds=answer.ttl_seconds
        )

    assert not _ids(await check_mx(SUBJECT, cached))
    zone.ttl = 90_000
    assert set(_ids(await check_mx(SUBJECT, cached))) == {"mx_ttl_long"}


async def test_private_addresses_may_be_wanted() -> None:
    zone: dict[str, Any] = {"e.test": {"MX": mx("10 a.test")}, "a.test": {"A": ("10.0.0.1", "10.0.0.2")}}
    assert _ids(await check_mx(SUBJECT, ScriptedDns(zone))) == ["mx_unroutable_address"]
    assert not _ids(await check_mx(SUBJECT, ScriptedDns(zone), allows_private=True))


@pytest.mark.parametrize("name", ["a.test", "A-1.test", "1.test", "xn--a.test"])
def test_names_of_hosts(name: str) -> None:
    assert is_host_name(name)


@pytest.mark.parametrize(
    "name", ["", "test", "-a.test", "a-.test", "a_b.test", "a..test", "a.test.", "x" * 64 + ".test"]
)
def test_what_is_none(name: str) -> None:
    assert not is_host_name(name)
