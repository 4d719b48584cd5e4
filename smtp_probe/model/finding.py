"""One thing that is wrong, or deserves a word: in what a domain publishes, what a server does, or what a message shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters. Bounded: these values are metric labels."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"
    """What others can use at once, such as a server that takes what it has to refuse."""

    @property
    def is_grave(self) -> bool:
        """Whether something is plainly wrong."""
        return self in (Severity.ERROR, Severity.CRITICAL)

    @property
    def rank(self) -> int:
        """The place among the others, the gravest first."""
        return _GRAVEST_FIRST.index(self)


_GRAVEST_FIRST = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found. `message` is one or two plain sentences; names of strangers in it are sanitised."""

    check: str
    """The id of the check: lower case with underscores, from a bounded, documented set."""
    severity: Severity
    message: str
    """What was seen."""
    subject: str = ""
    """What it is about: a domain, a host, an address, a record's name."""
    advice: str = ""
    """What to change."""
    source: str = ""
    """Where the rule stands: `RFC 7208 section 4.6.4`."""
    hop: int | None = None
    """In a message's way: counts from 1, the oldest; None where it is about the whole message or no message."""
