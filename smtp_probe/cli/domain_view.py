"""A domain's report as lines for a terminal: each check, its findings, and what to change.

In: a `DomainReport`, the width, the signs. Out: rich texts without line ends. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from smtp_probe.cli.drawing import WIDEST, wrap
from smtp_probe.cli.terminal import Glyphs
from smtp_probe.model import CheckResult, DomainReport, Finding, Severity

TITLES = {
    "mx": "MX records",
    "exchangers": "Exchangers",
    "identity": "Identity",
    "spf": "SPF",
    "dkim": "DKIM",
    "dmarc": "DMARC",
    "mta_sts": "MTA-STS",
    "tls_rpt": "TLS reports",
    "dane": "DANE",
    "dnssec": "DNSSEC",
    "caa": "CAA",
    "bimi": "BIMI",
    "dnsbl": "Block lists",
    "authority": "Name servers",
}
_PUBLISHED = {
    "spf": ("record",),
    "dkim": ("selectors",),
    "dmarc": ("record",),
    "mta_sts": ("present",),
    "tls_rpt": ("present",),
    "dane": ("hosts",),
    "dnssec": ("has_ds", "has_keys"),
    "caa": ("records",),
}
"""The facts of a check that tell whether there is anything to be well: where all are empty, nothing is published."""
_ABSENT = "-"
_MOST_HOSTS = 4
_SEVERITIES = {
    Severity.CRITICAL: ("critical", "bold red"),
    Severity.ERROR: ("error", "bold red"),
    Severity.WARNING: ("warning", "yellow"),
    Severity.INFO: ("note", "cyan"),
}


def draw_report(report: DomainReport, width: int, glyphs: Glyphs) -> list[Text]:
    """The whole report, check by check, and one line that sums it up."""
    width = min(width, WIDEST)
    lines = [Text(report.subject.domain, style="bold")]
    for name, result in report.results.items():
        if not (result.facts or result.findings or result.unobserved):
            continue  # it had nothing to look at
        lines += _draw_check(name, result, width, glyphs)
    return [*lines, Text(), _sum_up(report)]


def _draw_check(name: str, result: CheckResult, width: int, glyphs: Glyphs) -> Iterator[Text]:
    title = TITLES.get(name, name)
    is_absent = name in _PUBLISHED and not any(result.facts.get(key) for key in _PUBLISHED[name])
    findings = sorted(result.findings, key=lambda finding: list(_SEVERITIES).index(finding.severity))
    if findings:
        sign, style = (glyphs.bad, _SEVERITIES[findings[0].severity][1])
    elif result.unobserved:
        sign, style = glyphs.unknown, "magenta"
    elif is_absent:
        sign, style = _ABSENT, "dim"
    else:
        sign, style = glyphs.good, "green"
    brief = "none" if sign == _ABSENT else "" if is_absent else _brief(result)
    yield Text.assemble((f"{sign} ", style), (title, "bold"), f"  {brief}" if brief else "")
    for finding in findings:
        yield from draw_finding(finding, width)
    for text in result.unobserved:
        yield from indented(f"not observed: {text}", width, "magenta")


def _brief(result: CheckResult) -> str:
    """One fact worth a word, where the check has one."""
    facts = result.facts
    if isinstance(facts.get("lookups"), int):
        words = f"{facts['lookups']} of 10 look-ups"
        return f"{facts['result']}, {words}" if facts.get("result") else words
    hosts = facts.get("hosts")
    if not isinstance(hosts, list):
        return ""
    more = f" and {len(hosts) - _MOST_HOSTS} more" if len(hosts) > _MOST_HOSTS else ""
    return ", ".join(hosts[:_MOST_HOSTS]) + more


def draw_finding(finding: Finding, width: int) -> Iterator[Text]:
    """One finding, and what to change."""
    word, style = _SEVERITIES[finding.severity]
    yield from indented(f"{word}: {finding.message}", width, style)
    if finding.advice:
        yield from indented(f"{finding.advice} ({finding.check}, {finding.source})", width, "", deeper=True)


def indented(text: str, width: int, style: str, *, deeper: bool = False) -> Iterator[Text]:
    """A sentence in lines of that width."""
    indent = "      " if deeper else "    "
    for line in wrap(text, max(width - len(indent), 20)):
        yield Text.assemble(indent, (line, style))


def _sum_up(report: DomainReport) -> Text:
    counts = dict.fromkeys(Severity, 0)
    for finding in report.findings:
        counts[finding.severity] += 1
    parts = [
        f"{counts[severity]} {word}{'' if counts[severity] == 1 else 's'}"
        for severity, (word, _) in _SEVERITIES.items()
        if counts[severity]
    ]
    said = ", ".join(parts) or "nothing found"
    if not report.is_observed:
        said += "; not all of it could be observed"
    return Text(said, style="bold")
