"""SMTP and web servers with one fault each, at loopback addresses of their own, and the certificates that they present."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hashlib
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import trustme
from cryptography import x509

from smtp_probe.network.clock import ReferenceClock
from smtp_probe.policy.certificates import public_key
from tests.network.certificates import EXPIRED_AT, GOOD_UNTIL, revocation_list
from tests.network.hostile_smtp import Behaviour, HostileSmtp

GOOD_ADDRESS = "127.81.0.2"
"""Of the second MX host of every domain, which is well."""
PAGE = "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: *.{domain}\r\nmax_age: 604800\r\n"


def page(body: str = POLICY, status: str = "200 OK", kind: str = "text/plain") -> bytes:
    """An answer of a web server."""
    return PAGE.format(status=status, kind=kind).encode() + body.encode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One domain with two MX hosts, the second of which is well."""

    name: str
    expect: tuple[str, ...] = ()
    answers: Mapping[str, Behaviour] = field(default_factory=dict)
    """What the first host says, where it is not what a good server says."""
    certificate: str = "good"
    """Of the first host; empty: no STARTTLS."""
    is_there: bool = True
    terms: Mapping[str, Any] = field(default_factory=dict)
    tlsa: tuple[str, ...] = ()
    """TLSA records of the first host; `{key}` is the digest of its key, `{ca}` that of its authority's certificate.
    The second host has good ones then.
    """
    policy: bytes | None = None
    """What the web server answers; None where there is no MTA-STS record."""
    policy_certificate: str = "good"
    policy_address: str | None = "127.81.255.2"
    is_grave: bool | None = None
    """Whether the first finding is an error, where that is in question."""

    @property
    def domain(self) -> str:
        return f"{self.name}.test"

    def address(self, number: int) -> str:
        return f"127.81.{number}.1"

    def zone(self, number: int, certificates: Certificates) -> list[str]:
        """Its lines of the master file."""
        domain = self.domain
        lines = [
            f"{domain}. 3600 IN MX 10 mx1.{domain}.",
            f"{domain}. 3600 IN MX 20 mx2.{domain}.",
            f'{domain}. 3600 IN TXT "v=spf1 mx -all"',
            f'_dmarc.{domain}. 3600 IN TXT "v=DMARC1; p=reject; rua=mailto:d@{domain}"',
            f'k._domainkey.{domain}. 3600 IN TXT "v=DKIM1; p="',
            f"mx1.{domain}. 3600 IN A {self.address(number)}",
            f"mx2.{domain}. 3600 IN A {GOOD_ADDRESS}",
        ]
        if self.tlsa:
            own, well = certificates.facts(self.certificate or "good"), certificates.facts("good")
            lines += [f"_25._tcp.mx1.{domain}. 3600 IN TLSA {text.format(**own)}" for text in self.tlsa]
            lines += [f"_25._tcp.mx2.{domain}. 3600 IN TLSA 3 1 1 {well['key']}"]
            lines += [f"_25._tcp.mx2.{domain}. 3600 IN TLSA 2 0 1 {well['ca']}"]
        if self.policy is not None:
            lines.append(f'_mta-sts.{domain}. 3600 IN TXT "v=STSv1; id=1;"')
            if self.policy_address:
                lines.append(f"mta-sts.{domain}. 3600 IN A {self.policy_address}")
        return lines


class Certificates:
    """One authority, whose file is trusted with its revocation list, and a server context for each kind of certificate."""

    def __init__(self, folder: Path, domains: Sequence[str]) -> None:
        names = [
            f"{host}.{domain}" for domain in (*domains, "good.test") for host in ("mx1", "mx2", "mta-sts")
        ]
        self._folder = folder
        self._authority = authority = trustme.CA()
        stranger = trustme.CA()
        soon = dt.datetime.fromtimestamp(_now_seconds() + 5 * 86_400, dt.UTC)
        made = {
            "good": authority.issue_cert(*names, not_after=GOOD_UNTIL),
            "expired": authority.issue_cert(*names, not_after=EXPIRED_AT),
            "soon": authority.issue_cert(*names, not_after=soon),
            "early": authority.issue_cert(
                *names, not_before=dt.datetime(2098, 1, 1, tzinfo=dt.UTC), not_after=GOOD_UNTIL
            ),
            "other": authority.issue_cert("other.test", not_after=GOOD_UNTIL),
            "stranger": stranger.issue_cert(*names, not_after=GOOD_UNTIL),
            "revoked": authority.issue_cert(*names, not_after=GOOD_UNTIL),
        }
        self._leaves = made
        self.contexts = {kind: self._context(kind, leaf) for kind, leaf in made.items()}
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(authority.cert_pem.bytes() + revocation_list(authority, made["revoked"]))

    def _context(self, kind: str, leaf: trustme.LeafCert) -> ssl.SSLContext:
        """It presents its authority's certificate, too, as DANE asks (RFC 7672 section 3.1.2)."""
        path = self._folder / f"{kind}.pem"
        path.write_bytes(leaf.private_key_and_cert_chain_pem.bytes() + self._authority.cert_pem.bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def facts(self, kind: str) -> dict[str, str]:
        """Digests for TLSA records."""
        leaf, ca = self._leaves[kind].cert_chain_pems[0].bytes(), self._authority.cert_pem.bytes()
        key = public_key(ssl.PEM_cert_to_DER_cert(leaf.decode()))
        authority = ssl.PEM_cert_to_DER_cert(ca.decode())
        assert x509.load_der_x509_certificate(authority)
        return {
            "key": hashlib.sha256(key).hexdigest(),
            "ca": hashlib.sha256(authority).hexdigest(),
            "none": "00" * 32,
        }


def _now_seconds() -> float:
    return ReferenceClock().now_ns() / 10**9


def smtp_server(case: Case, certificates: Certificates) -> HostileSmtp:
    """The first MX host of a case."""
    answers = {"RSET": b"250 ok\r\n", "VRFY": b"252 try\r\n", **case.answers}
    tls = certificates.contexts[case.certificate] if case.certificate else None
    return HostileSmtp(answers, tls=tls)


class PolicyHost:
    """The web server of all policies; it chooses certificate and page by the name that it is asked for."""

    ADDRESS: ClassVar[str] = "127.81.255.2"

    def __init__(self, cases: Sequence[Case], certificates: Certificates) -> None:
        self._cases = {f"mta-sts.{case.domain}": case for case in cases}
        self._certificates = certificates

    def put(self, case: Case) -> None:
        """Serve this policy from now on."""
        self._cases[f"mta-sts.{case.domain}"] = case

    @contextlib.asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[None]:
        """Serve while the block runs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificates._folder / "good.pem")
        context.sni_callback = self._choose
        server = await asyncio.start_server(self._serve, self.ADDRESS, port, ssl=context)
        try:
            yield
        finally:
            server.close()

    def _choose(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        case = self._cases.get(name or "")
        if case is not None:
            tls.context = self._certificates.contexts[case.policy_certificate]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            assert head.startswith("GET /.well-known/mta-sts.txt HTTP/1.1\r\n")
            host = next(
                line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("host:")
            )
            case = self._cases[host.strip().rpartition(":")[0]]
            writer.write((case.policy or b"").replace(b"{domain}", case.domain.encode()))
            await writer.drain()
        writer.close()
