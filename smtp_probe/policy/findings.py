"""How the rules of this folder make a finding, and how they say what could not be seen.

In: the parts of a finding, some of them text of strangers. Out: a `Finding` whose texts are sanitised and bounded; and a
sentence about an answer that is none.
"""

from __future__ import annotations

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import DnsAnswer, DnsSecurity, Finding, Severity
from smtp_probe.model.words import in_words


def make_finding(  # noqa: PLR0913  # a finding has so many parts
    check: str, severity: Severity, subject: str, message: str, *, advice: str, source: str
) -> Finding:
    """One finding, fit to be shown."""
    return Finding(
        check=check,
        severity=severity,
        subject=sanitise(subject, 260),
        message=sanitise(message, 500),
        advice=advice,
        source=source,
    )


def unseen(answer: DnsAnswer) -> str:
    """What could not be looked up, and why."""
    why = answer.detail or in_words(answer.status)
    bogus = " (DNSSEC: bogus)" if answer.security is DnsSecurity.BOGUS else ""
    return sanitise(f"{answer.name} {answer.kind} could not be looked up: {why}{bogus}")
