"""DANE for SMTP (RFC 7672): the TLSA records of each MX host, against the certificate that it presents.

In: the MX hosts, `ports.Ask`, and visits where there were any. Out: findings whose ids begin with `dane_`. A host without
TLSA records is nobody's fault; one among others that have them is worth a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtp_probe.model import (
    CheckResult,
    DnsAnswer,
    DnsSecurity,
    DnsStatus,
    DomainUnderCheck,
    ExchangerVisit,
    Finding,
    Severity,
    TlsaRecord,
    TlsFailure,
)
from smtp_probe.policy.certificates import DANE_TA, is_for, is_usable, is_well_formed, matches
from smtp_probe.policy.findings import make_finding, unseen
from smtp_probe.ports import Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTlsa:
    """The TLSA records of one host."""

    host: str
    answer: DnsAnswer

    @property
    def records(self) -> tuple[TlsaRecord, ...]:
        """All of them, usable or not."""
        return tuple(value for value in self.answer.values if isinstance(value, TlsaRecord))

    @property
    def is_malformed(self) -> bool:
        """Whether there are records that cannot be read, or whose numbers and lengths do not fit."""
        bad = self.answer.status is DnsStatus.MALFORMED or self.answer.unreadable > 0
        return bad or not all(is_well_formed(record) for record in self.records)

    @property
    def usable(self) -> tuple[TlsaRecord, ...]:
        """Those that SMTP makes something of."""
        return tuple(record for record in self.records if is_usable(record))


async def ask_tlsa(hosts: Sequence[str], ask: Ask) -> list[HostTlsa]:
    """The records of all hosts, at port 25 (RFC 7672 section 2.2.3)."""
    return [HostTlsa(host=host, answer=await ask(f"_25._tcp.{host}", "TLSA")) for host in hosts]


async def check_dane(
    subject: DomainUnderCheck, ask: Ask, visits: Sequence[ExchangerVisit] = ()
) -> CheckResult:
    """Look at every host's records, and match them where it was visited. Says nothing where no host is known."""
    if not subject.mx_hosts:
        return CheckResult()
    found = await ask_tlsa(subject.mx_hosts, ask)
    mx = await ask(subject.domain, "MX")
    findings: list[Finding] = []
    for entry in found:
        if entry.is_malformed:
            findings.append(_malformed(entry))
        if entry.records:
            findings += _judge_records(entry, mx)
            findings += _judge_live(
                entry, [visit for visit in visits if visit.host == entry.host], subject.domain
            )
    lacking = [
        entry.host for entry in found if entry.answer.status in (DnsStatus.NO_DATA, DnsStatus.NO_SUCH_NAME)
    ]
    if lacking and any(entry.records for entry in found):
        findings.append(_partial(subject.domain, lacking))
    return CheckResult(
        findings=tuple(findings),
        unobserved=tuple(unseen(entry.answer) for entry in found if _is_unseen(entry.answer)),
        facts={
            "hosts": [entry.host for entry in found if entry.records],
            "security": {entry.host: entry.answer.security.value for entry in found if entry.records},
        },
    )


def _is_unseen(answer: DnsAnswer) -> bool:
    return answer.is_failure and answer.status is not DnsStatus.MALFORMED


def _partial(domain: str, lacking: Sequence[str]) -> Finding:
    return make_finding(
        "dane_partial",
        Severity.WARNING,
        domain,
        f"Some MX hosts of {domain} have TLSA records, and {', '.join(lacking)} has none: "
        "whoever attacks the way leads mail there.",
        advice="Publish TLSA records for every MX host.",
        source="RFC 7672 section 2.2.1",
    )


def _malformed(entry: HostTlsa) -> Finding:
    bad = next((record for record in entry.records if not is_well_formed(record)), None)
    seen = "" if bad is None else f": {bad.usage} {bad.selector} {bad.matching} with {len(bad.data)} octets"
    return make_finding(
        "dane_malformed",
        Severity.ERROR,
        entry.host,
        f"A TLSA record of {entry.host} cannot be read or does not fit together{seen}.",
        advice="Make the record anew from the certificate: 3 1 1 and the SHA-256 of the public key.",
        source="RFC 6698 section 2.1",
    )


