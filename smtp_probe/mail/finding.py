"""One thing in a message that deserves a word: what was looked for, how much it matters, where, and what it means.

In: findings of all checks. Out: the same in the order in which a person wants to read them. `message` is one or two
plain sentences, and names of strangers in it are sanitised by whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found. `hop` counts from 1, the oldest; None where it is about the whole message."""

    check: str
    severity: Severity
    message: str
    hop: int | None = None


def arrange_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put errors first and notes last, and those of one check together, in the order in which they were found."""
    found = list(findings)
    first: dict[str, int] = {}
    for finding in found:
        first.setdefault(finding.check, len(first))
    return tuple(sorted(found, key=lambda each: (_RANKS[each.severity], first[each.check])))
