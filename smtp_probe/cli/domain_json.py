"""A domain's report as one JSON object, for programs.

In: a `DomainReport`. Out: one line, ASCII, the same keys always. `mx` is a list with each host's addresses and what
dialling each came to; every other section is the facts of its check, or null where that check was not run.
"""

from __future__ import annotations

import json
from typing import Any

from smtp_probe.cli.wording import clean
from smtp_probe.model import (
    CaaRecord,
    DnsAnswer,
    DnsValue,
    DomainReport,
    Finding,
    MxRecord,
    SoaRecord,
    SrvRecord,
    TlsaRecord,
)

_SECTIONS = (
    "spf",
    "dkim",
    "dmarc",
    "identity",
    "mta_sts",
    "tls_rpt",
    "dane",
    "dnssec",
    "caa",
    "bimi",
    "dnsbl",
    "authority",
)
_TEXT_CHARACTERS = 2048


def report_to_json(report: DomainReport, exit_code: int) -> str:
    """The whole report as one line, without a line end."""
    facts: dict[str, Any] = {
        "domain": report.subject.domain,
        "exit_code": exit_code,
        "is_observed": report.is_observed,
        "unobserved": list(report.unobserved),
        "findings": [finding_to_dict(finding) for finding in report.findings],
        "mx": _exchangers(report),
    }
    for name in _SECTIONS:
        result = report.results.get(name)
        facts[name] = None if result is None else dict(result.facts)
    facts["records"] = [_record(answer) for answer in report.records]
    return json.dumps(facts, ensure_ascii=True, allow_nan=False, separators=(", ", ": "))


def finding_to_dict(finding: Finding) -> dict[str, Any]:
    """One finding with all its parts."""
    names = ("check", "severity", "subject", "message", "advice", "source")
    return {name: str(getattr(finding, name)) for name in names}


def _exchangers(report: DomainReport) -> list[dict[str, Any]]:
    """The MX hosts with their addresses; of each address what was seen when it was dialled, or null."""
    if "mx" not in report.results:
        return []
    visits = report.results["exchangers"].facts.get("visits", {}) if "exchangers" in report.results else {}
    return [
        {
            "preference": record["preference"],
            "host": record["host"],
            "addresses": [
                visits.get(f"{record['host']} {address}") or {"address": address, "up": None}
                for address in record["addresses"]
            ],
        }
        for record in report.results["mx"].facts.get("records", ())
    ]


def _record(answer: DnsAnswer) -> dict[str, Any]:
    return {
        "name": clean(answer.name),
        "kind": answer.kind,
        "status": answer.status.value,
        "values": [value_to_text(value) for value in answer.values],
        "ttl_seconds": answer.ttl_seconds,
        "security": answer.security.value,
        "aliases": [clean(alias) for alias in answer.aliases],
        "detail": clean(answer.detail),
    }


def value_to_text(value: DnsValue) -> str:
    """One record as a zone file writes it, more or less, sanitised."""
    match value:
        case bytes():
            text = value.decode("utf-8", "replace")
        case MxRecord():
            text = f"{value.preference} {value.host or '.'}"
        case TlsaRecord():
            text = f"{value.usage} {value.selector} {value.matching} {value.data.hex()}"
        case CaaRecord():
            text = f'{value.flags} {value.tag} "{value.value}"'
        case SrvRecord():
            text = f"{value.priority} {value.weight} {value.port} {value.target or '.'}"
        case SoaRecord():
            text = (
                f"{value.primary} {value.contact} {value.serial} {value.refresh} {value.retry} "
                f"{value.expire} {value.minimum}"
            )
        case _:
            text = value
    return clean(text, _TEXT_CHARACTERS) or ""