def _judge_records(entry: HostTlsa, mx: DnsAnswer) -> Iterator[Finding]:
    if not entry.usable and not entry.is_malformed:
        yield _finding(
            "dane_unusable",
            Severity.ERROR,
            entry.host,
            f"All TLSA records of {entry.host} have usage 0 or 1, which SMTP makes nothing of.",
            "Use usage 3 (the host's own key) or 2 (its authority).",
            "RFC 7672 section 3.1.3",
        )
    unsigned = [answer for answer in (entry.answer, mx) if answer.security is DnsSecurity.INSECURE]
    if unsigned:
        yield _finding(
            "dane_insecure",
            Severity.ERROR,
            entry.host,
            f"{entry.host} has TLSA records, but {unsigned[0].name} {unsigned[0].kind} is not signed with DNSSEC: "
            "nobody heeds them.",
            "Sign the zone, and have the parent publish its DS record.",
            "RFC 7672 section 2.1",
        )


def _judge_live(entry: HostTlsa, visits: Sequence[ExchangerVisit], domain: str) -> Iterator[Finding]:
    """Against each address. Whoever heeds DANE does not deliver where none of the records matches."""
    usable = entry.usable
    matched: set[TlsaRecord] = set()
    for visit in visits:
        where = f"{entry.host} [{visit.address}]"
        if not visit.is_up or not usable:
            continue
        if not visit.offers_starttls:
            yield _finding(
                "dane_no_starttls",
                Severity.ERROR,
                where,
                f"{where} has TLSA records, but offers no STARTTLS: senders that heed DANE cannot deliver.",
                "Switch TLS on, or remove the TLSA records.",
                "RFC 7672 section 2.2",
            )
        elif visit.chain:
            hits = [record for record in usable if matches(record, visit.chain)]
            matched.update(hits)
            if not hits:
                yield _finding(
                    "dane_mismatch",
                    Severity.ERROR,
                    where,
                    f"None of the TLSA records of {entry.host} matches the certificate of {where}: "
                    "senders that heed DANE cannot deliver.",
                    "Publish the records of the new key, wait for the TTL, and only then change the key.",
                    "RFC 7672 section 3.1",
                )
            elif all(record.usage == DANE_TA for record in hits):
                yield from _judge_named(visit, where, domain)
    if matched and len(set(usable)) == 1 and next(iter(usable)).usage == 3:
        yield _finding(
            "dane_rollover",
            Severity.INFO,
            entry.host,
            f"{entry.host} has one TLSA record, of its present key: a new key will not match until the record changes.",
            "Publish a second record: of the next key, or of the authority (2 1 1).",
            "RFC 7671 section 8.1",
        )


def _judge_named(visit: ExchangerVisit, where: str, domain: str) -> Iterator[Finding]:
    """A record of an authority vouches for a certificate only with its name and dates (RFC 7672 section 3.1.2)."""
    is_expired = visit.tls is not None and visit.tls.failure is TlsFailure.EXPIRED
    if is_for(visit.chain[0], (visit.host, domain)) is False:
        what = f"is neither for {visit.host} nor for {domain}"
    elif is_expired:
        what = "has expired"
    else:
        return
    yield _finding(
        "dane_certificate",
        Severity.ERROR,
        where,
        f"Only a TLSA record of an authority (usage 2) matches at {where}, and the certificate {what}: "
        "senders that heed DANE cannot deliver.",
        "Install a certificate of this authority for the name of the host, or publish a record of its own key (3 1 1).",
        "RFC 7672 section 3.2.2",
    )


def _finding(  # noqa: PLR0913, PLR0917  # a finding has so many parts
    check: str, severity: Severity, subject: str, message: str, advice: str, source: str
) -> Finding:
    return make_finding(check, severity, subject, message, advice=advice, source=source)
