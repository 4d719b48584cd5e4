"""Signed zones of a real name server behind a real validating resolver: secure, insecure, bogus, and what leads there."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import pytest

from smtp_probe.app.domain_check import LookOptions, look_at_domain
from smtp_probe.config.settings import ResolverSettings
from smtp_probe.model import DnsSecurity, DnsStatus, DomainUnderCheck
from smtp_probe.network.resolver import DnsResolver
from tests.zones.nameserver import ADDRESS, free_port, serve

pytestmark = pytest.mark.lab

_CHILD = """$ORIGIN {name}.
$TTL 3600
@ IN SOA ns.test. admin.test. 1 3600 600 86400 300
@ IN NS ns.test.
@ IN MX 10 mx1
@ IN MX 20 mx2
mx1 IN A 198.18.0.1
mx2 IN A 198.18.0.2
@ IN TXT "v=spf1 mx -all"
_dmarc IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{name}"
s1._domainkey IN TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
_25._tcp.mx1 IN TLSA 3 1 1 {digest}
_25._tcp.mx2 IN TLSA 3 1 1 {digest}
"""
_PARENT = """$ORIGIN test.
$TTL 3600
@ IN SOA ns.test. admin.test. 1 3600 600 86400 300
@ IN NS ns.test.
ns IN A 127.0.0.1
"""
_UNBOUND = """server:
    interface: {address}
    port: {port}
    username: ""
    chroot: ""
    directory: "{folder}"
    pidfile: ""
    use-syslog: no
    logfile: ""
    do-not-query-localhost: no
    do-daemonize: no
    num-threads: 1
    module-config: "validator iterator"
    trust-anchor-file: "{anchor}"
    local-zone: "test." nodefault
remote-control:
    control-enable: no
