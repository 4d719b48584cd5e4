"""What dkimpy says of a signature or an ARC chain: its only home.

In: a message that dkimpy can take, and records that were judged before. Out: an `Answer`. `verification`, which makes a result of
it, imports this when it is needed first: the library and what it brings take 2 MB, and a good RSA signature is confirmed without.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dkim
from nacl.exceptions import BadSignatureError

from smtp_probe.policy.dkim.confirmation import load_rsa
from smtp_probe.policy.dkim.key import LEAST_BITS
from smtp_probe.policy.dkim.rsa_key import RsaKey

_ERRORS = (dkim.DKIMException, binascii.Error, ValueError, LookupError, AttributeError, TypeError)
"""What the library raises for messages that it does not understand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the library said. Where a fault is told, nothing was verified."""

    is_good: bool = False
    fault: str = ""
    is_body_changed: bool = False
    is_unreadable: bool = False
    """The library could not find its way in it, which need not be the signer's fault."""


class _Silent:
    """A log for the library, whose messages quote strangers."""

    def debug(self, *_: object) -> None:
        """Say nothing."""

    info = warning = error = exception = debug


class _OwnKey:
    """A public key in the form in which the library takes those that verify by themselves, as its Ed25519 keys do."""

    def __init__(self, key: RsaKey) -> None:
        self._key = key

    def verify(self, digest: bytes, signature: bytes) -> None:
        """Raise what the library expects for a signature that is not by this key. The hash is SHA-256 (RFC 8301)."""
        if not self._key.has_signed(digest, signature):
            raise BadSignatureError


class _Verifier(dkim.DKIM):  # type: ignore[misc]
    """The library's verifier with our arithmetic, which takes a signature of the right length only, and less time."""

    def verify_sig(
        self, sig: dict[bytes, bytes], include_headers: list[bytes], sig_header: Any, dnsfunc: Any
    ) -> bool:
        key = load_rsa(dnsfunc()) if sig[b"a"] == b"rsa-sha256" else None
        if key is None:  # another type of key, or a form that the library may know
            good: bool = super().verify_sig(sig, include_headers, sig_header, dnsfunc)
        else:
            self.pk, self.keysize, self.ktag, self.seqtlsrpt = _OwnKey(key), LEAST_BITS, b"ed25519", False
            good = self.verify_sig_process(sig, include_headers, sig_header, dnsfunc)
        return good


def ask_about_signature(message: bytes, index: int, record: bytes) -> Answer:
    """Have the signature at this place among the DKIM-Signature headers verified, counted from the top."""
    try:
        verifier: Any = _Verifier(message, logger=_Silent(), minkey=LEAST_BITS)
        is_good = verifier.verify(index, dnsfunc=lambda *_, **__: record)
    except dkim.ValidationError as error:
        is_body_changed = str(error).startswith("body hash mismatch")
        return Answer(fault=str(error), is_body_changed=is_body_changed)
    except _ERRORS as error:
        return Answer(fault=str(error) or type(error).__name__)
    return Answer(is_good=bool(is_good))


def ask_about_chain(message: bytes, look_up: Callable[[bytes], bytes]) -> Answer:
    """Have the ARC chain verified. `look_up` gives the record at a name, empty where there is none."""
    try:
        verifier: Any = dkim.ARC(message, logger=_Silent(), minkey=LEAST_BITS)
        validation, _, reason = verifier.verify(dnsfunc=lambda name, **_: look_up(name))
    except dkim.DKIMException as error:
        return Answer(fault=str(error))
    except _ERRORS as error:
        return Answer(fault=f"the chain could not be read: {error}", is_unreadable=True)
    return Answer(is_good=validation == dkim.CV_Pass, fault=str(reason))
