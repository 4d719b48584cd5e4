"""What one drill came to: which steps of the delivery path were exercised on purpose, and what each did.

A report is *unhealthy* where something is wrong (a finding above a note), *unobserved* where the drill could not be done
or could not see all, and *healthy* only where everything was seen and was as it should be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from smtp_probe.model.failure import Reply
from smtp_probe.model.finding import Finding, Severity


class DrillKind(StrEnum):
    """What is exercised. Bounded: these values are metric labels."""

    BOUNCE = "bounce"
    RETRY = "retry"
    FAILOVER = "failover"
    REJECTION = "rejection"


class DrillResult(StrEnum):
    """How a drill ended. Bounded: these values are metric labels."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNOBSERVED = "unobserved"


class Manner(StrEnum):
    """How a receiver treats whoever comes."""

    SERVE = "serve"
    UNAVAILABLE = "unavailable"
    """421 at once (RFC 5321 section 3.8)."""
    SILENT = "silent"
    """Not a word."""
    TARPIT = "tarpit"
    """A greeting that does not end."""


class Desk(StrEnum):
    """Which of our receivers a server came to."""

    ONLY = "only"
    PREFERRED = "preferred"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillAttempt:
    """One time that a server came to a receiver of ours with the drill's message, or came at all."""

    at_ns: int
    desk: Desk = Desk.ONLY
    peer: str = ""
    """Its address."""
    ehlo_name: str = ""
    """Sanitised; empty where it did not get that far."""
    tls: str = ""
    """The version of TLS that it came with; empty for none."""
    answer: str = ""
    """What we said, or did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillTrial:
    """One thing that must be refused, tried. Exactly one of `reply` and `unobserved` is there."""

    check: str
    """What was tried: `relay`, `gtube`, ..."""
    step: str = ""
    """The command that was answered, or `message` for the reply to the final dot."""
    reply: Reply | None = None
    unobserved: str = ""
    """Why it could not be tried, sanitised."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillReport:
    """One drill, done."""

    drill: str
    """Its name in the configuration."""
    kind: DrillKind
    started_ns: int
    duration_seconds: float
    findings: tuple[Finding, ...] = ()
    unobserved: tuple[str, ...] = ()
    """What could not be seen, a sentence each, sanitised; nothing is claimed of it."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What is worth showing, in words, by a short title."""
    attempts: tuple[DrillAttempt, ...] = ()
    """Of a retry or a failover drill: in order of time."""
    trials: tuple[DrillTrial, ...] = ()
    """Of a rejection drill."""
    failover_seconds: float | None = None
    """Of a failover drill: until the next exchanger was reached, where it was."""

    @property
    def result(self) -> DrillResult:
        """How it ended."""
        if any(finding.severity is not Severity.INFO for finding in self.findings):
            return DrillResult.UNHEALTHY
        return DrillResult.UNOBSERVED if self.unobserved else DrillResult.HEALTHY

    @property
    def retry_intervals(self) -> tuple[float, ...]:
        """Seconds between the attempts of a retry drill."""
        if self.kind is not DrillKind.RETRY:
            return ()
        times = [attempt.at_ns for attempt in self.attempts]
        return tuple((later - earlier) / 1e9 for earlier, later in pairwise(times))
