"""Signed assertions (RFC 7523): how a client or a service account proves who it is, without a secret that travels.

In: claims, a private key, where there is one its certificate. Out: a JWT (RFC 7519) signed by RS256, PS256 or ES256
(RFC 7518). Raises ValueError for a key that cannot be used; its text says nothing of the key.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

_P256_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, and what the other side knows it by."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)
    key_id: str | None = None
    thumbprint: str | None = None

    def sign(self, claims: Mapping[str, object]) -> str:
        """Give the assertion with these claims."""
        header: dict[str, object] = {"typ": "JWT", "alg": self._algorithm}
        if self.key_id is not None:
            header["kid"] = self.key_id
        if self.thumbprint is not None:
            header["x5t#S256"] = self.thumbprint
        words = f"{_encode(json.dumps(header).encode())}.{_encode(json.dumps(claims).encode())}"
        return f"{words}.{_encode(self._signature(words.encode()))}"

    @property
    def _algorithm(self) -> str:
        """Microsoft wants PS256 of a key that it knows by a certificate; Google knows RS256 alone."""
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return "ES256"
        return "RS256" if self.thumbprint is None else "PS256"

    def _signature(self, words: bytes) -> bytes:
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            numbers = decode_dss_signature(self.key.sign(words, ec.ECDSA(SHA256())))
            return b"".join(number.to_bytes(_P256_BYTES, "big") for number in numbers)
        if self.thumbprint is None:
            return self.key.sign(words, padding.PKCS1v15(), SHA256())
        return self.key.sign(words, padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size), SHA256())


def read_key(content: bytes, certificate: bytes | None = None, key_id: str | None = None) -> SigningKey:
    """Read a key: PEM, or the JSON key file of a Google service account, which names it. Raises ValueError."""
    if content.lstrip().startswith(b"{"):
        try:
            data = json.loads(content)
            content, known_as = data["private_key"].encode(), data.get("private_key_id")
        except (ValueError, KeyError, AttributeError, TypeError):
            raise ValueError("it is no key file of a service account: it has no private_key") from None
        key_id = key_id or (known_as if isinstance(known_as, str) else None)
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("it holds no private key in PEM form that is usable without a passphrase") from None
    is_usable = isinstance(key, rsa.RSAPrivateKey) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
    )
    if not is_usable:
        raise ValueError("expected an RSA key, or one of the curve P-256")
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return SigningKey(key, key_id, None if certificate is None else _thumbprint(certificate, key))


def _thumbprint(content: bytes, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    try:
        certificate = x509.load_pem_x509_certificate(content)
    except ValueError:
        raise ValueError("its certificate_file holds no certificate in PEM form") from None
    if certificate.public_key() != key.public_key():
        raise ValueError("its certificate_file is that of another key")
    return _encode(hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest())


def _encode(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
