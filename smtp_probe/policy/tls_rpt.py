"""TLS-RPT (RFC 8460): the record that says where reports of TLS failures go.

In: a domain and `ports.Ask`. Out: findings whose ids begin with `tls_rpt_`. A domain without the record is nobody's fault.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from smtp_probe.model import CheckResult, DomainUnderCheck, Finding, Severity
from smtp_probe.policy.findings import make_finding, unseen
from smtp_probe.policy.records import texts_of
from smtp_probe.ports import Ask

_VERSION = "v=TLSRPTv1"
_MAILTO = re.compile(r"mailto:[^@\s,;!]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+(?:\?[^\s,;!]*)?", re.IGNORECASE)


def find_tls_rpt_fault(text: str) -> str:
    """Say what is wrong with a record (RFC 8460 section 3), or nothing."""
    fields = [part.strip() for part in text.split(";")]
    if fields and not fields[-1]:
        fields.pop()
    if fields[:1] != [_VERSION]:
        return f"it does not begin with {_VERSION};"
    reports = [
        field.partition("=")[2].strip() for field in fields if field.partition("=")[0].strip() == "rua"
    ]
    if len(reports) != 1:
        return "it needs one rua="
    for address in (part.strip() for part in reports[0].split(",")):
        parts = urlsplit(address) if address.lower().startswith("https:") else None
        if not _MAILTO.fullmatch(address) and not (parts is not None and parts.hostname):
            return f"{address[:80]!r} is neither mailto:ADDRESS nor https://..."
    return ""


async def check_tls_rpt(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
    """Look at the record. Fits `ports.Check`."""
    name = f"_smtp._tls.{subject.domain}"
    answer = await ask(name, "TXT")
    if answer.is_failure:
        return CheckResult(unobserved=(unseen(answer),))
    texts = texts_of(answer, "v=TLSRPTv1")
    facts = {"present": bool(texts), "record": texts[0][:300] if texts else None}
    findings: list[Finding] = []
    if len(texts) > 1:
        findings.append(
            make_finding(
                "tls_rpt_multiple",
                Severity.ERROR,
                name,
                f"{name} has {len(texts)} TLS-RPT records: senders act as if there were none.",
                advice="Keep one record.",
                source="RFC 8460 section 3",
            )
        )
    fault = find_tls_rpt_fault(texts[0]) if len(texts) == 1 else ""
    if fault:
        findings.append(
            make_finding(
                "tls_rpt_record",
                Severity.ERROR,
                name,
                f"The TLS-RPT record {name} cannot be used: {fault}.",
                advice="Publish: v=TLSRPTv1; rua=mailto:tls-reports@YOUR.DOMAIN",
                source="RFC 8460 section 3",
            )
        )
    return CheckResult(findings=tuple(findings), facts=facts)
