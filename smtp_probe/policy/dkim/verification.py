"""Verifying the signatures of a received message: DKIM and ARC.

In: the octets of a message, and the keys, which have been looked up before. Out: a result for each signature, with its
cause; and one for the ARC chain. Takes as much time as the message is long, so it is to be run in a thread. Never raises
for what a message has in it. What the library does not tell apart, or takes too easily, is decided before it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from smtp_probe.mail.authentication.arc_chain import ArcChain
from smtp_probe.mail.authentication.signature import Signature
from smtp_probe.mail.syntax.whitespace import squeeze_blanks
from smtp_probe.model import VerdictResult
from smtp_probe.policy.dkim.confirmation import is_confirmed
from smtp_probe.policy.dkim.key import DkimKey, KeyState

MOST_SIGNATURES = 10
_BLANKS = re.compile(rb"[ \t]+")
_MOST_STEPS = 5_000_000
_TOO_WILD = "the body has more and longer runs of blanks than we verify"


class SignatureState(StrEnum):
    """How verifying a signature ended, by its cause."""

    PASS = "pass"  # noqa: S105  # a result
    BODY_CHANGED = "body_changed"
    HEADER_CHANGED = "header_changed"
    EXPIRED = "expired"
    NO_KEY = "no_key"
    REVOKED = "revoked"
    KEY_INVALID = "key_invalid"
    WEAK_KEY = "weak_key"
    ALGORITHM = "algorithm"
    SYNTAX = "syntax"
    TEMPORARY = "temporary"
    """The key could not be looked up: nothing is known."""


_RESULTS = {
    SignatureState.PASS: VerdictResult.PASS,
    SignatureState.BODY_CHANGED: VerdictResult.FAIL,
    SignatureState.HEADER_CHANGED: VerdictResult.FAIL,
    SignatureState.WEAK_KEY: VerdictResult.POLICY,
    SignatureState.TEMPORARY: VerdictResult.TEMPERROR,
}
"""RFC 8601 section 2.7.1; the others are permanent errors."""
_BY_KEY = {
    KeyState.MISSING: SignatureState.NO_KEY,
    KeyState.REVOKED: SignatureState.REVOKED,
    KeyState.WEAK: SignatureState.WEAK_KEY,
    KeyState.ALGORITHM: SignatureState.ALGORITHM,
    KeyState.UNKNOWN: SignatureState.TEMPORARY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureResult:
    """One signature, and what became of it."""

    signature: Signature
    state: SignatureState
    detail: str = ""
    key: DkimKey | None = None

    @property
    def result(self) -> VerdictResult:
        """As receivers report it."""
        return _RESULTS.get(self.state, VerdictResult.PERMERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcResult:
    """What the chain came to. None as a result: it could not be told."""

    result: VerdictResult | None
    detail: str = ""


def verify_signature(
    message: bytes, index: int, signature: Signature, key: DkimKey | None, now_seconds: int
) -> SignatureResult:
    """Verify the signature at this place among the DKIM-Signature headers, counted from the top."""
    state, detail = _judge_before(signature, key, now_seconds)
    if state is None:
        assert key is not None
        if _may_be_plain(signature, now_seconds) and is_confirmed(message, index, key.record):
            state = SignatureState.PASS
        elif (tamed := _tame(message, relaxed=signature.is_body_relaxed)) is None:
            state, detail = SignatureState.TEMPORARY, _TOO_WILD
        else:
            state, detail = _verify(tamed, index, key)
    return SignatureResult(signature=signature, state=state, detail=detail, key=key)


def _judge_before(
    signature: Signature, key: DkimKey | None, now_seconds: int
) -> tuple[SignatureState | None, str]:
    """What can be said without any arithmetic."""
    if signature.fault:
        return SignatureState.SYNTAX, signature.fault
    if not signature.is_algorithm_known:
        return SignatureState.ALGORITHM, f"a={signature.algorithm} is not to be taken (RFC 8301 section 3.1)"
    if signature.expires_seconds is not None and signature.expires_seconds < now_seconds:
        return SignatureState.EXPIRED, ""
    if key is None:
        return SignatureState.TEMPORARY, "the key was not looked up"
    if not key.is_usable:
        return _BY_KEY.get(key.state, SignatureState.KEY_INVALID), key.detail
    if signature.algorithm.partition("-")[0] != key.algorithm:
        return (
            SignatureState.ALGORITHM,
            f"a={signature.algorithm}, but the key is of the type {key.algorithm}",
        )
    domain = signature.identity.rpartition("@")[2].lower()
    if key.is_strict and domain and domain != signature.domain:
        return SignatureState.SYNTAX, "the key allows no subdomains in i= (t=s)"
    return None, ""


def _may_be_plain(signature: Signature, now_seconds: int) -> bool:
    """Whether nothing but the arithmetic is left to be done. Of a signature of tomorrow the library has a word to say."""
    is_of_today = signature.signed_seconds is None or signature.signed_seconds <= now_seconds
    return is_of_today and signature.algorithm == "rsa-sha256"


def _tame(message: bytes, *, relaxed: bool) -> bytes | None:
    """Give a message whose body the library can canonicalize in linear time; None where there is none.

    Its pattern for blanks at the ends of lines is quadratic in a run of blanks. A body in the relaxed form has no runs, and
    its relaxed form is itself; in others, runs may cost a bounded amount.
    """
    header, _, body = message.partition(b"\r\n\r\n")
    if relaxed:
        lines = squeeze_blanks(body.replace(b"\r\n", b"\n")).replace(b" \n", b"\n")
        body = lines.removesuffix(b" ").replace(b"\n", b"\r\n")
    if sum(len(run) ** 2 for run in _BLANKS.findall(body)) > _MOST_STEPS:
        return None
    return header + b"\r\n\r\n" + body


def _verify(message: bytes, index: int, key: DkimKey) -> tuple[SignatureState, str]:
    from smtp_probe.policy.dkim.library import ask_about_signature

    answer = ask_about_signature(message, index, key.record)
    if answer.is_body_changed:
        return SignatureState.BODY_CHANGED, ""
    if answer.fault:
        return SignatureState.SYNTAX, answer.fault
    return (SignatureState.PASS if answer.is_good else SignatureState.HEADER_CHANGED), ""


def verify_chain(message: bytes, chain: ArcChain, keys: Mapping[str, DkimKey]) -> ArcResult:
    """Verify an ARC chain. `keys` by the names at which they are published."""
    if not chain.is_present:
        return ArcResult(result=VerdictResult.NONE)
    if chain.fault:
        return ArcResult(result=VerdictResult.FAIL, detail=chain.fault)
    wanted = [keys.get(name) for arc_set in chain.sets for name in arc_set.key_names]
    if any(key is None or key.state is KeyState.UNKNOWN for key in wanted):
        return ArcResult(result=None, detail="a key could not be looked up")
    tamed = _tame(message, relaxed=all(arc_set.is_body_relaxed for arc_set in chain.sets))
    if tamed is None:
        return ArcResult(result=None, detail=_TOO_WILD)
    records = {name: key.record if key.is_usable else b"" for name, key in keys.items()}

    from smtp_probe.policy.dkim.library import ask_about_chain

    answer = ask_about_chain(
        tamed, lambda name: records.get(name.decode("ascii", "replace").lower().rstrip("."), b"")
    )
    if answer.is_good:
        return ArcResult(result=VerdictResult.PASS)
    result = None if answer.is_unreadable else VerdictResult.FAIL
    return ArcResult(result=result, detail=answer.fault)
