"""Each fault in a zone of a real name server gives its finding, and no other; the healthy zone gives none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from smtp_probe.app.domain_check import LookOptions, look_at_domain
from smtp_probe.cli.domain_arguments import read_subject
from smtp_probe.config.settings import ResolverSettings
from smtp_probe.model import DomainUnderCheck
from tests.zones.domains import Domain, fill, write_zone
from tests.zones.faults import FAULTS
from tests.zones.nameserver import ADDRESS, serve

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serve({".": write_zone(FAULTS)}, tmp_path_factory.mktemp("nsd")) as port:
        yield port


@pytest.mark.parametrize("domain", FAULTS, ids=lambda domain: domain.name)
async def test_a_fault_has_its_finding_and_no_other(domain: Domain, port: int) -> None:
    about = {name: fill(text, domain, FAULTS.index(domain)) for name, text in domain.about.items()}
    egress = [about["egress"]] if "egress" in about else []
    selectors = [about["selector"]] if "selector" in about else []
    subject = read_subject(f"{domain.name}.test", selectors, egress, about.get("ehlo"), about.get("sender"))
    settings = ResolverSettings(nameservers=(ADDRESS,), port=port, timeout=1, lifetime=3)
    report = await look_at_domain(subject, LookOptions(resolver=settings, dials=False))
    assert Counter(finding.check for finding in report.findings) == Counter(domain.expect), report.findings
    assert report.is_observed, report.unobserved
    assert all(finding.advice and finding.source and finding.subject for finding in report.findings)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mail.healthy.test", []),
        ("probe", []),
        ("gone.healthy.test", ["ehlo_own_unconfirmed"]),
        ("mx2.healthy.test", ["ehlo_own_unconfirmed"]),
    ],
)
async def test_our_own_ehlo_name_leads_back_to_itself(name: str, expected: list[str], port: int) -> None:
    settings = ResolverSettings(nameservers=(ADDRESS,), port=port, timeout=1, lifetime=3)
    subject = DomainUnderCheck(domain="healthy.test", own_ehlo_names=(name,))
    report = await look_at_domain(subject, LookOptions(resolver=settings, dials=False))
    assert [finding.check for finding in report.findings] == expected


def test_there_is_a_zone_for_every_fault() -> None:
    assert len({domain.name for domain in FAULTS}) == len(FAULTS)
    assert len(FAULTS) >= 60