"""
CHILDREN = ("signed", "unsigned", "mismatch", "nokey", "island", "ended", "ending", "weak")
EXPECTED = {
    "signed": (),
    "unsigned": ("dane_insecure", "dane_insecure"),
    "mismatch": ("dnssec_bogus",),
    "nokey": ("dnssec_bogus",),
    "island": ("dane_insecure", "dane_insecure", "dnssec_no_ds"),
    "ended": ("dnssec_bogus",),
    "ending": ("dnssec_signature_expiring",),
    "weak": ("dnssec_weak_algorithm",),
}


def _key(folder: Path, zone: str, algorithm: str = "ECDSAP256SHA256") -> Path:
    command = ["ldns-keygen", "-a", algorithm, "-b", "2048", "-k", zone]
    return (
        folder
        / subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
    )


def _sign(folder: Path, zone: str, text: str, key: Path, *, until: str = "20450101") -> str:
    source = folder / f"{zone}.unsigned"
    source.write_text(text)
    target = folder / f"{zone}.signed"
    command = ["ldns-signzone", "-i", "20200101", "-e", until, "-f", str(target), str(source), str(key)]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return target.read_text()


def _zones(folder: Path) -> tuple[dict[str, str], Path]:
    """All zones by name, and the file of the trust anchor."""
    parent, zones = _PARENT, {}
    soon = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.clock_gettime(time.CLOCK_REALTIME) + 86_400))
    ends = {"ended": "20210101", "ending": soon}
    for child in CHILDREN:
        name = f"{child}.test"
        text = _CHILD.format(name=name, digest="ab" * 32)
        parent += f"{child} IN NS ns.test.\n"
        key = _key(folder, name, "RSASHA1" if child == "weak" else "ECDSAP256SHA256")
        ds = key.with_name(f"{key.name}.ds").read_text().split(None, 3)[-1]
        if child in ("signed", "nokey", "ended", "ending", "weak"):
            parent += f"{child} 3600 IN {ds if ds.startswith('DS') else 'DS ' + ds}\n"
        elif child == "mismatch":
            parent += f"{child} 3600 IN DS 12345 13 2 {'cd' * 32}\n"
        is_signed = child not in ("unsigned", "nokey")
        zones[name] = _sign(folder, name, text, key, until=ends.get(child, "20450101")) if is_signed else text
    key = _key(folder, "test")
    return {"test": _sign(folder, "test", parent, key), **zones}, key.with_name(f"{key.name}.key")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("signed")


@pytest.fixture(scope="module")
def upstream(folder: Path) -> Iterator[int]:
    """The name server of the zones, which validates nothing."""
    zones, anchor = _zones(folder)
    (folder / "anchor").write_text(anchor.read_text())
    with serve(zones, folder) as port:
        yield port


@pytest.fixture(scope="module")
def port(folder: Path, upstream: int) -> Iterator[int]:
    """A validating resolver in front of it."""
    port = free_port()
    configuration = _UNBOUND.format(address=ADDRESS, port=port, folder=folder, anchor=folder / "anchor")
    for name in ("test", *(f"{child}.test" for child in CHILDREN)):
        configuration += f'stub-zone:\n    name: "{name}."\n    stub-addr: {ADDRESS}@{upstream}\n'
    (folder / "unbound.conf").write_text(configuration)
    with (folder / "unbound.log").open("wb") as log:
        process = subprocess.Popen(
            ["/usr/sbin/unbound", "-d", "-c", folder / "unbound.conf"], stdout=log, stderr=log
        )
        _wait_until_it_answers(process, port, folder / "unbound.log")
        yield port
        process.terminate()
        process.wait(10)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 10
    query = dns.message.make_query("test", "SOA")
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError, dns.exception.DNSException):
            if dns.query.udp(query, ADDRESS, 0.5, port).answer:
                return
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def _settings(port: int, *, trust_ad: bool = True) -> ResolverSettings:
    return ResolverSettings(nameservers=(ADDRESS,), port=port, trust_ad=trust_ad, timeout=3, lifetime=6)


@pytest.mark.parametrize("child", CHILDREN)
async def test_each_fault_of_signing_has_its_finding(child: str, port: int) -> None:
    options = LookOptions(resolver=_settings(port), dials=False)
    report = await look_at_domain(DomainUnderCheck(domain=f"{child}.test"), options)
    assert sorted(finding.check for finding in report.findings) == sorted(EXPECTED[child]), report.unobserved


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        ("signed", []),
        ("unsigned", []),
        ("nokey", ["dnssec_no_key"]),
        ("mismatch", ["dnssec_ds_mismatch"]),
        ("ended", ["dnssec_signature_expiring"]),
    ],
)
async def test_faults_are_seen_where_nobody_validates(child: str, expected: list[str], upstream: int) -> None:
    options = LookOptions(resolver=_settings(upstream, trust_ad=False), dials=False)
    report = await look_at_domain(DomainUnderCheck(domain=f"{child}.test"), options)
    assert [finding.check for finding in report.findings] == expected, report.findings
    assert report.is_observed, report.unobserved


async def test_a_zone_does_not_know_what_its_parent_says(folder: Path, upstream: int) -> None:
    """Asked for DS, a server that has the child alone answers for the child."""
    own = folder / "alone"
    own.mkdir()
    with serve({"island.test": (folder / "island.test.signed").read_text()}, own) as port:
        options = LookOptions(resolver=_settings(port, trust_ad=False), dials=False)
        report = await look_at_domain(DomainUnderCheck(domain="island.test"), options)
    assert not report.findings
    assert report.results["dnssec"].facts["has_keys"] is True
    options = LookOptions(resolver=_settings(upstream, trust_ad=False), dials=False)
    report = await look_at_domain(DomainUnderCheck(domain="island.test"), options)
    assert [finding.check for finding in report.findings] == ["dnssec_no_ds"]


@pytest.mark.parametrize(
    ("child", "security"),
    [("signed", DnsSecurity.SECURE), ("unsigned", DnsSecurity.INSECURE), ("ended", DnsSecurity.BOGUS)],
)
async def test_what_the_resolver_says_is_believed_where_it_is_trusted(
    child: str, security: DnsSecurity, port: int
) -> None:
    answer = await DnsResolver(_settings(port)).ask(f"{child}.test", "MX")
    assert answer.security is security
    assert answer.is_failure is (security is DnsSecurity.BOGUS)


async def test_without_trust_nothing_is_claimed_but_a_failure_that_checking_makes(port: int) -> None:
    resolver = DnsResolver(_settings(port, trust_ad=False))
    assert (await resolver.ask("signed.test", "MX")).security is DnsSecurity.UNKNOWN
    assert (await resolver.ask("ended.test", "MX")).security is DnsSecurity.BOGUS
    assert (await resolver.ask("nowhere.test", "MX")).status is DnsStatus.NO_SUCH_NAME


async def test_a_signature_tells_the_time_to_live_that_the_zone_gives(port: int) -> None:
    answer = await DnsResolver(_settings(port)).ask("signed.test", "MX")
    assert answer.original_ttl_seconds == 3600
    assert answer.signed_until_seconds is not None
