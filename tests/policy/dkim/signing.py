"""Messages signed and sealed by dkimpy, and the records that verify them."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import dkim
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from tests.policy.dkim.keys import ed25519_public, ed25519_seed, rsa_key, rsa_pem, rsa_public

MESSAGE = (
    b"Received: from out.e.test (out.e.test [192.0.2.1]) by mx.r.test (Postfix) with ESMTPS id 1;"
    b" Fri, 27 Nov 2026 10:00:00 +0000\r\n"
    b"From: Probe <probe@e.test>\r\nTo: p@r.test\r\nSubject: a test\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <1@e.test>\r\n\r\nfirst line\r\nlast line\r\n"
)
RSA_RECORD = f"v=DKIM1; k=rsa; p={rsa_public(2048)}"
RSA_1024_RECORD = f"v=DKIM1; k=rsa; p={rsa_public(1024)}"
ED25519_RECORD = f"v=DKIM1; k=ed25519; p={ed25519_public()}"
FIELDS = [b"from", b"to", b"subject", b"date", b"message-id"]


def sign(message: bytes = MESSAGE, domain: str = "e.test", selector: str = "s", **options: Any) -> bytes:
    """Put a signature on top."""
    options = {
        "canonicalize": (b"relaxed", b"relaxed"),
        "include_headers": FIELDS,
        "privkey": rsa_pem(2048),
        **options,
    }
    return dkim.sign(message, selector.encode(), domain.encode(), **options) + message


def sign_ed25519(message: bytes = MESSAGE, domain: str = "e.test", selector: str = "ed") -> bytes:
    """Put a signature with Ed25519 on top (RFC 8463)."""
    return sign(message, domain, selector, privkey=ed25519_seed(), signature_algorithm=b"ed25519-sha256")


def seal(message: bytes, domain: str, said: str = "spf=pass") -> bytes:
    """Put an ARC set on top, made here by the letter of RFC 8617 section 5.1, and not by the library that verifies."""
    header, _, body = message.partition(b"\r\n\r\n")
    fields = re.findall(rb"([!-9;-~]+):((?:.*\r\n)(?:[ \t].*\r\n)*)", header + b"\r\n")
    instance = sum(name.lower() == b"arc-seal" for name, _ in fields) + 1
    results = f"ARC-Authentication-Results: i={instance}; {domain}; {said}\r\n"
    body_hash = base64.b64encode(hashlib.sha256(_relax_body(body)).digest()).decode()
    signature = (
        f"ARC-Message-Signature: i={instance}; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=arc;"
        f" h={b':'.join(FIELDS).decode()}; bh={body_hash}; b="
    )
    signed = [_last(fields, name) for name in FIELDS]
    signature += _sign("".join([*signed, _relax(signature)[:-2]])) + "\r\n"
    cv = "none" if instance == 1 else "pass"
    line = f"ARC-Seal: i={instance}; a=rsa-sha256; t=1795000000; cv={cv}; d={domain}; s=arc; b="
    order = (b"arc-authentication-results", b"arc-message-signature", b"arc-seal")
    before = [
        _relax(f"{name.decode()}:{value.decode()}")
        for number in range(1, instance)
        for wanted in order
        for name, value in fields
        if name.lower() == wanted and value.strip().startswith(b"i=%d;" % number)
    ]
    line += _sign("".join([*before, _relax(results), _relax(signature), _relax(line)[:-2]])) + "\r\n"
    return f"{line}{signature}{results}".encode() + message


def _sign(text: str) -> str:
    return base64.b64encode(rsa_key(2048).sign(text.encode(), PKCS1v15(), SHA256())).decode()


def _last(fields: list[tuple[bytes, bytes]], wanted: bytes) -> str:
    name, value = [field for field in fields if field[0].lower() == wanted][-1]
    return _relax(f"{name.decode()}:{value.decode()}")


def _relax(line: str) -> str:
    name, _, value = line.partition(":")
    return f"{name.strip().lower()}:{' '.join(value.split())}\r\n"


def _relax_body(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)
