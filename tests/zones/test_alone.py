"""A name server that has the zone alone and refuses everything above it: nothing that the zone says is unobserved for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from smtp_probe.app.domain_check import LookOptions, look_at_domain
from smtp_probe.cli.domain_arguments import read_subject
from smtp_probe.config.settings import ResolverSettings
from smtp_probe.model import DnsStatus
from smtp_probe.network.resolver import DnsResolver
from tests.zones.authentication_faults import AUTHENTICATION_FAULTS
from tests.zones.domains import Domain, fill, write_zones
from tests.zones.faults import FAULTS
from tests.zones.nameserver import ADDRESS, serve

pytestmark = pytest.mark.lab
_NAMES = (
    *(
        "healthy",
        "healthy-egress",
        "healthy-egress6",
        "mx-none",
        "mx-address",
        "mx-gone",
        "spf-none",
        "spf-two",
    ),
    *("caa-none", "sts", "ptr-none", "dmarc-missing", "dmarc-two", "dmarc-none", "dmarc-sp", "dkim-missing"),
)
DOMAINS = [domain for domain in (*FAULTS, *AUTHENTICATION_FAULTS) if domain.name in _NAMES]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serve(write_zones(DOMAINS), tmp_path_factory.mktemp("nsd")) as port:
        yield port


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
async def test_a_zone_alone_is_judged_as_a_whole(domain: Domain, port: int) -> None:
    about = {name: fill(text, domain, DOMAINS.index(domain)) for name, text in domain.about.items()}
    egress = [about["egress"]] if "egress" in about else []
    subject = read_subject(f"{domain.name}.test", ["s1"], egress, about.get("ehlo"), about.get("sender"))
    settings = ResolverSettings(nameservers=(ADDRESS,), port=port, timeout=1, lifetime=3)
    report = await look_at_domain(subject, LookOptions(resolver=settings, dials=False))
    assert Counter(finding.check for finding in report.findings) == Counter(domain.expect), report.findings
    assert report.is_observed, report.unobserved


async def test_what_stands_above_is_not_claimed(port: int) -> None:
    settings = ResolverSettings(nameservers=(ADDRESS,), port=port, timeout=1, lifetime=3)
    report = await look_at_domain(
        read_subject("dmarc-missing.test", [], [], None, None), LookOptions(resolver=settings, dials=False)
    )
    (finding,) = report.findings
    assert "whether test has one could not be looked up" in finding.message
    assert any(text.startswith("_dmarc.test TXT could not be looked up") for text in report.unobserved)
    resolver = DnsResolver(settings)
    assert (await resolver.ask("_dmarc.test", "TXT")).status is DnsStatus.REFUSED
    assert (await resolver.ask("healthy.test", "DS")).zone == "healthy.test"
