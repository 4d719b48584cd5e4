"""The authentication of one received message: keys and policies are asked for, signatures verified, and both sides told.

In: a message's octets, and what is known of its way. Out: an `Authentication`. Has a budget of questions and of time, and
verifies what is not small in a thread; a body that is too large, or not there as a whole, leaves DKIM and ARC unobserved. Never raises for
what a message has in it, or DNS does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from smtp_probe.mail.authentication.arc_chain import ArcChain, read_chain
from smtp_probe.mail.authentication.author import find_author_domain
from smtp_probe.mail.authentication.changes import SentMessage, compare
from smtp_probe.mail.authentication.received_spf import ReceivedSpf, read_received_spf
from smtp_probe.mail.authentication.signature import Signature, read_signature
from smtp_probe.mail.authentication.trust import find_receiver, find_trusted
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Authentication, Method, Source, Verdict, VerdictResult
from smtp_probe.policy.dkim.key import DkimKey, read_key
from smtp_probe.policy.dkim.verification import (
    MOST_SIGNATURES,
    ArcResult,
    SignatureResult,
    SignatureState,
    verify_chain,
    verify_signature,
)
from smtp_probe.policy.dmarc.alignment import evaluate, is_aligned, wants_strict_dkim
from smtp_probe.policy.spf.evaluation import SpfResult, check_host
from smtp_probe.policy.verdicts import OwnView, form_authentication
from smtp_probe.ports import Ask
from smtp_probe.probes.dns_budget import Budget

MOST_BYTES = 1_048_576
"""A larger message is not verified."""
_QUESTIONS = 120
_SECONDS = 20.0
_MOST_CHAIN_KEYS = 20
_QUICK_BYTES = 16_384
_QUICK_SIGNATURES = 2
_QUICK_KEY_BYTES = 1_024
"""A record with an RSA key of 4096 bits is shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessage:
    """A message as a mailbox has it, and what is known of it besides."""

    header: bytes
    body: bytes | None
    """None where it is not there as a whole."""
    sender: str | None = None
    """The envelope sender."""
    egress: str | None = None
    """The address from which it left its own organisation, as seen by the first host of the receiver's."""
    ehlo_name: str | None = None
    trusted_ids: tuple[str, ...] = ()
    """authserv-ids that count; empty: those of the organisation of the topmost Received lines."""
    own_hosts: tuple[str, ...] = ()
    sent: SentMessage | None = None


@dataclass(frozen=True, slots=True)
class _Parts:
    """What stands in the header."""

    fields: tuple[tuple[str, bytes], ...]
    author: str | None
    signatures: tuple[Signature, ...]
    chain: ArcChain


async def authenticate(message: ReceivedMessage, ask: Ask, now_seconds: int) -> Authentication:
    """Form all verdicts on one message."""
    budget = Budget(ask, _QUESTIONS, _SECONDS)
    parts = _read(message.header)
    spf = await _evaluate_spf(message, budget)
    unobserved: list[str] = []
    signatures, arc = await _verify(message, parts, budget, now_seconds, unobserved)
    is_strict = bool(signatures) and await wants_strict_dkim(parts.author, budget)
    aligned = [await _align(parts.author, found, budget, strict=is_strict) for found in signatures or ()]
    dmarc = await _evaluate_dmarc(parts, spf, signatures, budget)
    own = OwnView(
        author=parts.author,
        signatures=tuple(signatures or ()),
        alignments=tuple(aligned),
        chain=parts.chain,
        arc=arc,
        spf=spf,
        dmarc=dmarc,
        changes=None if message.sent is None else compare(message.sent, message.header, message.body),
        unobserved=tuple(unobserved),
        has_verified=signatures is not None,
    )
    return form_authentication(own, *_read_receiver(message, parts.fields))


def receiver_only(message: ReceivedMessage) -> Authentication:
    """Give what the receiver says, and nothing of our own: no question is asked."""
    own = OwnView(author=None, has_verified=False)
    return form_authentication(own, *_read_receiver(message, split_fields(message.header)))


def _read(header: bytes) -> _Parts:
    fields = split_fields(header)
    written = [value for name, value in fields if name == "dkim-signature"][:MOST_SIGNATURES]
    return _Parts(
        fields,
        find_author_domain(fields),
        tuple(read_signature(value) for value in written),
        read_chain(fields),
    )


def _read_receiver(
    message: ReceivedMessage, fields: Sequence[tuple[str, bytes]]
) -> tuple[tuple, ReceivedSpf | None]:  # type: ignore[type-arg]
    receiver = find_receiver(message.header, message.trusted_ids, message.own_hosts)
    trusted = find_trusted(message.header, receiver)
    lines, spf = 0, None
    for name, value in fields:
        lines += name == "received"
        if receiver.own_lines is not None and lines > receiver.own_lines:
            break
        if name == "received-spf":
            spf = read_received_spf(value)
            break
    return trusted, spf


