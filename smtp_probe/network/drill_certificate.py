"""A certificate for the receiver of the drills: made when it opens, for a day, vouched for by nobody.

In: the name that the receiver greets with. Out: a server's TLS context. A sender that encrypts where it can takes any
certificate (RFC 7435), and one whose policy wants TLS without checks does too; what wants a trusted one is not for a drill.
The key is on disk only while the library reads it.
"""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_LIFETIME = timedelta(days=1)
_LONGEST_COMMON_NAME = 64


def make_tls_context(hostname: str, at_ns: int) -> ssl.SSLContext:
    """Make it, valid around the instant given."""
    key = ec.generate_private_key(ec.SECP256R1())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory() as folder:  # only its owner can look into it
        file = Path(folder) / "pair.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + _sign(key, hostname, at_ns).public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(file)
    return context


def _sign(key: ec.EllipticCurvePrivateKey, hostname: str, at_ns: int) -> x509.Certificate:
    now = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hostname[:_LONGEST_COMMON_NAME])])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LIFETIME)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
        .sign(key, hashes.SHA256())
    )
