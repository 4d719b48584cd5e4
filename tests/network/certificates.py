"""Server certificates for tests: a good one, and one for each way in which a certificate can be bad."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NAME = "mail.test"
GOOD_UNTIL = dt.datetime(2099, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
EXPIRED_AT = dt.datetime(2021, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
BEGINS_AT = dt.datetime(2098, 1, 1, tzinfo=dt.UTC)


class Certificates:
    """One authority, which is trusted by `ca_file`, and server contexts by what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        revoked = authority.issue_cert(NAME, not_after=GOOD_UNTIL)
        self.revoked = _context(revoked)
        self.ca_file_with_list = folder / "ca-with-list.pem"
        self.ca_file_with_list.write_bytes(authority.cert_pem.bytes() + revocation_list(authority, revoked))
        self.good = _context(authority.issue_cert(NAME, "127.0.0.1", not_after=GOOD_UNTIL))
        self.expired = _context(authority.issue_cert(NAME, not_after=EXPIRED_AT))
        self.not_yet_valid = _context(authority.issue_cert(NAME, not_before=BEGINS_AT, not_after=GOOD_UNTIL))
        self.wrong_name = _context(authority.issue_cert("other.test", not_after=GOOD_UNTIL))
        self.unknown_issuer = _context(trustme.CA().issue_cert(NAME, not_after=GOOD_UNTIL))
        self.self_signed = _self_signed(folder)


def revocation_list(authority: trustme.CA, revoked: trustme.LeafCert) -> bytes:
    """The authority's list, with this one certificate on it."""
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    leaf = x509.load_pem_x509_certificate(revoked.cert_chain_pems[0].bytes())
    key = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    entry = x509.RevokedCertificateBuilder().serial_number(leaf.serial_number).revocation_date(begin).build()
    made = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    made = made.last_update(begin).next_update(GOOD_UNTIL).add_revoked_certificate(entry)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(GOOD_UNTIL)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "self-signed.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
