"""Reports for the tests of how they are shown."""

from __future__ import annotations

from smtp_probe.model import (
    CheckResult,
    DnsAnswer,
    DnsStatus,
    DomainReport,
    DomainUnderCheck,
    Finding,
    MxRecord,
    Severity,
)


def make_finding(severity: Severity = Severity.ERROR, check: str = "spf_syntax") -> Finding:
    return Finding(
        check=check,
        severity=severity,
        subject="e.test",
        message="It is wrong.",
        advice="Put it right.",
        source="RFC 7208 section 4.6",
    )


def make_report(*findings: Finding, unobserved: tuple[str, ...] = ()) -> DomainReport:
    records = [
        {"preference": 10, "host": "mx1.e.test", "addresses": ["192.0.2.1", "192.0.2.2"]},
    ]
    visit = {"address": "192.0.2.1", "up": True}
    return DomainReport(
        subject=DomainUnderCheck(domain="e.test"),
        results={
            "mx": CheckResult(facts={"hosts": ["mx1.e.test"], "records": records}),
            "spf": CheckResult(
                findings=findings,
                unobserved=unobserved,
                facts={"result": "pass", "lookups": 3, "void_lookups": 0, "record": "v=spf1 -all"},
            ),
            "exchangers": CheckResult(facts={"visits": {"mx1.e.test 192.0.2.1": visit}}),
            "identity": CheckResult(),
            "tls_rpt": CheckResult(facts={"present": False, "record": None}),
        },
        records=(
            DnsAnswer(name="e.test", kind="MX", status=DnsStatus.FOUND, values=(MxRecord(10, "mx1.e.test"),)),
            DnsAnswer(name="e.test", kind="TXT", status=DnsStatus.FOUND, values=(b"v=spf1 \x1b[31m -all",)),
        ),
    )
