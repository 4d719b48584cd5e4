"""How a mail server retries: read from what it says of its own settings, and judged.

In: the output of `postconf`, or of `exim -brt` and `exim -bP`. Out: a `RetrySchedule`, and findings. RFC 5321 section 4.5.4.1: retry after
a wait, with growing waits, for days. Too often, and receivers think less of the sender; too short a life, and an
outage of a weekend costs mail; too long, and people hear of a failure when it no longer matters.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from smtp_probe.model import Finding, RetrySchedule, Severity

POSTFIX_SETTINGS = (
    "minimal_backoff_time",
    "maximal_backoff_time",
    "queue_run_delay",
    "maximal_queue_lifetime",
    "bounce_queue_lifetime",
)
EXIM_SETTINGS = ("retry_interval_max", "ignore_bounce_errors_after", "timeout_frozen_after")
_SOURCE = "RFC 5321 section 4.5.4.1"
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_POSTFIX_TIME = re.compile(r"(\d+)([smhdw]?)")
_POSTFIX_DEFAULT_UNITS = {"maximal_queue_lifetime": "d", "bounce_queue_lifetime": "d"}
_SETTING_LINE = re.compile(r"(\w+) = *(.*)")
_EXIM_RULE = re.compile(r"Retry rule: +(.*)")
_EXIM_STEP = re.compile(r"([FGH]),((?:\d+[wdhms])+|0),((?:\d+[wdhms])+)(?:,(\d+(?:\.\d+)?))?")
_EXIM_VALUE = re.compile(r"(?:\d+[wdhms])+")
_EXIM_TIME = re.compile(r"(\d+)([wdhms])")
_READ_CHARACTERS = 20_000


class ScheduleError(Exception):
    """What was read is no schedule: nothing can be said of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryLimits:
    """What counts as aggressive, as short and as long."""

    minimum_first_seconds: float = 300.0
    minimum_lifetime_seconds: float = 2 * 86400.0
    maximum_lifetime_seconds: float = 7 * 86400.0


def read_postfix(output: str) -> RetrySchedule:
    """Read `name = value` lines of postconf. Raises ScheduleError.

    A deferred message waits as long as it is old, between the two back-off times, and until the queue is run next.
    """
    values = {}
    for line in output[:_READ_CHARACTERS].splitlines():
        match = _SETTING_LINE.fullmatch(line.strip())
        if match is not None and match[1] in POSTFIX_SETTINGS:
            values[match[1]] = _postfix_seconds(match[1], match[2])
    missing = [name for name in POSTFIX_SETTINGS if name not in values]
    if missing:
        msg = f"postconf did not tell {', '.join(missing)}"
        raise ScheduleError(msg)
    return RetrySchedule(
        first_seconds=values["minimal_backoff_time"],
        longest_seconds=values["maximal_backoff_time"],
        lifetime_seconds=values["maximal_queue_lifetime"],
        bounce_lifetime_seconds=values["bounce_queue_lifetime"],
        names=("minimal_backoff_time", "maximal_backoff_time", "maximal_queue_lifetime"),
    )


def read_exim(output: str, settings: str = "") -> RetrySchedule | None:
    """Read the rule that `exim -brt` shows; None where no rule applies. Raises ScheduleError.

    `settings` are the lines of `exim -bP` for `EXIM_SETTINGS`, as far as they may be asked for: no wait is longer than
    `retry_interval_max`, and a bounce that nobody takes is kept until `ignore_bounce_errors_after`, or, frozen, until
    `timeout_frozen_after`, where that is sooner.
    """
    text = output[:_READ_CHARACTERS]
    if "No retry information found" in text:
        return None
    found = _EXIM_RULE.search(text)
    if found is None:
        raise ScheduleError("exim -brt did not tell a retry rule")
    steps = [
        (match[1], _exim_seconds(match[2]), _exim_seconds(match[3]), float(match[4] or 1))
        for match in _EXIM_STEP.finditer(found[1].replace(" ", ""))
    ]
    if not steps:
        # A rule without steps: an address that fails is not tried again.
        return None
    longest, began = 0.0, 0.0
    for kind, until, interval, factor in steps:
        grown = interval
        if kind != "F" and factor > 1 and until > began:
            # The last wait of a series that has lasted so long.
            grown = max(interval, interval + (until - began) * (factor - 1) / factor)
        longest, began = max(longest, grown), until
    told = _read_exim_settings(settings)
    limit = told.get("retry_interval_max") or math.inf
    bounces = told.get("ignore_bounce_errors_after")
    frozen = told.get("timeout_frozen_after") or math.inf  # 0: they stay
    return RetrySchedule(
        first_seconds=min(steps[0][2], limit),
        longest_seconds=min(longest, limit),
        lifetime_seconds=steps[-1][1],
        bounce_lifetime_seconds=None if bounces is None else min(bounces, frozen),
        bounce_name="ignore_bounce_errors_after",
        names=(
            "the first step of the retry rule",
            "a later step of the retry rule",
            "the last step of the retry rule",
        ),
    )


