"""Every fault of an exchanger and of an MTA-STS page, one domain each: a real name server leads to servers made for it.

Real Postfix and Exim are visited in `test_exchangers`; here are those that do what these never do.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import NamedTuple

import pytest
import pytest_asyncio

from smtp_probe.app.domain_check import LookOptions, look_at_domain
from smtp_probe.config.settings import ResolverSettings
from smtp_probe.model import DomainReport, DomainUnderCheck, Severity
from smtp_probe.network.exchanger import VisitTerms
from smtp_probe.policy import exchangers
from smtp_probe.probes.record_watch import RecordWatch
from tests.probes.fakes import FakeClock, MemoryJournal
from tests.zones.broken_servers import GOOD_ADDRESS, POLICY, Case, Certificates, PolicyHost, page, smtp_server
from tests.zones.exchanger_cases import CASES
from tests.zones.nameserver import ADDRESS, free_port, serve

pytestmark = pytest.mark.lab


class Servers(NamedTuple):
    smtp_port: int
    https_port: int
    policies: PolicyHost


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"), [case.domain for case in CASES])


@pytest.fixture(scope="module")
def dns_port(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    lines = [". 3600 IN SOA ns.test. admin.test. 1 3600 600 86400 300", ". 3600 IN NS ns.test."]
    for number, case in enumerate(CASES, 1):
        lines += case.zone(number, certificates)
    with serve({".": "\n".join(lines) + "\n"}, tmp_path_factory.mktemp("nsd")) as port:
        yield port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(certificates: Certificates) -> AsyncIterator[Servers]:
    smtp_port, https_port = free_port(GOOD_ADDRESS), free_port(PolicyHost.ADDRESS)
    async with AsyncExitStack() as running:
        good = Case(name="good")
        await running.enter_async_context(smtp_server(good, certificates).running(GOOD_ADDRESS, smtp_port))
        for number, case in enumerate(CASES, 1):
            if case.is_there:
                server = smtp_server(case, certificates)
                await running.enter_async_context(server.running(case.address(number), smtp_port))
        policies = PolicyHost(CASES, certificates)
        await running.enter_async_context(policies.running(https_port))
        yield Servers(smtp_port, https_port, policies)


async def _look(case: Case, dns_port: int, servers: Servers, certificates: Certificates) -> DomainReport:
    options = LookOptions(
        resolver=ResolverSettings(nameservers=(ADDRESS,), port=dns_port, timeout=1, lifetime=3),
        allows_private=True,
        ca_file=certificates.ca_file,
        https_port=servers.https_port,
        terms=VisitTerms(
            ehlo_name="probe.test",
            port=servers.smtp_port,
            connect_seconds=1,
            answer_seconds=0.7,
            **case.terms,
        ),
    )
    return await look_at_domain(DomainUnderCheck(domain=case.domain), options)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_fault_has_its_finding_and_no_other(
    case: Case,
    dns_port: int,
    servers: Servers,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exchangers, "_SLOW_SECONDS", 0.3)
    report = await _look(case, dns_port, servers, certificates)
    assert Counter(finding.check for finding in report.findings) == Counter(case.expect), report.findings
    assert report.is_observed, report.unobserved
    assert all(finding.advice and finding.source and finding.subject for finding in report.findings)
    if case.is_grave is not None:
        assert (report.findings[0].severity is Severity.ERROR) is case.is_grave


@pytest.mark.asyncio(loop_scope="module")
async def test_a_policy_that_changes_under_its_id_is_told_over_a_restart(
    dns_port: int, servers: Servers, certificates: Certificates
) -> None:
    case = next(case for case in CASES if case.name == "sts-enforced")
    journal = MemoryJournal()
    first = await _look(case, dns_port, servers, certificates)
    assert not (await RecordWatch(journal, FakeClock()).note(first)).findings
    changed = dataclasses.replace(case, policy=page(POLICY.replace("604800", "704800")))
    servers.policies.put(changed)
    later = RecordWatch(journal, FakeClock())
    later.restore(journal.events[0].memos)
    report = await later.note(await _look(case, dns_port, servers, certificates))
    servers.policies.put(case)
    assert [finding.check for finding in report.findings] == ["mta_sts_id_unchanged"]


def test_each_fault_is_told_apart() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 50
