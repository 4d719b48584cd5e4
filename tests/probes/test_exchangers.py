"""Which addresses are visited, how often, and for whom."""

from __future__ import annotations

import asyncio
import dataclasses

from smtp_probe.model import (
    CheckResult,
    DomainUnderCheck,
    ExchangerVisit,
    Phase,
    PhaseTiming,
    Reply,
    Severity,
)
from smtp_probe.ports import Ask
from smtp_probe.probes.exchangers import ExchangerLook
from tests.policy.scripted import ScriptedDns

SUBJECT = DomainUnderCheck(domain="e.test", mx_hosts=("a.test", "b.test"))
DNS = ScriptedDns(
    {
        "a.test": {"A": ("192.0.2.1", "0.0.0.0", "224.0.0.1"), "AAAA": ("2001:db8::1",)},
        "b.test": {"A": ("192.0.2.2",)},
    }
)


class Visitor:
    def __init__(self) -> None:
        self.visited: list[tuple[str, str]] = []

    async def __call__(self, host: str, address: str) -> ExchangerVisit:
        self.visited.append((host, address))
        phase = PhaseTiming(phase=Phase.EHLO, started_ns=0, duration_seconds=0.1, reply=Reply(code=250))
        greeting = PhaseTiming(
            phase=Phase.GREETING, started_ns=0, duration_seconds=0.1, reply=Reply(code=220)
        )
        return ExchangerVisit(host=host, address=address, phases=(greeting, phase), extensions=("starttls",))


async def _no_policy(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
    return CheckResult()


async def test_each_address_is_visited_once_whoever_wants_to_know() -> None:
    visitor = Visitor()
    look = ExchangerLook(visitor, lambda: 0, _no_policy)
    exchangers, dane = await asyncio.gather(
        look.check_exchangers(SUBJECT, DNS), look.check_dane(SUBJECT, DNS)
    )
    assert visitor.visited == [("a.test", "2001:db8::1"), ("a.test", "192.0.2.1"), ("b.test", "192.0.2.2")]
    assert list(exchangers.facts["visits"]) == ["a.test 2001:db8::1", "a.test 192.0.2.1", "b.test 192.0.2.2"]
    assert not exchangers.findings
    assert not dane.findings


async def test_a_domain_without_hosts_visits_nobody() -> None:
    visitor = Visitor()
    result = await ExchangerLook(visitor, lambda: 0, _no_policy).check_exchangers(
        DomainUnderCheck(domain="e.test"), DNS
    )
    assert (visitor.visited, result.facts) == ([], {})


async def test_the_policy_is_fetched_once_and_sharpens_what_is_found() -> None:
    asked: list[str] = []

    async def policy(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
        asked.append(subject.domain)
        return CheckResult(facts={"mode": "enforce"})

    class WithoutTls(Visitor):
        async def __call__(self, host: str, address: str) -> ExchangerVisit:
            return dataclasses.replace(await super().__call__(host, address), extensions=())

    look = ExchangerLook(WithoutTls(), lambda: 0, policy)
    result, _ = await asyncio.gather(look.check_exchangers(SUBJECT, DNS), look.check_mta_sts(SUBJECT, DNS))
    assert asked == ["e.test"]
    assert {(finding.check, finding.severity) for finding in result.findings} == {
        ("exchanger_no_starttls", Severity.ERROR)
    }


async def test_of_very_many_addresses_some_are_visited_and_the_others_are_told() -> None:
    addresses = tuple(f"192.0.2.{number}" for number in range(60))
    visitor = Visitor()
    look = ExchangerLook(visitor, lambda: 0, _no_policy)
    subject = DomainUnderCheck(domain="e.test", mx_hosts=("many.test",))
    result = await look.check_exchangers(subject, ScriptedDns({"many.test": {"A": addresses}}))
    assert len(visitor.visited) == 40
    assert result.unobserved == ("20 more addresses of MX hosts were not visited",)
    assert result.is_partial
