"""CAA (RFC 8659): whether certificates for the MX hosts can be had, and whether the records can be read.

In: a domain with its MX hosts, and `ports.Ask`. Out: findings whose ids begin with `caa_`. No record allows everybody, and
is nobody's fault. The tree is climbed from each name to the domain; above it only where an answer is to be had.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from smtp_probe.model import CaaRecord, CheckResult, DnsAnswer, DomainUnderCheck, Finding, Severity
from smtp_probe.policy.findings import make_finding, unseen
from smtp_probe.ports import Ask

_KNOWN_TAGS = frozenset(
    {"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}
)
_CRITICAL = 128
_ISSUER = re.compile(
    r"\s*(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)?\s*"
)
_MOST_LABELS = 10


async def check_caa(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
    """Look at the relevant set of the domain and of each MX host. Fits `ports.Check`."""
    findings: list[Finding] = []
    unobserved: list[str] = []
    sets: dict[str, tuple[CaaRecord, ...]] = {}
    for name in dict.fromkeys((subject.domain, *subject.mx_hosts)):
        answer, failed = await _relevant(name, ask)
        if failed is not None:
            unobserved.append(unseen(failed))
        if answer is not None and answer.name not in sets:
            sets[answer.name] = tuple(value for value in answer.values if isinstance(value, CaaRecord))
    for owner, records in sets.items():
        findings += _judge(owner, records, subject.mx_hosts)
    return CheckResult(
        findings=tuple(findings),
        unobserved=tuple(dict.fromkeys(unobserved)),
        facts={
            "records": {
                owner: [f'{record.flags} {record.tag} "{record.value[:200]}"' for record in records]
                for owner, records in sets.items()
            }
        },
    )


async def _relevant(name: str, ask: Ask) -> tuple[DnsAnswer | None, DnsAnswer | None]:
    """The first set on the way up (RFC 8659 section 3), or the answer that failed on it below the top."""
    labels = name.split(".")
    for at in range(min(len(labels), _MOST_LABELS)):
        answer = await ask(".".join(labels[at:]), "CAA")
        if answer.values:
            return answer, None
        if answer.is_failure:
            is_own = at == 0
            return None, answer if is_own else None
    return None, None


def _judge(owner: str, records: Sequence[CaaRecord], hosts: Sequence[str]) -> Iterator[Finding]:
    unknown = [record for record in records if record.tag not in _KNOWN_TAGS and record.flags & _CRITICAL]
    if unknown:
        yield make_finding(
            "caa_unknown_critical",
            Severity.ERROR,
            owner,
            f"A CAA record of {owner} is critical and has the tag {unknown[0].tag!r}, which no authority knows: "
            "none may issue certificates.",
            advice="Correct the tag, or take the critical flag away.",
            source="RFC 8659 section 4.1",
        )
    issue = [record.value.partition(";")[0] for record in records if record.tag == "issue"]
    bad = [value for value in issue if not _ISSUER.fullmatch(value)]
    if bad:
        yield make_finding(
            "caa_issuer",
            Severity.ERROR,
            owner,
            f"A CAA record of {owner} names the issuer {bad[0]!r}, which is no domain name.",
            advice="Name the authority by its domain, as its documentation says.",
            source="RFC 8659 section 4.2",
        )
    elif issue and not any(value.strip() for value in issue) and hosts:
        yield make_finding(
            "caa_forbids_all",
            Severity.WARNING,
            owner,
            f"The CAA records of {owner} forbid every authority to issue certificates, also for its mail servers.",
            advice="Name the authority of the mail servers' certificates, if they are to be trusted by others.",
            source="RFC 8659 section 4.2",
        )
    iodef = [record.value for record in records if record.tag == "iodef"]
    wrong = [value for value in iodef if not re.match(r"(?:mailto:[^@\s]+@|https?://)[^\s]+", value)]
    if wrong:
        yield make_finding(
            "caa_iodef",
            Severity.WARNING,
            owner,
            f"A CAA record of {owner} sends reports to {wrong[0]!r}, which is neither mailto: nor https:.",
            advice='Write iodef "mailto:ADDRESS".',
            source="RFC 8659 section 4.4",
        )
