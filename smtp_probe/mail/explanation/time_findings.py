"""What the stamps of a message's way give away: clocks that disagree, the slowest hop, stamps that are missing.

In: the passages of a message, and the pairs of stamps that contradict each other. Out: findings. Judges each delay only
by what is left of it when the fineness of its stamps and the contradiction of the clocks are taken off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from smtp_probe.mail.explanation.spans import say_span
from smtp_probe.mail.path.clock_disagreement import Disagreement, measure_doubts
from smtp_probe.mail.path.passages import Passage, has_own_name, is_zone_doubtful, say_host
from smtp_probe.model import Finding, Severity

SLOW_SECONDS = 30.0
"""A delay of less is no news."""
_VERY_SLOW_SECONDS = 300.0
_LONGEST_QUEUE_SECONDS = 10 * 86_400.0
"""Mail servers give up after five days (RFC 5321 section 4.5.4.1); some are set to more."""
_LEAST_SHARE = 0.5
_RETRIEVED = "Or it lay in the mailbox from which it was fetched."


def find_slowest(passages: Sequence[Passage], disagreements: Sequence[Disagreement]) -> Passage | None:
    """Give the hop with the largest delay that is one for certain; None where all of them may be nothing.

    A delay of which the disagreement of the clocks may be the greater part is not called the slowest.
    """
    doubts = measure_doubts(passages, disagreements)
    rated = [(_certain_seconds(passage, doubts), passage) for passage in passages]
    rated = [
        (certain, passage)
        for certain, passage in rated
        if certain > (_LEAST_SHARE * (passage.delay_seconds or 0.0) if passage.position in doubts else 0.0)
    ]
    return max(rated, key=lambda pair: pair[0])[1] if rated else None


def check_times(
    passages: Sequence[Passage],
    disagreements: Sequence[Disagreement],
    total_seconds: float | None,
    *,
    was_retrieved: bool = False,
) -> Iterator[Finding]:
    """Give all findings of this module, in no order. `was_retrieved`: a delay may be of a mailbox in between."""
    for each in disagreements:
        yield _report_disagreement(each)
    slowest = find_slowest(passages, disagreements)
    doubts = measure_doubts(passages, disagreements)
    if slowest is not None and _certain_seconds(slowest, doubts) > SLOW_SECONDS:
        finding = _report_slow(slowest, passages, None if disagreements else total_seconds)
        yield replace(finding, message=f"{finding.message} {_RETRIEVED}") if was_retrieved else finding
    for passage in passages:
        yield from _check_stamp(passage)


def _certain_seconds(passage: Passage, doubts: dict[int, float]) -> float:
    if passage.delay_seconds is None or passage.uncertainty_seconds is None:
        return 0.0
    return passage.delay_seconds - passage.uncertainty_seconds - doubts.get(passage.position, 0.0)


def _report_disagreement(each: Disagreement) -> Finding:
    later, earlier = say_host(each.later), say_host(each.earlier)
    said = f"The stamp of {later} is {say_span(each.seconds)} before that of {earlier}"
    if each.is_of_one_host:
        said += (
            ", which is the same host: its clock was set back on the way, or one of these lines is not true."
        )
    else:
        said += ": the clocks of these two hosts disagree, or one of these lines is not true."
    if each.suspect is not None:
        said += f" Most likely it is that of {say_host(each.suspect)}: without it the stamps around it are in order."
    if each.hours is not None and not each.is_of_one_host:
        said += f" Almost exactly {each.hours} h looks like a wrong time zone."
    return Finding(check="negative_delay", severity=Severity.WARNING, hop=each.later.position, message=said)


def _report_slow(slowest: Passage, passages: Sequence[Passage], total_seconds: float | None) -> Finding:
    delay = slowest.delay_seconds or 0.0
    before = passages[(slowest.before or 1) - 1]
    share = ""
    if total_seconds is not None and total_seconds > 0:
        share = f" of {say_span(total_seconds)} in all ({math.floor(100 * delay / total_seconds)} %)"
    said = (
        f"{say_span(delay)}{share} passed between the stamps of {say_host(before)} and {say_host(slowest)}."
    )
    is_very_slow = delay >= _VERY_SLOW_SECONDS
    return Finding(
        check="slow_hop",
        severity=Severity.WARNING if is_very_slow else Severity.INFO,
        hop=slowest.position,
        message=f"{said} {_say_where(before, slowest, delay)}",
    )


def _say_where(before: Passage, slowest: Passage, delay: float) -> str:
    """Say in which log to look."""
    sender, receiver = before.host or "the host before", slowest.host or "the host behind it"
    if delay > _LONGEST_QUEUE_SECONDS:
        return "No queue keeps mail that long: a clock is wrong, or an old message was sent again."
    if slowest.before != slowest.position - 1:
        return "It was spent between these two: the hops in between do not tell their times."
    if before.host == slowest.host and has_own_name(slowest.host):
        return f"All of it was spent within {sender}: a filter or a queue of its own."
    waited = f"It waited in the queue of {sender}, or {receiver} put it off or was slow to take it"
    if slowest.hop.stamp_event == "end_of_data":
        waited += " (its stamp is of the end of the data, after its checks)"
    return f"{waited}: the log of {sender} has the reason."


def _check_stamp(passage: Passage) -> Iterator[Finding]:
    hop, position = passage.hop, passage.position
    if hop.at_ns is None:
        has_text = "bad_date" in hop.flags
        said = "has a date that cannot be read" if has_text else "has no date"
        message = (
            f"The line of {say_host(passage)} {said}: its time is in the delay of the next hop that has one."
        )
        yield Finding(check="missing_date", severity=Severity.WARNING, hop=position, message=message)
    elif is_zone_doubtful(hop):
        message = (
            f"The date of {say_host(passage)} has no zone that can be read and was taken as UTC: "
            "it may be off by up to 14 h."
        )
        yield Finding(check="unknown_zone", severity=Severity.WARNING, hop=position, message=message)
    elif "wrong_weekday" in hop.flags:
        message = f"The date of {say_host(passage)} names a wrong weekday: no mail server writes such a line."
        yield Finding(check="wrong_weekday", severity=Severity.WARNING, hop=position, message=message)
