"""One probe's result as a monitoring plugin says it: one line with performance data, and an exit code.

In: a `SingleResult` and two ranges for the delivery time. Out: text and state by the guidelines of monitoring-plugins,
which Nagios, Icinga, Checkmk, Naemon and Zabbix read. The set of performance data is the same always: what is not known
is `U`. Pure.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import IntEnum

from smtp_probe.app.single import SingleResult
from smtp_probe.cli.rendering import Meaning, meaning_of, verdict
from smtp_probe.model import Submission

SERVICE = "SMTP_PROBE"
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_RANGE = re.compile(rf"(?P<inside>@)?(?:(?P<start>~|{_NUMBER}):)?(?P<end>{_NUMBER})?")


class State(IntEnum):
    """What a plugin's exit code means."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Range:
    """A range of seconds, as the guidelines write it: an alert is raised outside of it, or inside with `@`."""

    text: str
    start: float
    end: float
    alerts_inside: bool

    def alerts(self, seconds: float) -> bool:
        """Whether this value is worth an alert."""
        return (self.start <= seconds <= self.end) == self.alerts_inside


def parse_range(text: str) -> Range:
    """Read `10`, `10:`, `~:10`, `10:20` or `@10:20`. Raises ValueError, with what is wrong."""
    found = _RANGE.fullmatch(text)
    if found is None or text in ("", "@"):
        message = f"{text[:40]!r} is no range of seconds: write 10, 10:, ~:10, 10:20 or @10:20"
        raise ValueError(message)
    start = -math.inf if found["start"] == "~" else float(found["start"] or 0)
    end = math.inf if found["end"] is None else float(found["end"])
    if start > end:
        message = f"the range {text[:40]!r} ends before it begins"
        raise ValueError(message)
    return Range(text, start, end, found["inside"] is not None)


def state_of(result: SingleResult, warning: Range | None, critical: Range | None) -> State:
    """Mail problems are critical; mail that got through is judged by the two ranges, the graver first."""
    meaning = meaning_of(result)
    if meaning is not Meaning.DELIVERED:
        return State.UNKNOWN if meaning is Meaning.NOT_OBSERVED else State.CRITICAL
    seconds = None if result.outcome is None else result.outcome.delivery_seconds
    if seconds is None:  # it came, and nobody can say how fast: a threshold cannot be judged
        return State.OK if warning is critical is None else State.UNKNOWN
    if critical is not None and critical.alerts(seconds):
        return State.CRITICAL
    return State.WARNING if warning is not None and warning.alerts(seconds) else State.OK


def plugin_line(result: SingleResult, warning: Range | None, critical: Range | None) -> str:
    """The whole output, without a line end."""
    state = state_of(result, warning, critical)
    said = f"{result.route}: {verdict(result)}{_reason(result, state, warning, critical)}"
    return f"{plain_line(state, said)} | {_performance(result, warning, critical)}"


def plain_line(state: State, said: str) -> str:
    """A line without performance data: for a check that did not come to a result."""
    words = " ".join(said.replace("|", "/").split())
    return f"{SERVICE} {state.name} - {words}"


def _reason(result: SingleResult, state: State, warning: Range | None, critical: Range | None) -> str:
    """Which range was left, where that made the state."""
    if meaning_of(result) is not Meaning.DELIVERED or state is State.OK:
        return ""
    if state is State.UNKNOWN:
        return " (the delivery time is not known)"
    broken = critical if state is State.CRITICAL else warning
    assert broken is not None
    return f" ({state.name.lower()} range {broken.text})"


def _performance(result: SingleResult, warning: Range | None, critical: Range | None) -> str:
    outcome = result.outcome
    delivery = None if outcome is None else outcome.delivery_seconds
    visibility = None if outcome is None else outcome.visibility_seconds
    submission = _submission_seconds(outcome.submission if outcome is not None else result.submission)
    limits = ";".join("" if limit is None else limit.text for limit in (warning, critical))
    return " ".join(
        (
            f"delivery={_value(delivery)};{limits};0",
            f"visibility={_value(visibility)};;;0",
            f"submission={_value(submission)};;;0",
        )
    )


def _submission_seconds(submission: Submission | None) -> float | None:
    """From the first phase's start to the end of the last one."""
    if submission is None or not submission.phases:
        return None
    first_ns = min(phase.started_ns for phase in submission.phases)
    return max((phase.started_ns - first_ns) / 1e9 + phase.duration_seconds for phase in submission.phases)


def _value(seconds: float | None) -> str:
    return "U" if seconds is None else f"{max(0.0, seconds):.6f}s"
