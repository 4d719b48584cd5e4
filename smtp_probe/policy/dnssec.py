"""DNSSEC of a domain: whether its signatures hold, its keys are those that the parent names, and none is out of date.

In: a domain, `ports.Ask`, and the time. Out: findings whose ids begin with `dnssec_`. A domain that is not signed is nobody's
fault. Whether signatures hold is the validating resolver's word; keys and digests are compared here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtp_probe.model import (
    CheckResult,
    DnsAnswer,
    DnsSecurity,
    DnsStatus,
    DomainUnderCheck,
    Finding,
    Severity,
)
from smtp_probe.policy.findings import make_finding, unseen
from smtp_probe.ports import Ask

_DIGESTS = {1: hashlib.sha1, 2: hashlib.sha256, 4: hashlib.sha384}
_WEAK_ALGORITHMS = frozenset({1, 3, 5, 6, 7, 12})
"""RFC 8624 section 3.1: not to be signed with."""
_EXPIRY_SECONDS = 2 * 86_400
_SEP = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneKey:
    """One DNSKEY record."""

    flags: int
    algorithm: int
    wire: bytes

    @property
    def tag(self) -> int:
        """RFC 4034 appendix B."""
        total = sum(byte << 8 if at % 2 == 0 else byte for at, byte in enumerate(self.wire))
        return (total + (total >> 16)) & 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """One DS record."""

    tag: int
    algorithm: int
    digest_kind: int
    digest: bytes


def read_key(text: str) -> ZoneKey | None:
    """A DNSKEY record as a zone file writes it."""
    parts = text.split()
    try:
        flags, protocol, algorithm = (int(part) for part in parts[:3])
        key = base64.b64decode("".join(parts[3:]), validate=True)
    except (ValueError, binascii.Error):
        return None
    wire = flags.to_bytes(2, "big") + bytes((protocol, algorithm)) + key
    return ZoneKey(flags=flags, algorithm=algorithm, wire=wire)


def read_delegation(text: str) -> Delegation | None:
    """A DS record as a zone file writes it."""
    parts = text.split()
    try:
        tag, algorithm, kind = (int(part) for part in parts[:3])
        digest = bytes.fromhex("".join(parts[3:]))
    except ValueError:
        return None
    return Delegation(tag=tag, algorithm=algorithm, digest_kind=kind, digest=digest)


def names_key(delegation: Delegation, key: ZoneKey, domain: str) -> bool:
    """Whether a DS record is of this key (RFC 4034 section 5.1.4)."""
    digest = _DIGESTS.get(delegation.digest_kind)
    if digest is None or delegation.tag != key.tag or delegation.algorithm != key.algorithm:
        return False
    labels = domain.lower().removesuffix(".").encode("ascii", "replace").split(b".")
    owner = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    return digest(owner + key.wire).digest() == delegation.digest


async def check_dnssec(subject: DomainUnderCheck, ask: Ask, now_seconds: int | None = None) -> CheckResult:
    """Look at the domain's DS and DNSKEY records, and at how its records are signed."""
    domain = subject.domain
    mx, ds, dnskey = await ask(domain, "MX"), await ask(domain, "DS"), await ask(domain, "DNSKEY")
    answers = (mx, ds, dnskey)
    findings = [finding for finding in (_bogus(domain, answers),) if finding is not None]
    if not findings:
        findings += _judge_keys(domain, ds, dnskey)
        findings += _judge_signatures(domain, answers, now_seconds)
    failed = [answer for answer in answers if answer.is_failure and answer.security is not DnsSecurity.BOGUS]
    return CheckResult(
        findings=tuple(findings),
        unobserved=tuple(unseen(answer) for answer in failed),
        facts={
            "security": mx.security.value,
            "has_ds": None if ds.is_failure else bool(ds.values),
            "has_keys": None if dnskey.is_failure else bool(dnskey.values),
        },
    )


def _bogus(domain: str, answers: Sequence[DnsAnswer]) -> Finding | None:
    bogus = [answer for answer in answers if answer.security is DnsSecurity.BOGUS]
    if not bogus:
        return None
    return make_finding(
        "dnssec_bogus",
        Severity.ERROR,
        domain,
        f"The DNSSEC signatures of {bogus[0].name} {bogus[0].kind} do not hold: "
        "for whoever validates, the domain does not exist.",
        advice="Sign the zone anew, and see that the parent's DS record is of its key.",
        source="RFC 4035 section 5.5",
    )


def _judge_keys(domain: str, ds: DnsAnswer, dnskey: DnsAnswer) -> Iterator[Finding]:
    if ds.is_failure or dnskey.is_failure:
        return  # nor is anything known of the parent where the zone itself has answered for it (RFC 4035 section 3.1.4.1)
    delegations = [entry for value in ds.values if (entry := read_delegation(str(value))) is not None]
    keys = [key for value in dnskey.values if (key := read_key(str(value))) is not None]
    if delegations and not keys and dnskey.status is DnsStatus.NO_DATA:
        yield _finding(
            "dnssec_no_key",
            Severity.ERROR,
            domain,
            f"The parent has a DS record for {domain}, but the zone has no keys: it is bogus.",
            "Sign the zone, or have the parent remove the DS record.",
            "RFC 4035 section 2.4",
        )
    elif delegations and not any(names_key(entry, key, domain) for entry in delegations for key in keys):
        yield _finding(
            "dnssec_ds_mismatch",
            Severity.ERROR,
            domain,
            f"None of the DS records at the parent of {domain} is of a key of the zone: it is bogus.",
            "Have the parent publish the DS record of the zone's present key.",
            "RFC 4035 section 5.2",
        )
    elif keys and not delegations and ds.status is DnsStatus.NO_DATA and ds.zone != domain:
        yield _finding(
            "dnssec_no_ds",
            Severity.WARNING,
            domain,
            f"{domain} is signed, but the parent has no DS record for it: nobody can tell.",
            "Have the parent publish the DS record of the zone's key.",
            "RFC 4035 section 2.4",
        )
    weak = sorted({key.algorithm for key in keys} & _WEAK_ALGORITHMS)
    if weak and delegations:
        yield _finding(
            "dnssec_weak_algorithm",
            Severity.WARNING,
            domain,
            f"{domain} is signed with algorithm {weak[0]}, which is not to be used any more.",
            "Roll over to ECDSA P-256 (13) or Ed25519 (15).",
            "RFC 8624 section 3.1",
        )


def _judge_signatures(
    domain: str, answers: Sequence[DnsAnswer], now_seconds: int | None
) -> Iterator[Finding]:
    """A signature that ends soon: whoever renews it has stopped."""
    ends = [answer.signed_until_seconds for answer in answers if answer.signed_until_seconds is not None]
    if now_seconds is not None and ends and min(ends) - now_seconds < _EXPIRY_SECONDS:
        hours = (min(ends) - now_seconds) / 3600
        said = f"ends in {hours:.0f} hours" if hours > 0 else "has ended"
        yield _finding(
            "dnssec_signature_expiring",
            Severity.ERROR if hours <= 0 else Severity.WARNING,
            domain,
            f"A DNSSEC signature of {domain} {said}.",
            "See why the zone is not signed anew.",
            "RFC 6781 section 4.4.2",
        )


def _finding(  # noqa: PLR0913, PLR0917  # a finding has so many parts
    check: str, severity: Severity, subject: str, message: str, advice: str, source: str
) -> Finding:
    return make_finding(check, severity, subject, message, advice=advice, source=source)
