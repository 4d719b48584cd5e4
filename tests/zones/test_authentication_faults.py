"""Each fault of DKIM, DMARC, BIMI and block lists, served by a real name server, gives its finding, and no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from smtp_probe.app.domain_check import LookOptions, look_at_domain
from smtp_probe.cli.domain_arguments import read_subject
from smtp_probe.config.settings import ResolverSettings
from smtp_probe.policy.dnsbl import BlockLists
from tests.zones.authentication_faults import AUTHENTICATION_FAULTS, LIST_ZONES
from tests.zones.domains import Domain, fill, write_zone
from tests.zones.nameserver import ADDRESS, serve

pytestmark = pytest.mark.lab

LISTS = BlockLists(addresses=("bl.test",), domains=("dbl.test",))
BROKEN = ("ended.test", "wild.test", "refusing.test")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    lists = Domain(name="lists", plus=LIST_ZONES, without=("",))
    zone = write_zone([*AUTHENTICATION_FAULTS, lists])
    with serve({".": zone}, tmp_path_factory.mktemp("nsd")) as port:
        yield port


def _options(port: int, lists: BlockLists = LISTS) -> LookOptions:
    settings = ResolverSettings(nameservers=(ADDRESS,), port=port, timeout=1, lifetime=3)
    return LookOptions(resolver=settings, dials=False, block_lists=lists)


@pytest.mark.parametrize("domain", AUTHENTICATION_FAULTS, ids=lambda domain: domain.name)
async def test_a_fault_has_its_finding_and_no_other(domain: Domain, port: int) -> None:
    number = AUTHENTICATION_FAULTS.index(domain)
    about = {name: fill(text, domain, number) for name, text in domain.about.items()}
    egress = [about["egress"]] if "egress" in about else []
    name = f"{domain.name}.test"
    subject = read_subject(
        name, [about.get("selector", "s1")], egress, about.get("ehlo"), about.get("sender")
    )
    report = await look_at_domain(subject, _options(port))
    assert Counter(finding.check for finding in report.findings) == Counter(domain.expect), report.findings
    assert report.is_observed, report.unobserved
    assert all(finding.advice and finding.source and finding.subject for finding in report.findings)


@pytest.mark.parametrize("zone", BROKEN)
async def test_a_list_that_does_not_work_lists_nobody(zone: str, port: int) -> None:
    subject = read_subject("all-is-well.test", ["s1"], ["198.18.0.1"], None, None)
    report = await look_at_domain(subject, _options(port, BlockLists(addresses=(zone,))))
    assert not [finding for finding in report.findings if finding.check.startswith("dnsbl")]
    assert report.results["dnsbl"].facts["listings"][0]["state"] == "unknown"
    assert any(text.startswith(zone) for text in report.unobserved)


async def test_without_selectors_and_without_any_key(port: int) -> None:
    subject = read_subject("dkim-missing.test", [], [], None, None)
    report = await look_at_domain(subject, _options(port, BlockLists()))
    assert [finding.check for finding in report.findings] == ["dkim_absent"]


async def test_facts_of_dkim_and_dmarc(port: int) -> None:
    subject = read_subject("sub.dmarc-np.test", ["s1"], [], None, None)
    report = await look_at_domain(subject, _options(port, BlockLists()))
    dmarc = report.results["dmarc"].facts
    assert (dmarc["domain"], dmarc["policy"]) == ("dmarc-np.test", "quarantine")
    assert dmarc["alignment"] == {"spf": "relaxed", "dkim": "relaxed", "sender_aligned": None}
    good = await look_at_domain(read_subject("dkim-rsa.test", ["s1"], [], None, None), _options(port))
    (key,) = good.results["dkim"].facts["selectors"]
    assert (key["state"], key["algorithm"], key["bits"]) == ("usable", "rsa", 2048)


def test_there_is_a_zone_for_every_fault() -> None:
    assert len({domain.name for domain in AUTHENTICATION_FAULTS}) == len(AUTHENTICATION_FAULTS) > 50