async def _verify(
    message: ReceivedMessage, parts: _Parts, ask: Ask, now_seconds: int, unobserved: list[str]
) -> tuple[list[SignatureResult] | None, ArcResult | None]:
    """Every signature and the chain; None for what could not be looked at."""
    if message.body is None or len(message.header) + len(message.body) > MOST_BYTES:
        unobserved.append("DKIM and ARC: the message is not there as a whole, or too large")
        return None, None
    octets = join(message.header, message.body)
    sound = [each for each in parts.signatures if not each.fault]
    names = dict.fromkeys(each.key_name for each in sound)
    names |= dict.fromkeys(_chain_names(parts.chain))
    keys = await _find_keys(tuple(names), ask)
    work = partial(_verify_all, octets, parts, keys, now_seconds)
    signatures, arc = work() if _is_quick(octets, parts, keys) else await asyncio.to_thread(work)
    unobserved += [
        f"DKIM: the key at {sanitise(found.signature.key_name, 255)} could not be looked up: {sanitise(found.detail)}"
        for found in signatures
        if found.state is SignatureState.TEMPORARY
    ]
    if arc.result is None:
        unobserved.append(f"ARC: {sanitise(arc.detail)}")
    return signatures, arc


def join(header: bytes, body: bytes) -> bytes:
    """One message of its two parts, with one empty line between them."""
    return header.rstrip(b"\r\n") + b"\r\n\r\n" + body


def _chain_names(chain: ArcChain) -> list[str]:
    names = [] if chain.fault else [name for arc_set in chain.sets for name in arc_set.key_names]
    return list(dict.fromkeys(names))[:_MOST_CHAIN_KEYS]


async def _find_keys(names: Sequence[str], ask: Ask) -> dict[str, DkimKey]:
    """The keys at these names. One that is known is had without a turn of the event loop."""
    if len(names) == 1:
        return {names[0]: await _find_key(names[0], ask)}
    return dict(zip(names, await asyncio.gather(*(_find_key(name, ask) for name in names)), strict=True))


async def _find_key(name: str, ask: Ask) -> DkimKey:
    return read_key(await ask(name, "TXT"))


def _is_quick(octets: bytes, parts: _Parts, keys: Mapping[str, DkimKey]) -> bool:
    """Whether verifying takes about a millisecond, which is less than a thread and the way back from it cost."""
    return (
        len(octets) <= _QUICK_BYTES
        and len(parts.signatures) <= _QUICK_SIGNATURES
        and not parts.chain.is_present
        and all(len(key.record) <= _QUICK_KEY_BYTES for key in keys.values())
    )


def _verify_all(
    octets: bytes, parts: _Parts, keys: Mapping[str, DkimKey], now_seconds: int
) -> tuple[list[SignatureResult], ArcResult]:
    signatures = [
        verify_signature(octets, index, signature, keys.get(signature.key_name), now_seconds)
        for index, signature in enumerate(parts.signatures)
    ]
    return signatures, verify_chain(octets, parts.chain, keys)


async def _align(author: str | None, found: SignatureResult, ask: Ask, *, strict: bool) -> bool | None:
    if author is None or found.state is not SignatureState.PASS:
        return None
    return await is_aligned(author, found.signature.domain, ask, strict=strict)


async def _evaluate_spf(message: ReceivedMessage, ask: Ask) -> Verdict | None:
    """Our own evaluation for the egress; None where that is not known."""
    if message.egress is None or message.sender is None:
        return None
    helo = message.ehlo_name or ""
    domain = message.sender.rpartition("@")[2] or helo
    if not domain:
        return None
    sender = message.sender or f"postmaster@{helo}"
    found = await check_host(message.egress, domain, sender, ask, helo=helo or "unknown")
    return Verdict(
        method=Method.SPF,
        source=Source.OWN,
        result=VerdictResult(found.result.value),
        domain=sanitise(domain.lower(), 255),
        detail=sanitise(found.reason or found.mechanism, 200),
    )


async def _evaluate_dmarc(
    parts: _Parts, spf: Verdict | None, signatures: list[SignatureResult] | None, ask: Ask
) -> Verdict | None:
    if parts.author is None or signatures is None:
        return None
    passed = [found.signature.domain for found in signatures if found.state is SignatureState.PASS]
    is_open = any(found.state is SignatureState.TEMPORARY for found in signatures)
    spf_domain = spf.domain if spf is not None and spf.result == SpfResult.PASS.value else None
    is_spf_known = spf is not None and spf.result is not VerdictResult.TEMPERROR
    found = await evaluate(parts.author, spf_domain, passed, ask, is_complete=is_spf_known and not is_open)
    return Verdict(
        method=Method.DMARC,
        source=Source.OWN,
        result=VerdictResult(found.result),
        domain=sanitise(parts.author, 255),
        detail=sanitise(found.reason or (f"policy {found.policy}" if found.policy else ""), 200),
    )
