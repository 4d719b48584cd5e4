"""What one event adds to the durable counters and histograms.

In: an event. Out: increments, which the journal stores with the event and `totals` adds up. Pure, keeps nothing.

A probe counts once, when it is judged: at its end, or at its deadline when it is overdue. So this always holds:
probes = delivered in time + failures + unobserved.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from smtp_probe.mail.bounce.reason import REASONS
from smtp_probe.model import (
    Bounce,
    BounceSeen,
    Disposition,
    DomainNoted,
    DuplicateSeen,
    Event,
    ForgerySeen,
    Outcome,
    OutcomeKind,
    Phase,
    ProbeEnded,
    ProbeHandedOver,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    SlotMissed,
    StraySeen,
    Submission,
    SubmissionDeferred,
    Timing,
    VerdictsFormed,
)
from smtp_probe.report.label_words import NOTICES, OTHER, STATUS_CLASSES, UNOBSERVED_REASONS
from smtp_probe.report.metric import Metric
from smtp_probe.report.metrics import (
    ALTERED,
    BOUNCE_DURATION,
    BOUNCE_REASONS,
    BOUNCES,
    CLOCK_STEPS,
    CORRUPTED,
    DELAYS,
    DELIVERY_DURATION,
    DUPLICATES,
    FAILURES,
    FORGED,
    HOP_DURATION,
    NOTICES_SEEN,
    OUTCOMES,
    PATH_CHANGES,
    PHASE_DURATION,
    PLACEMENTS,
    PROBES,
    RECORD_CHANGES,
    RETRIES,
    SCHEDULE_MISSED,
    SMTP_REPLIES,
    STRAYS,
    UNOBSERVED,
)


class Increment(NamedTuple):
    """An addition to a counter, or (for a histogram) one observation. `exemplar` is the probe's id."""

    metric: str
    labels: tuple[str, ...] = ()
    value: float = 1.0
    exemplar: str | None = None


_REASON_BY_KIND = {
    OutcomeKind.LATE: "overdue",
    OutcomeKind.LOST: "overdue",
    OutcomeKind.BOUNCED: "bounced",
    OutcomeKind.REFUSED: "refused",
    OutcomeKind.DEFERRED: "deferred",
    OutcomeKind.UNREACHABLE: "unreachable",
}


def failure_reason(outcome: Outcome) -> str | None:
    """Name why this end counts against the route; None for a success and for what could not be observed."""
    if outcome.kind is OutcomeKind.JUNKED and outcome.failure is not None:
        return "junked"
    return _REASON_BY_KIND.get(outcome.kind)


def is_success(outcome: Outcome) -> bool:
    """Whether the probe ended well: delivered in time, or junked on a route that allows it."""
    return outcome.kind is not OutcomeKind.UNOBSERVED and failure_reason(outcome) is None


def increments(event: Event) -> tuple[Increment, ...]:
    """Give what one event adds to the durable counters and histograms. Pure; each event is to be counted once."""
    match event:
        case ProbeStarted() | ProbeHandedOver() | VerdictsFormed():
            return ()
        case ProbeSubmitted(probe=probe, submission=submission):
            return tuple(_submission(probe.route, probe.sender, submission))
        case SubmissionDeferred(probe=probe, submission=submission):
            counted = tuple(_submission(probe.route, probe.sender, submission))
            return (*counted, _one(RETRIES, probe.sender))
        case ProbeOverdue(probe=probe):
            return (_one(PROBES, probe.route), _one(FAILURES, probe.route, "overdue"))
        case ProbeEnded(outcome=outcome):
            return tuple(_end(outcome))
        case DuplicateSeen(route=route):
            return (_one(DUPLICATES, route),)
        case ForgerySeen():
            return (_one(FORGED),)
        case StraySeen(location=location):
            return (_one(STRAYS, location.mailbox),)
        case BounceSeen(route=route, bounce=bounce):
            return tuple(_notice(route, bounce))
        case SlotMissed(route=route, count=count):
            return (Increment(SCHEDULE_MISSED.name, (route,), float(count)),)
        case DomainNoted(domain=domain, records=records):
            return tuple(_one(RECORD_CHANGES, domain, word) for word in records)


def _one(metric: Metric, *labels: str) -> Increment:
    return Increment(metric.name, labels)


