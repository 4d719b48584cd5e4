"""Name servers asked one by one."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from smtp_probe.model import CheckResult, DnsAnswer, DnsStatus, DomainUnderCheck, SoaRecord
from smtp_probe.policy.authority import check_authority
from tests.policy.scripted import ScriptedDns, mx

ZONE: dict[str, Any] = {
    "e.test": {
        "NS": ("ns1.test", "ns2.test"),
        "SOA": (SoaRecord("ns1.test", "a.test", 7, 1, 1, 1, 1),),
        "MX": mx("10 a.test"),
        "TXT": ("v=spf1 -all",),
    },
    "sub.e.test": {"MX": mx("10 a.test")},
    "ns1.test": {"A": ("192.0.2.1",)},
    "ns2.test": {"A": ("192.0.2.2",)},
}


async def _check(second: Any, domain: str = "e.test", zone: dict[str, Any] | None = None) -> CheckResult:
    """The second name server has a zone of its own, or fails."""
    own = ZONE if zone is None else zone
    servers = {"192.0.2.1": ScriptedDns(own), "192.0.2.2": second}

    async def ask_server(address: str, name: str, kind: str) -> DnsAnswer:
        server = servers[address]
        if isinstance(server, DnsStatus):
            return DnsAnswer(name=name, kind=kind, status=server)
        answer: DnsAnswer = await server(name, kind)
        return answer

    return await check_authority(DomainUnderCheck(domain=domain), ScriptedDns(own), ask_server)


def _other(**records: Any) -> ScriptedDns:
    return ScriptedDns({**ZONE, "e.test": {**ZONE["e.test"], **records}})


@pytest.mark.parametrize(
    ("second", "checks"),
    [
        (ScriptedDns(ZONE), []),
        (DnsStatus.TIMEOUT, ["authority_unreachable"]),
        (DnsStatus.UNREACHABLE, ["authority_unreachable"]),
        (DnsStatus.REFUSED, ["authority_lame"]),
        (_other(MX=mx("10 b.test")), ["authority_answers_differ"]),
        (_other(TXT=("v=spf1 +all",)), ["authority_answers_differ"]),
        (_other(SOA=(SoaRecord("ns1.test", "a.test", 8, 1, 1, 1, 1),)), ["authority_serials_differ"]),
    ],
)
async def test_they_are_to_answer_and_all_the_same(second: Any, checks: list[str]) -> None:
    result = await _check(second)
    assert [finding.check for finding in result.findings] == checks
    assert not result.unobserved


async def test_the_zone_may_begin_above_the_domain() -> None:
    result = await _check(ScriptedDns(ZONE), "sub.e.test")
    assert result.facts["zone"] == "e.test"
    assert not result.findings


async def test_a_server_that_only_knows_by_hearsay_is_lame() -> None:
    scripted = ScriptedDns(ZONE)

    class Cache(ScriptedDns):
        async def __call__(self, name: str, kind: str) -> DnsAnswer:
            return dataclasses.replace(await scripted(name, kind), original_ttl_seconds=None)

    assert [finding.check for finding in (await _check(Cache(ZONE))).findings] == ["authority_lame"]


async def test_one_alone_is_told() -> None:
    zone = {**ZONE, "e.test": {**ZONE["e.test"], "NS": ("ns1.test",)}}
    assert [finding.check for finding in (await _check(ScriptedDns(zone), zone=zone)).findings] == [
        "authority_single"
    ]


async def test_what_cannot_be_asked_is_unobserved() -> None:
    assert (await _check(ScriptedDns({}), zone={"e.test": DnsStatus.TIMEOUT})).unobserved
