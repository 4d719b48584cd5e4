"""The order of the checks, their budgets, and what one that is broken does to the others."""

from __future__ import annotations

import logging

import pytest

from smtp_probe.model import CheckResult, DnsAnswer, DnsStatus, DomainUnderCheck, Finding, Severity
from smtp_probe.ports import Ask
from smtp_probe.probes.domain import DNS_CHECKS, check_domain

SUBJECT = DomainUnderCheck(domain="example.test")


async def _nothing(name: str, kind: str) -> DnsAnswer:
    return DnsAnswer(name=name, kind=kind, status=DnsStatus.NO_DATA)


def _finding(severity: Severity) -> Finding:
    return Finding(check="x", severity=severity, message="")


async def test_those_after_the_mx_check_know_the_hosts() -> None:
    seen: list[tuple[str, ...]] = []

    async def mx(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
        return CheckResult(facts={"hosts": ["a.test", "b.test"]})

    async def other(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
        seen.append(subject.mx_hosts)
        return CheckResult()

    await check_domain(SUBJECT, _nothing, {"other": other, "mx": mx})
    assert seen == [("a.test", "b.test")]


async def test_a_bug_in_one_check_is_logged_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
        raise ZeroDivisionError

    async def sound(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
        return CheckResult(findings=(_finding(Severity.INFO), _finding(Severity.ERROR)))

    with caplog.at_level(logging.ERROR):
        report = await check_domain(SUBJECT, _nothing, {"spf": broken, "sound": sound})
    assert "ZeroDivisionError" in caplog.text
    assert not report.is_observed
    assert [finding.severity for finding in report.findings] == [Severity.ERROR, Severity.INFO]


async def test_what_is_not_essential_may_be_unseen() -> None:
    async def blind(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
        return CheckResult(unobserved=("dark",))

    report = await check_domain(SUBJECT, _nothing, {"caa": blind})
    assert report.is_observed
    assert report.unobserved == ("dark",)


async def test_a_part_may_be_enough() -> None:
    async def half_blind(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
        return CheckResult(unobserved=("no IPv6 here",), is_partial=True)

    report = await check_domain(SUBJECT, _nothing, {"exchangers": half_blind})
    assert report.is_observed
    assert report.unobserved == ("no IPv6 here",)


async def test_every_answer_is_kept_once() -> None:
    report = await check_domain(SUBJECT, _nothing, DNS_CHECKS)
    questions = [(answer.name, answer.kind) for answer in report.records]
    assert ("example.test", "TXT") in questions
    assert len(questions) == len(set(questions))