def _read_exim_settings(text: str) -> dict[str, float]:
    """Give the times among `name = value` lines, in seconds. What is no time is left out."""
    found: dict[str, float] = {}
    for line in text[:_READ_CHARACTERS].splitlines():
        match = _SETTING_LINE.fullmatch(line.strip())
        if match and match[1] in EXIM_SETTINGS and _EXIM_VALUE.fullmatch(match[2]):
            found[match[1]] = _exim_seconds(match[2])
    return found


def is_too_soon(first_seconds: float, limits: RetryLimits) -> bool:
    """Whether a second attempt after so long is too aggressive."""
    return first_seconds < limits.minimum_first_seconds


def is_growing(first_seconds: float, longest_seconds: float, *, by: float = 1.0) -> bool:
    """Whether waits grow, more than by a factor: what is measured is never quite even."""
    return longest_seconds > first_seconds * by


def judge_schedule(schedule: RetrySchedule | None, limits: RetryLimits) -> tuple[Finding, ...]:
    """Say what is wrong with a schedule; None is a server that does not retry."""
    if schedule is None:
        return (
            _finding(
                "retry_none",
                Severity.ERROR,
                "",
                "No retry rule applies: what fails for now is returned at once.",
                "Give the retry section of the configuration a rule such as `* * F,2h,15m; G,16h,1h,1.5; F,4d,6h`.",
            ),
        )
    return tuple(_judge_waits(schedule, limits)) + tuple(_judge_life(schedule, limits))


def _judge_waits(schedule: RetrySchedule, limits: RetryLimits) -> Iterator[Finding]:
    first, growth, _ = schedule.names
    if is_too_soon(schedule.first_seconds, limits):
        yield _finding(
            "retry_too_soon",
            Severity.WARNING,
            first,
            f"A message is tried again after {duration_words(schedule.first_seconds)} already; receivers take haste for abuse.",
            f"Set {first} to {duration_words(limits.minimum_first_seconds)} at least.",
        )
    if not is_growing(schedule.first_seconds, schedule.longest_seconds):
        yield _finding(
            "retry_no_growth",
            Severity.WARNING,
            growth,
            f"The waits do not grow: each is {duration_words(schedule.first_seconds)}, as long as the message lives.",
            f"Make {growth} longer than {first}: hours, where the first wait is minutes.",
        )


def _judge_life(schedule: RetrySchedule, limits: RetryLimits) -> Iterator[Finding]:
    name = schedule.names[2]
    if schedule.lifetime_seconds < limits.minimum_lifetime_seconds:
        yield _finding(
            "retry_lifetime_short",
            Severity.WARNING,
            name,
            f"A message is given up after {duration_words(schedule.lifetime_seconds)}: a longer outage of a receiver costs mail.",
            f"Set {name} to {duration_words(limits.minimum_lifetime_seconds)} at least; four to five days are usual.",
        )
    if schedule.lifetime_seconds > limits.maximum_lifetime_seconds:
        yield _finding(
            "retry_lifetime_long",
            Severity.WARNING,
            name,
            f"A message is given up after {duration_words(schedule.lifetime_seconds)} only: its sender hears of it when it is too late.",
            f"Set {name} to {duration_words(limits.maximum_lifetime_seconds)} at most; four to five days are usual.",
        )
    bounces = schedule.bounce_lifetime_seconds
    if bounces is not None and bounces > limits.maximum_lifetime_seconds:
        yield _finding(
            "retry_bounce_lifetime_long",
            Severity.WARNING,
            schedule.bounce_name,
            f"Bounces are kept for {duration_words(bounces)}: those for forged senders fill the queue.",
            f"Set {schedule.bounce_name} to {duration_words(limits.maximum_lifetime_seconds)} at most.",
        )


def _finding(check: str, severity: Severity, subject: str, message: str, advice: str) -> Finding:
    return Finding(
        check=check, severity=severity, subject=subject, message=message, advice=advice, source=_SOURCE
    )


def _postfix_seconds(name: str, value: str) -> float:
    match = _POSTFIX_TIME.fullmatch(value.strip())
    if match is None:
        msg = f"postconf tells no time for {name}"
        raise ScheduleError(msg)
    return float(match[1]) * _UNITS[match[2] or _POSTFIX_DEFAULT_UNITS.get(name, "s")]


def _exim_seconds(value: str) -> float:
    return sum(float(number) * _UNITS[unit] for number, unit in _EXIM_TIME.findall(value))


_WORDS: tuple[tuple[str, int, str, int], ...] = (
    ("day", 86400, "hour", 3600),
    ("hour", 3600, "minute", 60),
    ("minute", 60, "second", 1),
)


def duration_words(seconds: float) -> str:
    """Write a time in its two greatest fitting units, or with three digits: what was measured is not exact to more."""
    whole = round(seconds)
    for unit, size, lesser, part in _WORDS:
        if whole >= size:
            rest = whole % size // part
            return _count(whole // size, unit) + (f" {_count(rest, lesser)}" if rest else "")
    number = f"{seconds:.3g}"
    return f"{number} second{'' if number == '1' else 's'}"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"
