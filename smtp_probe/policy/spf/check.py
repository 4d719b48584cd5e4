"""The SPF check of a domain: its record and all it leads to, and what a receiver makes of the egress addresses.

In: a domain with what is known of its mail. Out: findings whose ids begin with `spf_`, the facts `result`, `lookups`,
`void_lookups` and more, and how many look-ups are left. A fault is told once, where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import CheckResult, DomainUnderCheck, Finding, Severity
from smtp_probe.model.words import in_words
from smtp_probe.policy.spf.evaluation import (
    MOST_LOOKUPS,
    SpfResult,
    SpfVerdict,
    check_host,
)
from smtp_probe.policy.spf.findings import judge_record, spf_finding
from smtp_probe.policy.spf.survey import SpfSurvey, survey
from smtp_probe.ports import Ask

_NOT_ALLOWED = (SpfResult.FAIL, SpfResult.SOFTFAIL)
_WORST = (
    SpfResult.PERMERROR,
    SpfResult.FAIL,
    SpfResult.SOFTFAIL,
    SpfResult.TEMPERROR,
    SpfResult.NEUTRAL,
    SpfResult.NONE,
    SpfResult.PASS,
)


async def check_spf(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
    """Look at the domain's record, and evaluate it for each egress address. Fits `ports.Check`."""
    found = await survey(subject.domain, ask)
    faults = list(judge_record(found))
    sender = (subject.sender or "").rpartition("@")[2].lower() or subject.domain
    verdicts = [
        await check_host(
            ip, sender, f"{_local_part(subject)}@{sender}", ask, helo=subject.ehlo_of(ip) or "unknown"
        )
        for ip in subject.egress
    ]
    hellos = {
        ip: await check_host(ip, helo, "", ask, helo=helo)
        for ip in subject.egress
        if (helo := subject.ehlo_of(ip)) and "." in helo
    }
    told = [fault.severity for fault in faults] if sender == subject.domain else []
    faults.extend(_judge_verdicts(subject.egress, verdicts, told))
    for helo in subject.ehlo_names:
        if "." in helo and helo.lower() not in (sender, subject.domain):
            of_name = {ip: verdict for ip, verdict in hellos.items() if subject.ehlo_of(ip) == helo}
            faults.extend(_judge_hellos(of_name, helo, await _addresses(helo, ask)))
    unobserved = [
        f"SPF: {sanitise(answer.name)} {answer.kind} could not be looked up: {answer.detail or in_words(answer.status)}"
        for answer in found.failed
    ]
    unobserved += [
        f"SPF of {ip}: {sanitise(verdict.reason)}" for ip, verdict in _temporary(subject, verdicts)
    ]
    first = found.first
    return CheckResult(
        findings=tuple(faults),
        unobserved=tuple(dict.fromkeys(unobserved)),
        facts=_facts(found, verdicts, list(hellos.values()), subject),
        gauges={"spf_lookups_left": MOST_LOOKUPS - found.lookups} if first.record is not None else {},
    )


def _local_part(subject: DomainUnderCheck) -> str:
    return (subject.sender or "").rpartition("@")[0] or "postmaster"


def _temporary(subject: DomainUnderCheck, verdicts: Sequence[SpfVerdict]) -> Iterator[tuple[str, SpfVerdict]]:
    for ip, verdict in zip(subject.egress, verdicts, strict=True):
        if verdict.result is SpfResult.TEMPERROR:
            yield ip, verdict


def _facts(
    found: SpfSurvey, verdicts: Sequence[SpfVerdict], hellos: Sequence[SpfVerdict], subject: DomainUnderCheck
) -> dict[str, Any]:
    first = found.first
    worst = min(verdicts, key=lambda verdict: _WORST.index(verdict.result), default=None)
    return {
        "result": _result_without_address(found) if worst is None else worst.result.value,
        "lookups": None if first.answer.is_failure else found.lookups,
        "void_lookups": None if first.answer.is_failure else len(found.void),
        "record": sanitise(first.texts[0], 600) if len(first.texts) == 1 else None,
        "domain": first.domain if worst is None else worst.domain,
        "mechanism": None if worst is None else sanitise(worst.mechanism) or None,
        "reason": None if worst is None else sanitise(worst.reason) or None,
        "explanation": None if worst is None else sanitise(worst.explanation) or None,
        "ehlo_result": hellos[0].result.value if hellos else None,
        "results": {ip: verdict.result.value for ip, verdict in zip(subject.egress, verdicts, strict=True)},
    }


def _result_without_address(found: SpfSurvey) -> str | None:
    """What every sender gets, or all but those whom the record names before it fails; None where it depends."""
    first = found.first
    if first.answer.is_failure:
        return SpfResult.TEMPERROR.value
    if not first.texts:
        return SpfResult.NONE.value
    return SpfResult.PERMERROR.value if found.ends_in_error else None


def _judge_verdicts(
    egress: Sequence[str], verdicts: Sequence[SpfVerdict], told: Sequence[Severity]
) -> Iterator[Finding]:
    """What the record's faults, `told` already by their severity, do not explain."""
    for ip, verdict in zip(egress, verdicts, strict=True):
        if verdict.result in _NOT_ALLOWED:
            yield spf_finding(
                "spf_egress_not_allowed",
                Severity.ERROR,
                ip,
                f"SPF gives {verdict.result} for mail of {verdict.domain} from {ip} (by {verdict.mechanism}).",
                "Add the address to the record, or send from an address that is in it.",
                "8",
            )
        elif verdict.result is SpfResult.PERMERROR and Severity.ERROR not in told:
            yield spf_finding(
                "spf_permerror",
                Severity.ERROR,
                ip,
                f"The evaluation for {ip} ends in a permanent error: {verdict.reason}.",
                "Correct the record.",
                "8.7",
            )
        elif verdict.result in (SpfResult.NEUTRAL, SpfResult.NONE) and not told:
            yield spf_finding(
                "spf_egress_not_named",
                Severity.WARNING,
                ip,
                f"SPF gives {verdict.result} for mail of {verdict.domain} from {ip}: {verdict.reason or 'by the record'}.",
                "Publish a record of the envelope domain that names the address.",
                "8.2",
            )


async def _addresses(name: str, ask: Ask) -> frozenset[str]:
    """The addresses of the EHLO name. That it lacks an egress address is told by the check of the identity."""
    answers = [await ask(name, kind) for kind in ("A", "AAAA")]
    return frozenset(str(ip_address(str(value))) for answer in answers for value in answer.values)


def _judge_hellos(
    verdicts: Mapping[str, SpfVerdict], helo: str, addresses: frozenset[str]
) -> Iterator[Finding]:
    for ip, verdict in verdicts.items():
        if str(ip_address(ip)) in addresses and verdict.result in (*_NOT_ALLOWED, SpfResult.PERMERROR):
            yield spf_finding(
                "spf_ehlo_not_allowed",
                Severity.WARNING,
                helo,
                f"SPF gives {verdict.result} for the EHLO name {helo} from {ip}"
                f" ({verdict.reason or verdict.mechanism}).",
                "Publish a record of the EHLO name that names its address: v=spf1 a -all.",
                "2.3",
            )
