"""Verdicts on one received message, ours and the receiver's, and what there is to say about them.

In: what was verified, evaluated and read. Out: an `Authentication`: the verdicts, and findings whose ids begin with
`signature_`, `arc_` or a method's name. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from smtp_probe.mail.authentication.arc_chain import ArcChain
from smtp_probe.mail.authentication.changes import Changes
from smtp_probe.mail.authentication.received_spf import ReceivedSpf
from smtp_probe.mail.authentication.results import AuthenticationResults, MethodResult
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Authentication, Finding, Method, Severity, Source, Verdict, VerdictResult
from smtp_probe.model.words import in_words
from smtp_probe.policy.dkim.verification import ArcResult, SignatureResult, SignatureState
from smtp_probe.policy.findings import make_finding

_SIGNATURE_FAULTS: dict[SignatureState, tuple[str, str, str]] = {
    SignatureState.BODY_CHANGED: (
        "does not verify: the body is not the one that was signed",
        "Find the hop that changes the body (a footer, a scanner, a conversion to another encoding), and sign behind it.",
        "RFC 6376 section 3.7",
    ),
    SignatureState.HEADER_CHANGED: (
        "does not verify: a signed header field was changed, or the published key is not the signer's",
        "Compare the published key with the signer's (opendkim-testkey); find the hop that changes header fields.",
        "RFC 6376 section 6.1.3",
    ),
    SignatureState.EXPIRED: (
        "has expired (x=)",
        "Have the signer give its signatures more time than mail may take, or no end at all.",
        "RFC 6376 section 3.5",
    ),
    SignatureState.NO_KEY: (
        "cannot be verified: its key is not published",
        "Publish the key of this selector.",
        "RFC 6376 section 6.1.2",
    ),
    SignatureState.REVOKED: (
        "cannot be verified: its key is revoked",
        "Sign with a selector whose key is published.",
        "RFC 6376 section 3.6.1",
    ),
    SignatureState.KEY_INVALID: (
        "cannot be verified: its key is of no use",
        "Correct the key record.",
        "RFC 6376 section 3.6.1",
    ),
    SignatureState.WEAK_KEY: (
        "is by a key that is too short",
        "Make a key of 2048 bits with a new selector, and sign with that.",
        "RFC 8301 section 3.2",
    ),
    SignatureState.ALGORITHM: (
        "is by an algorithm that verifiers do not take",
        "Sign with rsa-sha256.",
        "RFC 8301 section 3.1",
    ),
    SignatureState.SYNTAX: (
        "is no valid signature",
        "Correct the signer's configuration.",
        "RFC 6376 section 3.5",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnView:
    """What we found ourselves. None: not looked at, or not to be told."""

    author: str | None
    signatures: tuple[SignatureResult, ...] = ()
    alignments: tuple[bool | None, ...] = ()
    """Of each signature's domain with the author's."""
    chain: ArcChain = field(default_factory=ArcChain)
    arc: ArcResult | None = None
    spf: Verdict | None = None
    dmarc: Verdict | None = None
    changes: Changes | None = None
    unobserved: tuple[str, ...] = ()
    has_verified: bool = True
    """Whether signatures were looked at, so that none is a result."""


def form_authentication(
    own: OwnView, trusted: Sequence[AuthenticationResults], received_spf: ReceivedSpf | None = None
) -> Authentication:
    """Put both sides together."""
    verdicts = (*_own_verdicts(own), *receiver_verdicts(trusted, received_spf))
    found = Authentication(verdicts=verdicts)
    findings = [*_judge_signatures(own), *_judge_chain(own), *_judge_dmarc(own), *_judge_agreement(found)]
    return Authentication(verdicts=verdicts, findings=tuple(findings), unobserved=own.unobserved)


def _own_verdicts(own: OwnView) -> Iterator[Verdict]:
    if own.spf is not None:
        yield own.spf
    for found, aligned in zip(own.signatures, own.alignments, strict=True):
        yield Verdict(
            method=Method.DKIM,
            source=Source.OWN,
            result=found.result,
            domain=sanitise(found.signature.domain, 255),
            selector=sanitise(found.signature.selector, 255),
            detail=sanitise(in_words(found.state) + (f": {found.detail}" if found.detail else ""), 200),
            aligned=aligned,
        )
    if own.has_verified and not own.signatures:
        yield Verdict(method=Method.DKIM, source=Source.OWN, result=VerdictResult.NONE)
    if own.dmarc is not None:
        yield own.dmarc
    if own.arc is not None and own.arc.result is not None:
        yield Verdict(
            method=Method.ARC,
            source=Source.OWN,
            result=own.arc.result,
            domain=sanitise(own.chain.sets[-1].sealer, 255) if own.chain.sets else "",
            detail=sanitise(own.arc.detail, 200),
        )


def receiver_verdicts(
    trusted: Sequence[AuthenticationResults], received_spf: ReceivedSpf | None = None
) -> tuple[Verdict, ...]:
    """What the receiver says. Of SPF, DMARC and ARC the topmost result counts; of DKIM all do, of one header."""
    verdicts: list[Verdict] = []
    for header in trusted:
        known = {verdict.method for verdict in verdicts}
        verdicts += [
            _receiver_verdict(Method(found.method), found)
            for found in header.results
            if found.method in set(Method) and found.method not in known
        ]
    if received_spf is not None and not any(verdict.method is Method.SPF for verdict in verdicts):
        verdicts.append(
            Verdict(
                method=Method.SPF,
                source=Source.RECEIVER,
                result=_read_result(received_spf.result),
                domain=sanitise(received_spf.get("envelope-from").rpartition("@")[2].lower(), 255),
                detail=sanitise(received_spf.comment, 200),
            )
        )
    return tuple(verdicts)


def _receiver_verdict(method: Method, found: MethodResult) -> Verdict:
    domain = {
        Method.SPF: found.property("smtp.mailfrom", "smtp.mail", "smtp.helo", "envelope-from"),
        Method.DKIM: found.property("header.d", "header.i"),
        Method.DMARC: found.property("header.from"),
        Method.ARC: found.property("header.d", "arc.chain"),
    }[method]
    return Verdict(
        method=method,
        source=Source.RECEIVER,
        result=_read_result(found.result),
        domain=sanitise(domain.rpartition("@")[2].lower(), 255),
        selector=sanitise(found.property("header.s"), 255) if method is Method.DKIM else "",
        detail=sanitise(found.reason or found.comment, 200),
    )


def _read_result(word: str) -> VerdictResult:
    word = {"hardfail": "fail"}.get(word, word)
    return VerdictResult(word) if word in set(VerdictResult) else VerdictResult.OTHER


# Findings.


def _judge_signatures(own: OwnView) -> Iterator[Finding]:
    for found in own.signatures:
        if found.state in (SignatureState.PASS, SignatureState.TEMPORARY):
            continue
        name = f"{sanitise(found.signature.domain, 100)} ({sanitise(found.signature.selector, 60)})"
        what, advice, source = _SIGNATURE_FAULTS[found.state]
        detail = f": {found.detail}" if found.detail else ""
        yield make_finding(
            f"signature_{found.state.value}",
            Severity.ERROR,
            sanitise(found.signature.key_name, 255),
            f"The DKIM signature of {name} {what}{detail}.{_tell_changes(found.state, own.changes)}",
            advice=advice,
            source=source,
        )
    for found in own.signatures:
        if found.state is SignatureState.PASS and found.signature.body_length is not None:
            yield make_finding(
                "signature_partial",
                Severity.WARNING,
                found.signature.key_name,
                f"The DKIM signature of {found.signature.domain} covers only a part of the body (l=): anybody can add to it.",
                advice="Have the signer leave l= out.",
                source="RFC 6376 section 8.2",
            )
    passed = [
        aligned
        for found, aligned in zip(own.signatures, own.alignments, strict=True)
        if found.state is SignatureState.PASS
    ]
    if passed and own.author and all(aligned is False for aligned in passed):
        signers = ", ".join(
            sanitise(found.signature.domain, 100)
            for found in own.signatures
            if found.state is SignatureState.PASS
        )
        yield make_finding(
            "signature_not_aligned",
            Severity.WARNING,
            own.author,
            f"No DKIM signature that verifies aligns with {own.author}, but they are by {signers}: they count nothing for DMARC.",
            advice=f"Sign with d={own.author}.",
            source="RFC 9989 section 4.4.1",
        )


def _tell_changes(state: SignatureState, changes: Changes | None) -> str:
    """What comparing with what we sent shows of the cause."""
    if changes is None:
        return ""
    if state is SignatureState.BODY_CHANGED and changes.body is not None:
        return (
            " The body is not the one that was sent: it was changed on the way."
            if changes.body
            else " The body arrived as it was sent: what was signed is not what was sent."
        )
    if state is SignatureState.HEADER_CHANGED:
        fields = ", ".join(changes.fields[:5])
        return (
            f" Changed on the way: {fields}."
            if fields
            else " All fields arrived as they were sent: look at the key first."
        )
    return ""


def _judge_chain(own: OwnView) -> Iterator[Finding]:
    if own.arc is not None and own.arc.result is VerdictResult.FAIL:
        sealer = sanitise(own.chain.sets[-1].sealer, 100) if own.chain.sets else "the message"
        yield make_finding(
            "arc_broken",
            Severity.WARNING,
            sealer,
            f"The ARC chain does not hold: {own.arc.detail or 'a seal does not verify'}.",
            advice="Look at the hosts between the last seal that holds and the mailbox: one of them changes mail.",
            source="RFC 8617 section 5.2",
        )


def _judge_dmarc(own: OwnView) -> Iterator[Finding]:
    verdict = own.dmarc
    if verdict is not None and verdict.result is VerdictResult.FAIL:
        yield make_finding(
            "dmarc_fails",
            Severity.ERROR,
            verdict.domain,
            f"DMARC fails for {verdict.domain}: {verdict.detail}.",
            advice="Sign with a DKIM key of the author's domain, or send with an envelope address of it that SPF allows.",
            source="RFC 9989 section 5.3",
        )


def _judge_agreement(found: Authentication) -> Iterator[Finding]:
    for method, agrees in found.agreement.items():
        if agrees:
            continue
        own, theirs = found.summary(method, Source.OWN), found.summary(method, Source.RECEIVER)
        assert own is not None
        assert theirs is not None
        yield make_finding(
            f"{method}_disagrees",
            Severity.WARNING,
            own.domain or theirs.domain,
            f"The receiver says {method}={theirs.result} ({theirs.detail or 'no reason given'}), and we find {own.result}"
            f" ({own.detail or 'no more is known'}).",
            advice="Look for a host behind the receiver's check that changes mail, or for a resolver that sees other records.",
            source="RFC 8601 section 2.7",
        )
