"""Each record that changes between two looks gives its finding, and no other; and the policy that changes under its id."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

import dns.message
import dns.query
import pytest

from smtp_probe.app.domain_check import DomainChecker, LookOptions
from smtp_probe.cli.domain_arguments import read_subject
from smtp_probe.config.settings import ResolverSettings
from smtp_probe.model import DomainReport
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.resolver import DnsResolver
from smtp_probe.probes.domain import check_domain
from smtp_probe.probes.record_watch import CHANGES, RecordWatch
from tests.probes.fakes import FakeClock, MemoryJournal
from tests.zones.domains import Domain, fill, write_zone
from tests.zones.nameserver import ADDRESS, serve, serve_anew

pytestmark = pytest.mark.lab

_TLSA = f"_25._tcp.mx2 TLSA 3 1 1 {'ab' * 32}\n_25._tcp.mx1 TLSA 3 1 1 "
_STS = '_mta-sts TXT "v=STSv1; id=1;"'
_BIMI = 'default._bimi TXT "v=BIMI1; l=https://e.test/logo.svg; a=https://e.test/mark.pem"'
_CHILD = """$ORIGIN c-ns.test.
$TTL 300
@ IN SOA ns1 admin 1 3600 600 86400 300
@ IN NS ns1
@ IN NS {second}
ns1 IN A 127.0.0.1
ns2 IN A 127.0.0.1
ns3 IN A 127.0.0.1
"""
"""A zone of its own, whose name servers change."""


def _tlsa(octet: str) -> str:
    return _TLSA + octet * 32


CHANGED: dict[str, tuple[str, str, str]] = {
    # The finding, what goes and what comes; what goes is a line of the healthy domain, or one that is added to it.
    "same": ("", "", ""),
    "mx": ("mx_changed", "@ MX 20 mx2", "@ MX 30 mx2"),
    "mx-more": ("mx_changed", "", "@ MX 30 mx3\nmx3 A {other}"),
    "spf": ("spf_changed", '@ TXT "v=spf1 mx ip4:{ip} -all"', '@ TXT "v=spf1 mx ip4:{ip} ~all"'),
    "other-txt": ("", "", '@ TXT "something else"'),
    "dkim": (
        "dkim_key_changed",
        's1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="',
        's1._domainkey TXT "v=DKIM1; k=ed25519; p=O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="',
    ),
    "dmarc": (
        "dmarc_changed",
        '_dmarc TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{domain}"',
        '_dmarc TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@{domain}"',
    ),
    "sts": ("mta_sts_changed", _STS, _STS.replace("id=1", "id=2")),
    "rpt": (
        "tls_rpt_changed",
        '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@{domain}"',
        '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:other@{domain}"',
    ),
    "bimi": ("bimi_changed", _BIMI, _BIMI.replace("logo", "sign")),
    "bimi-new": ("bimi_changed", "", _BIMI),
    "caa": ("caa_changed", '@ CAA 0 issue "ca.test"', '@ CAA 0 issue "other.test"'),
    "ds": ("dnssec_changed", "", f"@ DS 12345 13 2 {'cd' * 32}"),
    "address": ("", "mx2 A {other}", "mx2 A 192.0.2.77"),
    "ptr": ("ptr_changed", "{ip} PTR mail", "{ip} PTR mx1"),
}


def _domains(*, later: bool) -> list[Domain]:
    made = []
    for name, (_, gone, come) in CHANGED.items():
        plus = come if later else gone
        made.append(Domain(name=f"c-{name}", without=(gone,) if gone else (), plus=plus, ttl=300))
    for number, octet in enumerate(("ab", "cd")):
        if number == later:
            made.append(Domain(name="c-tlsa", plus=_tlsa(octet), ttl=300))
    made.append(Domain(name="c-ns", without=("",)))
    return made


EXPECTED = {
    **{f"c-{name}": expect for name, (expect, _, _) in CHANGED.items()},
    "c-tlsa": "dane_changed",
    "c-ns": "authority_changed",
}


async def _look(domain: Domain, number: int, port: int) -> DomainReport:
    settings = ResolverSettings(nameservers=(ADDRESS,), port=port, timeout=1, lifetime=3)
    resolver = DnsResolver(settings)
    egress = [fill("{ip}", domain, number)]
    subject = read_subject(f"{domain.name}.test", ["s1"], egress, None, None)
    options = LookOptions(resolver=settings, dials=False, asks_authority=True, authority_port=port)
    checks = DomainChecker(resolver, ReferenceClock()).checks(options)
    return await check_domain(subject, resolver.ask, checks)


async def test_each_change_has_its_finding_and_no_other(tmp_path: Path) -> None:
    watch = RecordWatch(MemoryJournal(), FakeClock())
    before, after = _domains(later=False), _domains(later=True)
    zones = {".": write_zone(before), "c-ns.test.": _CHILD.format(second="ns2")}
    with serve(zones, tmp_path) as port:
        for number, domain in enumerate(before):
            report = await watch.note(await _look(domain, number, port))
            assert not report.results[CHANGES].findings
        serve_anew(tmp_path, 1, _CHILD.format(second="ns3").replace(" 1 3600", " 2 3600"))
        await asyncio.to_thread(_wait_for_serial, port, 2, "c-ns.test.")
        serve_anew(tmp_path, 0, write_zone(after).replace("admin.test. 1 ", "admin.test. 2 "))
        await asyncio.to_thread(_wait_for_serial, port, 2)
        for number, domain in enumerate(after):
            report = await watch.note(await _look(domain, number, port))
            found = Counter(finding.check for finding in report.results[CHANGES].findings)
            expected = EXPECTED[domain.name]
            assert found == Counter([expected] if expected else []), (domain.name, report.findings)


def _wait_for_serial(port: int, serial: int, zone: str = ".") -> None:
    query = dns.message.make_query(zone, "SOA")
    for _ in range(500):
        answer = dns.query.udp(query, ADDRESS, 1, port).answer
        if answer and answer[0][0].serial == serial:
            return
        time.sleep(0.01)
    raise AssertionError(serial)
