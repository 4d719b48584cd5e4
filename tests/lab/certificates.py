"""Makes the lab's keys: a certificate authority, server certificates good and bad, a DKIM key.

A certificate is one file with the key, the certificate and its chain, as Postfix, Dovecot and
Python's ssl all read it. `ca.pem` is what a client trusts.
"""

import base64
import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .layout import DOMAIN, HOSTS, Layout

KINDS = ("good", "soon", "expired", "wrong_name", "untrusted")
"""Kinds of server certificate; `soon` ends in three days, `untrusted` has another authority."""

DKIM_KEY_BITS = 2048


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Authority:
    """A certificate authority that lives as long as the lab."""

    now: datetime
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, name: str, now: datetime) -> "Authority":
        """Make a key and a certificate signed with it."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        certificate = (
            x509.CertificateBuilder(_name(name), _name(name), key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=365))
            .not_valid_after(now + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .sign(key, SHA256())
        )
        return cls(now, key, certificate)

    def issue(
        self,
        key: ec.EllipticCurvePrivateKey,
        names: Sequence[x509.GeneralName],
        ends: timedelta,
    ) -> bytes:
        """Issue a server certificate that ends at now + `ends`; return key and chain in PEM."""
        issuer = self.key.public_key()
        certificate = (
            x509.CertificateBuilder(self.certificate.subject, _name(str(names[0].value)))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=90))
            .not_valid_after(self.now + ends)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False)
            .sign(self.key, SHA256())
        )
        chain = [certificate, self.certificate]
        return b"".join([_private_pem(key), *(each.public_bytes(Encoding.PEM) for each in chain)])


def _private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _names(layout: Layout) -> list[x509.GeneralName]:
    """Return every name and address by which the lab's servers are known."""
    addresses = [ipaddress.ip_address(layout.address(host)) for host in HOSTS]
    return [
        x509.DNSName(DOMAIN),
        x509.DNSName(f"*.{DOMAIN}"),
        x509.DNSName(f"autoconfig.users.{DOMAIN}"),
        *(x509.IPAddress(address) for address in addresses),
    ]


def make_certificates(layout: Layout) -> str:
    """Write the certificates of all kinds; return the TLSA data of the good one (RFC 6698)."""
    now = datetime.now(UTC)  # noqa: TID251 - certificates are judged by the machine's clock
    authority, stranger = Authority.make("Mail lab CA", now), Authority.make("Stranger CA", now)
    key, names = ec.generate_private_key(ec.SECP256R1()), _names(layout)
    year, elsewhere = timedelta(days=365), [x509.DNSName("somewhere.else.test")]
    bundles = {
        "good": authority.issue(key, names, year),
        "soon": authority.issue(key, names, timedelta(days=3)),
        "expired": authority.issue(key, names, timedelta(days=-1)),
        "wrong_name": authority.issue(key, elsewhere, year),
        "untrusted": stranger.issue(key, names, year),
    }
    for kind, bundle in bundles.items():
        private_file(layout.path("tls", f"{kind}.pem"), bundle)
    layout.path("tls", "ca.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"3 1 1 {hashlib.sha256(public).hexdigest()}"


def make_dkim_key(path: Path) -> str:
    """Write a signing key; return the DKIM record for its public half (RFC 6376 section 3.6.1)."""
    key = rsa.generate_private_key(65537, DKIM_KEY_BITS)
    private_file(path, _private_pem(key))
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def private_file(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads."""
    path.touch(mode=0o600)
    path.write_bytes(content)
