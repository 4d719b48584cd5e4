"""One thing in a message that deserves a word: what was looked for, how much it matters, where, and what it means.

A value without behaviour. `message` is one or two plain sentences; names of strangers in it are sanitised.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found. `hop` counts from 1, the oldest; None where it is about the whole message."""

    check: str
    severity: Severity
    message: str
    hop: int | None = None
