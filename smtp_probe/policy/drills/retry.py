"""Whether a server that was put off came back as it should: often enough, not too soon, and less and less often.

In: the attempts of one retry drill, and what was asked for. Out: findings. It judges what was measured by the rules by which
`policy.retry_schedule` judges what a server says of itself (RFC 5321 section 4.5.4.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from smtp_probe.model import Finding, Severity
from smtp_probe.policy.findings import make_finding
from smtp_probe.policy.retry_schedule import RetryLimits, duration_words, is_growing, is_too_soon

GROWTH = 1.1
"""A wait that is not longer than the first by that has not grown: servers look at their queues now and then only."""
FEWEST_WAITS = 3
"""So many show whether waits grow: Postfix waits as long as a message is old, so that its second wait is as long as its first."""
_SOURCE = "RFC 5321 section 4.5.4.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryTerms:
    """What was asked for."""

    deferrals: int
    deadline_seconds: float
    steady_seconds: float = 900.0
    """A wait as long as that need not grow, within the few attempts of a drill."""
    limits: RetryLimits = field(default_factory=RetryLimits)


def judge_retries(
    intervals: Sequence[float], *, attempts: int, has_arrived: bool, terms: RetryTerms
) -> tuple[Finding, ...]:
    """Say what is wrong with the attempts that came, and with those that did not."""
    return (*_judge_presence(attempts, terms, has_arrived=has_arrived), *_judge_waits(intervals, terms))


def _judge_presence(attempts: int, terms: RetryTerms, *, has_arrived: bool) -> Iterator[Finding]:
    deadline = duration_words(terms.deadline_seconds)
    if attempts == 0:
        yield make_finding(
            "drill_retry_unreached",
            Severity.ERROR,
            "",
            f"The server took the message and did not come to the receiver within {deadline}.",
            advice=(
                "See in the server's log where it tried to deliver: the MX of the test domain has to point to the "
                "receiver, and port 25 there has to be open."
            ),
            source="RFC 5321 section 5.1",
        )
    elif not has_arrived:
        is_none = attempts == 1
        yield make_finding(
            "drill_retry_missing",
            Severity.ERROR if is_none else Severity.WARNING,
            "",
            f"Of {terms.deferrals + 1} attempts {attempts} came within {deadline}, and the message was not delivered.",
            advice=(
                "A message that is put off has to be tried again: look at the server's queue and its retry rules."
                if is_none
                else "Where the server's own waits are as long, raise the drill's deadline, or lower deferrals."
            ),
            source=_SOURCE,
        )


def _judge_waits(intervals: Sequence[float], terms: RetryTerms) -> Iterator[Finding]:
    if not intervals:
        return
    first = intervals[0]
    if is_too_soon(first, terms.limits):
        yield make_finding(
            "drill_retry_too_soon",
            Severity.WARNING,
            "",
            f"The message was tried again after {duration_words(first)} already; receivers take haste for abuse.",
            advice=f"Set the first wait (Postfix: minimal_backoff_time and queue_run_delay; Exim: the first step of the retry rule) "
            f"to {duration_words(terms.limits.minimum_first_seconds)} at least.",
            source=_SOURCE,
        )
    if (
        len(intervals) >= FEWEST_WAITS
        and first < terms.steady_seconds
        and not is_growing(first, max(intervals[1:]), by=GROWTH)
    ):
        yield make_finding(
            "drill_retry_no_growth",
            Severity.WARNING,
            "",
            f"The waits do not grow: {', '.join(map(duration_words, intervals))}.",
            advice="Make later waits longer (Postfix: maximal_backoff_time; Exim: a G step in the retry rule).",
            source=_SOURCE,
        )
