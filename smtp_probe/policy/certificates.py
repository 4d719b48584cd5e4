"""Certificates as far as DANE needs them: their public key, their names, and what a TLSA record says of them.

In: certificates in DER, as a stranger presented them. Out: bytes and names; nothing where they cannot be read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from smtp_probe.model import TlsaRecord

DANE_TA, DANE_EE = 2, 3
_DIGEST_BYTES = {1: 32, 2: 64}


def is_well_formed(record: TlsaRecord) -> bool:
    """Whether the numbers are known and the data has the length that they ask for (RFC 6698 section 2.1)."""
    known = record.usage <= 3 and record.selector <= 1 and record.matching <= 2
    expected = _DIGEST_BYTES.get(record.matching)
    return known and bool(record.data) and (expected is None or len(record.data) == expected)


def is_usable(record: TlsaRecord) -> bool:
    """Whether SMTP makes anything of it (RFC 7672 section 3.1.3: the PKIX usages are for others)."""
    return is_well_formed(record) and record.usage in (DANE_TA, DANE_EE)


def matches(record: TlsaRecord, chain: Sequence[bytes]) -> bool:
    """Whether the record names the host's own certificate, or one of its chain for a trust anchor."""
    candidates = chain[:1] if record.usage == DANE_EE else chain
    return any(_selected(record, certificate) == record.data for certificate in candidates)


def _selected(record: TlsaRecord, certificate: bytes) -> bytes:
    data = certificate if record.selector == 0 else public_key(certificate)
    if record.matching == 1:
        return hashlib.sha256(data).digest()
    return hashlib.sha512(data).digest() if record.matching == 2 else data


def public_key(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo in DER; empty where it cannot be read."""
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError):
        return b""


def is_for(certificate: bytes, names: Iterable[str]) -> bool | None:
    """Whether it is for one of these hosts by its alternative names (RFC 6125 section 6.4); None where it cannot be read."""
    try:
        found = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        known = {name.lower() for name in found.value.get_values_for_type(x509.DNSName)}
    except x509.ExtensionNotFound:
        return False
    except (ValueError, TypeError):
        return None
    wanted = [name.lower().rstrip(".") for name in names]
    return any(name in known or f"*.{name.partition('.')[2]}" in known for name in wanted)
