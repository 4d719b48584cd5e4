"""Domains, exchangers, queue and drills: what their checks found, as the pages take it from the application.

In: `CheckedSubject`s, which the parts that check hand over. Out: views. A part that is not configured is None, and its
page says so: it is neither good nor bad.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Finding, QueuedProbe
from smtp_probe.report.history import State
from smtp_probe.report.web.instants import instant_or_none
from smtp_probe.report.web.views import FindingView, PartView, SubjectView

PARTS = ("domains", "exchangers", "queue", "drills")
_MOST_SUBJECTS = 500
_MOST_FINDINGS = 100
_MOST_FACTS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSubject:
    """One domain, exchanger, queue or drill. `checked_ns` is None until it has been looked at once."""

    name: str
    checked_ns: int | None = None
    findings: tuple[Finding, ...] = ()
    unobserved: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    is_unhealthy: bool = False
    """Whether it has failed, whatever its findings' severity: a drill fails with a warning, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenInQueue:
    """One of our messages, at the last look into a queue."""

    queue: str
    at_ns: int
    probe: QueuedProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is known of each part; None for one that is not configured."""

    domains: tuple[CheckedSubject, ...] | None = None
    exchangers: tuple[CheckedSubject, ...] | None = None
    queue: tuple[CheckedSubject, ...] | None = None
    drills: tuple[CheckedSubject, ...] | None = None
    queued: tuple[SeenInQueue, ...] = ()
    """Our own messages that stand in the queues."""


def view_part(checks: Checks, part: str) -> PartView:
    """Give one of `PARTS`, those subjects first that need a look."""
    subjects: tuple[CheckedSubject, ...] | None = getattr(checks, part)
    order = (State.FAILED, State.UNOBSERVED, State.WAITING, State.GOOD)
    views = sorted(
        map(view_subject, (subjects or ())[:_MOST_SUBJECTS]),
        key=lambda subject: (order.index(subject.state), subject.name),
    )
    return PartView(part=part, is_configured=subjects is not None, subjects=tuple(views))


def view_subject(subject: CheckedSubject) -> SubjectView:
    """Give one subject."""
    return SubjectView(
        name=sanitise(subject.name, 255),
        state=_state(subject),
        checked_at=instant_or_none(subject.checked_ns),
        findings=tuple(map(view_finding, subject.findings[:_MOST_FINDINGS])),
        unobserved=tuple(sanitise(sentence) for sentence in subject.unobserved[:_MOST_FINDINGS]),
        facts={
            sanitise(name, 80): sanitise(value, 500)
            for name, value in list(subject.facts.items())[:_MOST_FACTS]
        },
    )


def view_finding(finding: Finding) -> FindingView:
    """Give one finding."""
    return FindingView(
        check=sanitise(finding.check, 80),
        severity=finding.severity.value,
        subject=sanitise(finding.subject, 255),
        message=sanitise(finding.message, 1000),
        advice=sanitise(finding.advice, 1000),
        source=sanitise(finding.source, 120),
    )


def _state(subject: CheckedSubject) -> State:
    if subject.checked_ns is None:
        return State.WAITING
    if subject.is_unhealthy or any(finding.severity.is_grave for finding in subject.findings):
        return State.FAILED
    return State.UNOBSERVED if subject.unobserved else State.GOOD
