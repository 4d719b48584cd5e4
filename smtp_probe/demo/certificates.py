"""The certificates of the demo: an authority of its own and one certificate for all its hosts, made at run time.

In: a folder, the names, and the date. Out: three PEM files in that folder; the two with a key are readable by their
owner only. Nothing trusts this authority except those who are given `ca_file`, and it is gone with the folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = "127.0.0.1"
_LIFETIME = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where the authority's certificate, the hosts' certificate and its key are."""

    ca_file: Path
    certificate_file: Path
    key_file: Path


def write_private(path: Path, content: bytes) -> Path:
    """Write a file that nobody but its owner may read, also where it stood before with other rights."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
    return path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer_key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    """What both certificates have in common, with the extensions that strict verification asks for."""
    is_authority = key is issuer_key
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("smtp-probe demo authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(
            x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True
        )
        .add_extension(_usage(signs_certificates=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority_id, critical=False)
    )


def make_certificates(directory: Path, names: Iterable[str], now: datetime) -> CertificateFiles:
    """Make an authority and a certificate for `names` and for 127.0.0.1, and write both into `directory`.

    Raises OSError where the folder cannot be written.
    """
    authority_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _builder("smtp-probe demo authority", authority_key, authority_key, now)
    alternatives = [x509.DNSName(name) for name in names]
    host = _builder("smtp-probe demo", key, authority_key, now).add_extension(
        x509.SubjectAlternativeName([*alternatives, x509.IPAddress(IPv4Address(LOOPBACK))]), critical=False
    )
    host = host.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files = CertificateFiles(directory / "ca.pem", directory / "hosts.pem", directory / "hosts.key")
    files.ca_file.write_bytes(authority.sign(authority_key, hashes.SHA256()).public_bytes(pem))
    files.certificate_file.write_bytes(host.sign(authority_key, hashes.SHA256()).public_bytes(pem))
    write_private(files.key_file, private)
    return files
