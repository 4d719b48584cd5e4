"""Exchangers that are real: Postfix with certificates good and bad, Exim without TLS, addresses where nobody is."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smtp_probe.app.domain_check import LookOptions, look_at_domain
from smtp_probe.config.settings import ResolverSettings
from smtp_probe.model import DomainReport, DomainUnderCheck, TlsaRecord
from smtp_probe.network.exchanger import VisitTerms
from smtp_probe.policy.certificates import public_key
from tests.lab import MailLab
from tests.lab.exim import Exim, start_exim
from tests.zones.nameserver import ADDRESS, serve

pytestmark = pytest.mark.lab
DOMAIN = "example.test"


@pytest.fixture(scope="module")
def lab() -> Iterator[MailLab]:
    with MailLab.start() as running:
        yield running


@pytest.fixture(scope="module")
def exim(lab: MailLab) -> Exim:
    return start_exim(lab)


def _zone(lab: MailLab, *more: str) -> str:
    base = lab.dns.host.rpartition(".")[0]
    lines = [
        ". 3600 IN SOA ns.test. admin.test. 1 3600 600 86400 300",
        ". 3600 IN NS ns.test.",
        "ns.test. 3600 IN A 127.0.0.1",
        f"{DOMAIN}. 3600 IN MX 10 mx1.{DOMAIN}.",
        f"{DOMAIN}. 3600 IN MX 20 mx2.{DOMAIN}.",
        f'{DOMAIN}. 3600 IN TXT "v=spf1 mx -all"',
        f'_dmarc.{DOMAIN}. 3600 IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{DOMAIN}"',
        f's1._domainkey.{DOMAIN}. 3600 IN TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="',
        f"mx1.{DOMAIN}. 3600 IN A {base}.3",
        f"mx2.{DOMAIN}. 3600 IN A {base}.5",
        f"mta-sts.{DOMAIN}. 3600 IN A {base}.6",
        *(line.replace("{base}", base) for line in more),
    ]
    return "\n".join(lines) + "\n"


async def _look(lab: MailLab, folder: Path, *more: str, **terms: Any) -> DomainReport:
    with serve({".": _zone(lab, *more)}, folder) as port:
        options = LookOptions(
            resolver=ResolverSettings(nameservers=(ADDRESS,), port=port, timeout=2, lifetime=4),
            allows_private=True,
            ca_file=lab.ca_file,
            terms=VisitTerms(ehlo_name="probe.example.test", connect_seconds=3, answer_seconds=5, **terms),
        )
        report = await look_at_domain(DomainUnderCheck(domain=DOMAIN), options)
    assert report.is_observed, report.unobserved
    return report


def _ids(report: DomainReport) -> Counter[str]:
    return Counter(finding.check for finding in report.findings)


async def test_a_healthy_domain_on_real_servers_has_no_findings(lab: MailLab, tmp_path: Path) -> None:
    recipient = lab.mail_address("probe1")
    report = await _look(lab, tmp_path, recipient=recipient)
    assert not _ids(report)
    visits = report.results["exchangers"].facts["visits"]
    assert len(visits) == 2
    for visit in visits.values():
        assert visit["up"] is True
        assert visit["tls_version"] in ("TLSv1.2", "TLSv1.3")
        assert visit["recipient"].startswith("250")
        assert {"connect", "greeting", "ehlo", "starttls", "mail", "rcpt"} <= set(visit["phases"])


async def test_an_unknown_recipient_is_told_at_each_host(lab: MailLab, tmp_path: Path) -> None:
    report = await _look(lab, tmp_path, recipient=lab.mail_address("nobody"))
    assert _ids(report) == {"exchanger_recipient_refused": 2}


async def test_postfix_is_no_open_relay_and_exim_here_is(lab: MailLab, exim: Exim, tmp_path: Path) -> None:
    more = (f"{DOMAIN}. 3600 IN MX 30 exim.{DOMAIN}.", f"exim.{DOMAIN}. 3600 IN A {exim.address}")
    report = await _look(lab, tmp_path, *more, tests_relay=True)
    found = {
        (finding.check, finding.subject) for finding in report.findings if finding.check != "exchanger_vrfy"
    }
    subject = f"exim.{DOMAIN} [{exim.address}]"
    assert found == {("exchanger_no_starttls", subject), ("exchanger_open_relay", subject)}


async def test_an_address_that_is_left_over_is_named(lab: MailLab, tmp_path: Path) -> None:
    report = await _look(lab, tmp_path, f"mx1.{DOMAIN}. 3600 IN A {{base}}.250")
    (finding,) = report.findings
    assert finding.check == "exchanger_unreachable"
    assert finding.subject.endswith(".250]")
    assert "left over" in finding.message


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("soon", "exchanger_certificate_expiring"),
        ("expired", "exchanger_certificate_expired"),
        ("wrong_name", "exchanger_certificate_name"),
        ("untrusted", "exchanger_certificate_untrusted"),
    ],
)
async def test_postfix_with_a_bad_certificate(kind: str, check: str, lab: MailLab, tmp_path: Path) -> None:
    lab.use_certificate("mx", kind)
    try:
        assert _ids(await _look(lab, tmp_path)) == {check: 2}
    finally:
        lab.use_certificate("mx", "good")


async def test_dane_is_matched_with_what_postfix_presents(lab: MailLab, tmp_path: Path) -> None:
    own, other = TlsaRecord(3, 1, 1, _key_digest(lab)), TlsaRecord(3, 1, 1, bytes(32))
    expected: list[tuple[tuple[TlsaRecord, ...], dict[str, int]]] = [
        ((own, other), {}),
        ((own,), {"dane_rollover": 2}),
        ((other,), {"dane_mismatch": 2}),
    ]
    for number, (records, ids) in enumerate(expected):
        folder = tmp_path / str(number)
        folder.mkdir()
        lines = [
            f"_25._tcp.mx{host}.{DOMAIN}. 3600 IN TLSA {record.usage} {record.selector} {record.matching} {record.data.hex()}"
            for host in (1, 2)
            for record in records
        ]
        assert _ids(await _look(lab, folder, *lines)) == ids


def _key_digest(lab: MailLab) -> bytes:
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    where = (lab.submission.host, lab.submission.implicit_tls_port)
    with (
        socket.create_connection(where, 5) as plain,
        context.wrap_socket(plain, server_hostname=where[0]) as tls,
    ):
        certificate = tls.getpeercert(binary_form=True)
    assert certificate is not None
    return hashlib.sha256(public_key(certificate)).digest()


_STS = f'_mta-sts.{DOMAIN}. 3600 IN TXT "v=STSv1; id=1;"'


async def test_a_policy_is_fetched_over_https(lab: MailLab, tmp_path: Path) -> None:
    report = await _look(lab, tmp_path, _STS)
    assert not _ids(report)
    assert report.results["mta_sts"].facts["mode"] == "enforce"
    assert report.results["mta_sts"].gauges["mta_sts_policy_expiry_timestamp_seconds"] > 1e9


@pytest.mark.parametrize("kind", ["expired", "wrong_name", "untrusted"])
async def test_a_policy_host_with_a_bad_certificate(kind: str, lab: MailLab, tmp_path: Path) -> None:
    lab.use_certificate("sts", kind)
    try:
        assert _ids(await _look(lab, tmp_path, _STS)) == {"mta_sts_certificate": 1}
    finally:
        lab.use_certificate("sts", "good")


async def test_a_host_that_the_policy_does_not_name(lab: MailLab, exim: Exim, tmp_path: Path) -> None:
    more = (_STS, f"{DOMAIN}. 3600 IN MX 30 a.b.{DOMAIN}.", f"a.b.{DOMAIN}. 3600 IN A {exim.address}")
    assert _ids(await _look(lab, tmp_path, *more)) == {"mta_sts_mx_not_named": 1, "exchanger_no_starttls": 1}
