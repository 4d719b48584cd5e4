"""Outcomes, durations and delays, as words and numbers for a terminal.

In: facts of the model. Out: short texts and the colour that goes with an outcome. What servers wrote is sanitised here
or before; nothing is escaped, since the consoles of this package read no markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Outcome, OutcomeKind
from smtp_probe.report.increments import is_success
from smtp_probe.report.sentences import describe_duration

UNKNOWN = "-"
_NS = 1_000_000_000

OUTCOME_WORDS = {
    OutcomeKind.DELIVERED: "delivered",
    OutcomeKind.JUNKED: "in junk",
    OutcomeKind.LATE: "late",
    OutcomeKind.BOUNCED: "bounced",
    OutcomeKind.REFUSED: "refused",
    OutcomeKind.DEFERRED: "deferred",
    OutcomeKind.UNREACHABLE: "unreachable",
    OutcomeKind.LOST: "lost",
    OutcomeKind.UNOBSERVED: "not observed",
}
LONGEST_WORD = max(map(len, OUTCOME_WORDS.values()))

_STYLES = {
    OutcomeKind.DELIVERED: "green",
    OutcomeKind.JUNKED: "yellow",
    OutcomeKind.LATE: "yellow",
    OutcomeKind.UNOBSERVED: "magenta",
}
OVERDUE_STYLE = "yellow"
FAILED_STYLE = "red"


def style_of(outcome: Outcome) -> str:
    """The colour of an outcome: green is well, magenta is our own gap, everything else is the path's."""
    return "green" if is_success(outcome) else _STYLES.get(outcome.kind, FAILED_STYLE)


def describe_span(seconds: float | None) -> str:
    """A duration that may be far below a millisecond; `-` for None."""
    if seconds is None:
        return UNKNOWN
    if 0 <= seconds < 0.00005:
        return "<0.1 ms"
    if 0 <= seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    return describe_duration(seconds)


def describe_delay(seconds: float | None, resolution_seconds: float | None) -> str:
    """A raw difference of two stamps with its sign, and no digit that the stamps do not have."""
    if seconds is None:
        return UNKNOWN
    if abs(seconds) >= 120:
        return f"{'-' if seconds < 0 else '+'}{describe_duration(abs(seconds))}"
    resolution = 1.0 if resolution_seconds is None else resolution_seconds
    digits = 0 if resolution >= 1 else 1 if resolution >= 0.1 else 3
    return f"{round(seconds, digits) + 0.0:+.{digits}f} s"  # no minus before a nought


def describe_time(instant_ns: int) -> str:
    """The time of day of an instant, in UTC."""
    moment = _moment(instant_ns)
    return UNKNOWN if moment is None else f"{moment:%H:%M:%S}Z"


def describe_date(instant_ns: int) -> str:
    """The day of an instant, in UTC."""
    moment = _moment(instant_ns)
    return UNKNOWN if moment is None else f"{moment:%Y-%m-%d}"


def iso_time(instant_ns: int | None, resolution_seconds: float | None = None) -> str | None:
    """An instant as RFC 3339 writes it, in UTC, to the microsecond or, where it is no finer, to the second."""
    moment = None if instant_ns is None else _moment(instant_ns)
    if moment is None:
        return None
    is_coarse = resolution_seconds is not None and resolution_seconds >= 1
    text = moment.isoformat(timespec="seconds" if is_coarse else "microseconds")
    return text.removesuffix("+00:00") + "Z"


def short_names(names: Sequence[str]) -> list[str]:
    """Host names without the domain that all of them end in; as they are where they have none in common."""
    parts = [name.split(".") for name in names]
    shared = 0
    while parts and all(len(part) > shared + 1 for part in parts):
        if len({part[-shared - 1] for part in parts}) > 1:
            break
        shared += 1
    return [".".join(part[: len(part) - shared]) for part in parts]


def clean(text: str | None, limit: int = 300) -> str | None:
    """A stranger's text as one visible line; None for none."""
    return (sanitise(text, limit) or None) if text else None


def _moment(instant_ns: int) -> datetime | None:
    """None for an instant that no calendar has: a foreign clock may say anything."""
    try:
        whole = datetime.fromtimestamp(instant_ns // _NS, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return whole.replace(microsecond=instant_ns % _NS // 1000)