def _submission(route: str, sender: str, submission: Submission) -> Iterator[Increment]:
    for timing in submission.phases:
        seconds = _not_negative(timing.duration_seconds)
        yield Increment(PHASE_DURATION.name, (sender, timing.phase.value), seconds)
    decision = _deciding_reply(submission)
    if decision is not None:
        yield _one(SMTP_REPLIES, route, *decision)


def _deciding_reply(submission: Submission) -> tuple[str, str] | None:
    """Give the phase and the code of the reply by which the server took or refused the message."""
    failure = submission.failure
    if failure is not None:
        known_phase = failure.stage if failure.stage in tuple(Phase) else OTHER
        return None if failure.reply is None else (known_phase, _code(failure.reply.code))
    if submission.disposition is not Disposition.ACCEPTED:
        return None
    replies = [(t.phase.value, t.reply.code) for t in submission.phases if t.reply and t.phase != Phase.QUIT]
    return (replies[-1][0], _code(replies[-1][1])) if replies else None


def _code(code: int) -> str:
    return str(code) if 200 <= code <= 599 else OTHER


def _end(outcome: Outcome) -> Iterator[Increment]:
    probe = outcome.probe
    if outcome.kind is not OutcomeKind.UNOBSERVED:  # that has a counter of its own
        yield _one(OUTCOMES, probe.route, outcome.kind.value)
    if not outcome.was_overdue:
        yield from _verdict(outcome)
    if outcome.delivery_seconds is not None:
        seconds = _not_negative(outcome.delivery_seconds)
        yield Increment(DELIVERY_DURATION.name, (probe.route,), seconds, probe.probe_id)
    if outcome.kind is OutcomeKind.BOUNCED and outcome.bounce is not None:
        yield from _bounce(outcome, outcome.bounce)
    if outcome.arrival is not None:
        yield _one(PLACEMENTS, probe.route, outcome.arrival.placement.value)
        if outcome.arrival.corrupted:
            yield _one(CORRUPTED)
        for alteration in outcome.arrival.alterations:
            yield _one(ALTERED, alteration.value)
    if outcome.path is not None and outcome.path.change is not None:
        yield _one(PATH_CHANGES, probe.route)
    if outcome.timing is not None:
        yield from _timing(outcome.timing)


def _notice(route: str, bounce: Bounce) -> Iterator[Increment]:
    yield _one(NOTICES_SEEN, bounce.action if bounce.action in NOTICES else OTHER)
    if bounce.action == "delayed":
        yield _one(DELAYS, route)


def _bounce(outcome: Outcome, bounce: Bounce) -> Iterator[Increment]:
    probe, submission = outcome.probe, outcome.submission
    status_class = (bounce.status or "").partition(".")[0]
    known_class = status_class if status_class in STATUS_CLASSES else "unknown"
    known_reason = bounce.reason if bounce.reason in REASONS else OTHER
    yield _one(BOUNCES, probe.route, known_class, known_reason)
    yield _one(BOUNCE_REASONS, known_class, known_reason)
    if submission is not None and submission.final_dot_ns is not None:
        seconds = _not_negative((bounce.seen_ns - submission.final_dot_ns) / 1e9)
        yield Increment(BOUNCE_DURATION.name, (known_class,), seconds, probe.probe_id)


def _timing(timing: Timing) -> Iterator[Increment]:
    for hop in timing.hops:
        yield Increment(HOP_DURATION.name, (hop.by,), hop.span.seconds)
    for clock in timing.offsets:
        yield Increment(CLOCK_STEPS.name, (clock.by,), 0.0)  # known at zero from the first meeting
    for step in timing.steps:
        yield _one(CLOCK_STEPS, step.by)


def _verdict(outcome: Outcome) -> Iterator[Increment]:
    route = outcome.probe.route
    yield _one(PROBES, route)
    if outcome.kind is OutcomeKind.UNOBSERVED:
        cause = outcome.failure.cause if outcome.failure is not None else OTHER
        yield _one(UNOBSERVED, route, cause if cause in UNOBSERVED_REASONS else OTHER)
    elif (reason := failure_reason(outcome)) is not None:
        yield _one(FAILURES, route, reason)


def _not_negative(seconds: float) -> float:
    """A foreign clock may put the store before the dot; the sum of a histogram must never fall."""
    return seconds if 0 <= seconds < math.inf else 0.0
