"""BIMI: the record that names a domain's logo (draft-brand-indicators-for-message-identification).

In: a domain, and `ports.Ask`. Out: findings whose ids begin with `bimi_`, and the record's facts. Without a record there is
nothing to say: nobody needs one. Fetches neither logo nor certificate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from smtp_probe.mail.authentication.tags import TagList, read_tags
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import CheckResult, DnsAnswer, DomainUnderCheck, Finding, Severity
from smtp_probe.policy.dmarc.alignment import applied_policy
from smtp_probe.policy.dmarc.discovery import Walk, walk_up
from smtp_probe.policy.findings import make_finding, unseen
from smtp_probe.ports import Ask

SELECTOR = "default"
_VERSION = re.compile(rb"[ \t]*v[ \t]*=[ \t]*BIMI1[ \t]*(?:;|$)")
_LOGO = re.compile(r"https://[^\s]+\.svgz?", re.IGNORECASE)
_EVIDENCE = re.compile(r"https://[^\s]+", re.IGNORECASE)
_SOURCE = "draft-brand-indicators-for-message-identification section 4"


async def check_bimi(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
    """Look at the record of the domain, or else of its organisational domain. Fits `ports.Check`."""
    walk = await walk_up(subject.domain, ask)
    answers = [await ask(f"{SELECTOR}._bimi.{subject.domain}", "TXT")]
    if not _records(answers[0]) and walk.organisational_domain != subject.domain and not walk.failed:
        answers.append(await ask(f"{SELECTOR}._bimi.{walk.organisational_domain}", "TXT"))
    answer = answers[-1]
    if answer.is_failure:
        return CheckResult(unobserved=(unseen(answer),))
    records = _records(answer)
    if not records:
        return CheckResult(findings=tuple(_judge_lookalike(answer)))
    tags = read_tags(records[0])
    findings = [*_judge_record(answer.name, records, tags)]
    if tags.get("l") and not findings:
        findings += await _judge_policy(subject.domain, walk, ask)
    return CheckResult(
        findings=tuple(findings),
        unobserved=tuple(unseen(failed) for failed in walk.failed),
        facts=_facts(answer.name, records[0], tags),
    )


def _records(answer: DnsAnswer) -> list[bytes]:
    return [value for value in answer.values if isinstance(value, bytes) and _VERSION.match(value)]


def _finding(check: str, severity: Severity, subject: str, message: str, advice: str) -> Finding:
    return make_finding(check, severity, subject, message, advice=advice, source=_SOURCE)


def _judge_lookalike(answer: DnsAnswer) -> Iterator[Finding]:
    texts = [value for value in answer.values if isinstance(value, bytes) and b"bimi" in value.lower()]
    if texts:
        yield _finding(
            "bimi_syntax",
            Severity.WARNING,
            answer.name,
            f"What stands at {answer.name} is no BIMI record: {sanitise(texts[0], 80)!r}.",
            "Begin the record with `v=BIMI1;`, in exactly this spelling.",
        )


def _judge_record(name: str, records: list[bytes], tags: TagList) -> Iterator[Finding]:
    if len(records) > 1:
        yield _finding(
            "bimi_multiple",
            Severity.WARNING,
            name,
            f"There are {len(records)} BIMI records at {name}: receivers use none of them.",
            "Keep one.",
        )
        return
    if tags.faults or "l" not in tags.tags:
        why = tags.faults[0] if tags.faults else "there is no l= tag"
        yield _finding(
            "bimi_syntax", Severity.WARNING, name, f"In the BIMI record at {name}, {why}.", "Correct it."
        )
        return
    logo, evidence = tags.get("l"), tags.get("a")
    if logo and _LOGO.fullmatch(logo) is None:
        yield _finding(
            "bimi_location",
            Severity.WARNING,
            name,
            f"The logo of the BIMI record at {name} is not at an https address of an SVG image: l={logo[:80]}.",
            "Name an https address that ends with .svg.",
        )
    if evidence and _EVIDENCE.fullmatch(evidence) is None:
        yield _finding(
            "bimi_location",
            Severity.WARNING,
            name,
            f"The certificate of the BIMI record at {name} is not at an https address: a={evidence[:80]}.",
            "Name the https address of the certificate (PEM).",
        )
    if logo and not evidence:
        yield _finding(
            "bimi_no_certificate",
            Severity.INFO,
            name,
            f"The BIMI record at {name} names no mark certificate (a=): several large receivers show no logo without one.",
            "Obtain a mark certificate, and name its address in a=.",
        )


async def _judge_policy(domain: str, walk: Walk, ask: Ask) -> list[Finding]:
    """Receivers show a logo only for domains that have forged mail rejected or put aside."""
    if walk.failed:
        return []
    step = walk.policy_step
    policy = await applied_policy(walk, ask)
    if policy in ("quarantine", "reject") and step is not None and step.record and not step.record.is_testing:
        return []
    return [
        _finding(
            "bimi_policy",
            Severity.WARNING,
            domain,
            f"{domain} has a BIMI record, but its DMARC policy is {policy or 'missing'}: receivers show no logo.",
            "Publish a DMARC policy of quarantine or reject.",
        )
    ]


def _facts(name: str, record: bytes, tags: TagList) -> dict[str, Any]:
    return {
        "name": name,
        "record": sanitise(record, 600),
        "logo": sanitise(tags.get("l"), 300) or None,
        "certificate": sanitise(tags.get("a"), 300) or None,
        "is_declined": tags.get("l") == "" and "l" in tags.tags,
    }
