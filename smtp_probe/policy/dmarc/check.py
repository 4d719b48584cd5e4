"""The DMARC check of a domain: its policy, where it stands, how strong it is, and where reports go.

In: a domain, with a sender's address where one is known, and `ports.Ask`. Out: findings whose ids begin with `dmarc_`, and
the facts `domain`, `policy` and `alignment` with more. A fault is told once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import CheckResult, DnsAnswer, DnsStatus, DomainUnderCheck, Finding, Severity
from smtp_probe.policy.dmarc.alignment import applied_policy, is_aligned
from smtp_probe.policy.dmarc.discovery import Step, Walk, walk_up
from smtp_probe.policy.dmarc.record import POLICIES, DmarcRecord, is_dmarc
from smtp_probe.policy.findings import make_finding, unseen
from smtp_probe.ports import Ask


async def check_dmarc(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
    """Look at the policy that holds for a domain. Fits `ports.Check`."""
    walk = await walk_up(subject.domain, ask)
    step = walk.policy_step
    has_own = walk.steps[0].count > 0  # what stands above changes nothing then
    failed = [] if has_own else list(walk.failed)
    own = await ask(subject.domain, "MX")
    is_absent = own.status is DnsStatus.NO_SUCH_NAME and not own.aliases  # which is told by the MX check
    findings = [] if is_absent else [*_judge_walk(walk)]
    policy, aligned = None, None
    if step is not None and step.record is not None:
        policy = await applied_policy(walk, ask)
        findings += _judge_record(step, step.record, policy)
        findings += await _judge_reports(step, step.record, ask, failed)
        aligned = await _align_sender(subject, step.record, ask)
        if aligned is False:
            findings.append(_sender_not_aligned(subject))
    return CheckResult(
        findings=tuple(findings),
        unobserved=tuple(dict.fromkeys(unseen(answer) for answer in failed)),
        is_partial=_is_missing(walk),
        facts=_facts(walk, step, policy, aligned),
    )


def _finding(  # noqa: PLR0913, PLR0917  # a finding has so many parts
    check: str, severity: Severity, subject: str, message: str, advice: str, section: str
) -> Finding:
    source = section if section.startswith("RFC") else f"RFC 9989 section {section}"
    return make_finding(check, severity, subject, message, advice=advice, source=source)


def _judge_walk(walk: Walk) -> Iterator[Finding]:
    for step in walk.steps:
        if step.count > 1:
            yield _finding(
                "dmarc_multiple",
                Severity.ERROR,
                f"_dmarc.{step.domain}",
                f"There are {step.count} DMARC records at _dmarc.{step.domain}: receivers discard all of them.",
                "Keep one.",
                "4.10",
            )
    if _is_missing(walk):
        yield _missing(walk)


def _is_missing(walk: Walk) -> bool:
    """Whether there is no policy, but for one that a top-level domain might have, which could not be asked."""
    is_open = any("." in step.domain and step.answer.is_failure for step in walk.steps)
    return walk.policy_step is None and not is_open and not any(step.count > 1 for step in walk.steps)


def _missing(walk: Walk) -> Finding:
    texts = [value for value in walk.steps[0].answer.values if isinstance(value, bytes)]
    lookalike = next((text for text in texts if b"dmarc" in text.lower() and not is_dmarc(text)), None)
    if lookalike is not None:
        return _finding(
            "dmarc_syntax",
            Severity.ERROR,
            f"_dmarc.{walk.domain}",
            f"What stands at _dmarc.{walk.domain} is no DMARC record: {sanitise(lookalike, 80)!r}.",
            "Begin the record with `v=DMARC1;`, in exactly this spelling.",
            "4.7",
        )
    return _finding(
        "dmarc_missing",
        Severity.ERROR,
        walk.domain,
        f"{walk.domain} has no DMARC policy, and none above it holds for it."
        if not walk.failed
        else f"{walk.domain} has no DMARC policy; whether {walk.steps[-1].domain} has one could not be looked up.",
        f"Publish at _dmarc.{walk.organisational_domain}: v=DMARC1; p=none; rua=mailto:... and tighten it later.",
        "4.10.1",
    )


def _judge_record(step: Step, record: DmarcRecord, policy: str | None) -> Iterator[Finding]:
    name = f"_dmarc.{step.domain}"
    for fault in record.faults:
        yield _finding(
            "dmarc_syntax",
            Severity.ERROR,
            name,
            f"In the DMARC record at {name}, {fault}.",
            "Correct it.",
            "4.7",
        )
    if record.policy is None and not record.faults:
        yield _finding(
            "dmarc_no_policy",
            Severity.ERROR,
            name,
            f"The DMARC record at {name} has no p= tag.",
            "Add p=none, p=quarantine or p=reject.",
            "4.7",
        )
    yield from _judge_strength(name, record, policy)
    for tag in record.removed:
        yield _finding(
            "dmarc_tag_removed",
            Severity.INFO,
            name,
            f"The DMARC record at {name} has the tag {tag}=, which receivers ignore since RFC 9989.",
            "Remove it." if tag != "pct" else "Remove it; for a trial write t=y.",
            "A.6",
        )
    if record.unknown:
        yield _finding(
            "dmarc_tag_unknown",
            Severity.WARNING,
            name,
            f"The DMARC record at {name} has tags that do not exist: {', '.join(record.unknown[:5])}.",
            "Remove them, or correct their spelling.",
            "4.7",
        )


def _judge_strength(name: str, record: DmarcRecord, policy: str | None) -> Iterator[Finding]:
    strength = {value: rank for rank, value in enumerate(POLICIES)}
    if record.policy is None:
        return
    if policy == "none":
        yield _finding(
            "dmarc_policy_none",
            Severity.WARNING,
            name,
            f"The DMARC policy at {name} is none: receivers do nothing about mail that pretends to be yours.",
            "When the reports show that your own mail passes, change it to quarantine, then reject.",
            "5.3",
        )
        return
    for tag, value, what in (
        ("sp", record.subdomain_policy, "subdomains"),
        ("np", record.absent_policy, "names that do not exist"),
    ):
        if value is not None and strength[value] < strength[record.policy]:
            yield _finding(
                "dmarc_subdomain_weaker",
                Severity.WARNING,
                name,
                f"The DMARC record at {name} protects {what} less ({tag}={value}) than the domain"
                f" (p={record.policy}).",
                f"Remove {tag}=, or set it to {record.policy}.",
                "4.7",
            )
    if record.is_testing:
        yield _finding(
            "dmarc_testing",
            Severity.WARNING,
            name,
            f"The DMARC record at {name} says that it is a test (t=y): the policy is applied one level weaker.",
            "Remove t=y when the reports show that your own mail passes.",
            "4.7",
        )


async def _judge_reports(step: Step, record: DmarcRecord, ask: Ask, failed: list[DnsAnswer]) -> list[Finding]:
    name = f"_dmarc.{step.domain}"
    findings: list[Finding] = []
    if not any(report.tag == "rua" for report in record.reports):
        findings.append(
            _finding(
                "dmarc_no_reports",
                Severity.WARNING,
                name,
                f"The DMARC record at {name} asks for no aggregate reports: nobody tells you of mail that fails.",
                "Add rua=mailto:... with an address that somebody or something reads.",
                "4.7",
            )
        )
    for report in record.reports:
        if report.host is None or report.has_size:
            what = (
                "has a size limit, which is no part of it any more" if report.host else "is no mail address"
            )
            findings.append(
                _finding(
                    "dmarc_report_address",
                    Severity.WARNING,
                    name,
                    f"In the DMARC record at {name}, {report.tag}={report.uri[:80]} {what}.",
                    "Write mailto: and a mail address.",
                    "4.7",
                )
            )
    hosts = dict.fromkeys(report.host for report in record.reports if report.host is not None)
    for host in list(hosts)[:10]:
        findings += await _judge_destination(step, host, ask, failed)
    return findings


async def _judge_destination(step: Step, host: str, ask: Ask, failed: list[DnsAnswer]) -> Sequence[Finding]:
    """Reports may go to another organisation only where that says so (RFC 9990 section 4)."""
    if await is_aligned(step.domain, host, ask, strict=False) is not False:
        return ()
    name = f"{step.domain}._report._dmarc.{host}"
    answer = await ask(name, "TXT")
    if answer.is_failure:
        failed.append(answer)
        return ()
    if any(isinstance(value, bytes) and is_dmarc(value) for value in answer.values):
        return ()
    return (
        _finding(
            "dmarc_report_not_authorised",
            Severity.WARNING,
            host,
            f"{host} does not say that it takes DMARC reports about {step.domain}: receivers will send none there.",
            f"Have a TXT record `v=DMARC1;` published at {name}, or have reports sent to your own domain.",
            "RFC 9990 section 4",
        ),
    )


async def _align_sender(subject: DomainUnderCheck, record: DmarcRecord, ask: Ask) -> bool | None:
    domain = (subject.sender or "").rpartition("@")[2]
    return await is_aligned(subject.domain, domain, ask, strict=record.strict_spf) if domain else None


def _sender_not_aligned(subject: DomainUnderCheck) -> Finding:
    domain = (subject.sender or "").rpartition("@")[2].lower()
    return _finding(
        "dmarc_spf_not_aligned",
        Severity.WARNING,
        domain,
        f"The envelope domain {domain} does not align with {subject.domain}: SPF cannot make DMARC pass.",
        f"Send with an envelope address of {subject.domain}, or make sure that every mail has a DKIM signature of it.",
        "4.4.2",
    )


def _facts(walk: Walk, step: Step | None, policy: str | None, aligned: bool | None) -> dict[str, Any]:
    record = step.record if step is not None else None
    return {
        "domain": None if step is None else step.domain,
        "organisational_domain": None if walk.failed else walk.organisational_domain,
        "policy": policy,
        "alignment": None
        if record is None
        else {
            "spf": "strict" if record.strict_spf else "relaxed",
            "dkim": "strict" if record.strict_dkim else "relaxed",
            "sender_aligned": aligned,
        },
        "subdomain_policy": None if record is None else record.subdomain_policy,
        "absent_policy": None if record is None else record.absent_policy,
        "is_testing": None if record is None else record.is_testing,
        "reports": [] if record is None else [sanitise(report.uri, 120) for report in record.reports],
        "record": None if record is None else sanitise(record.text, 600),
        "questions": len(walk.steps),
    }
