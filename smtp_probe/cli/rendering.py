"""Results as JSON objects, for programs.

In: the result of one probe, or an outcome. Out: one line of JSON each, ASCII, the same keys always: what is not known is
null. Texts of servers are sanitised and bounded. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from smtp_probe.app.single import SingleResult
from smtp_probe.cli.wording import clean, iso_time
from smtp_probe.model import Arrival, Bounce, Failure, Outcome, OutcomeKind, Phase, Reply, Submission
from smtp_probe.report.increments import is_success
from smtp_probe.report.sentences import describe, describe_change, describe_doubt, describe_duration

_OVERDUE = "overdue"


class Meaning(StrEnum):
    """What an exit code means."""

    DELIVERED = "delivered"
    MAIL_PROBLEM = "mail_problem"
    NOT_OBSERVED = "not_observed"


EXIT_CODES = {Meaning.DELIVERED: 0, Meaning.MAIL_PROBLEM: 1, Meaning.NOT_OBSERVED: 3}
"""2 is a mistake in the configuration or the command line, which never becomes a result."""


def meaning_of(result: SingleResult) -> Meaning:
    """Whether the mail got through, or something is wrong with it, or nobody could see."""
    if result.outcome is not None:
        return meaning_of_outcome(result.outcome)
    return Meaning.NOT_OBSERVED if result.unobserved else Meaning.MAIL_PROBLEM


def meaning_of_outcome(outcome: Outcome) -> Meaning:
    """The same of a probe that has ended."""
    if outcome.kind is OutcomeKind.UNOBSERVED:
        return Meaning.NOT_OBSERVED
    return Meaning.DELIVERED if is_success(outcome) else Meaning.MAIL_PROBLEM


def verdict(result: SingleResult) -> str:
    """How it went, in one sentence, sanitised."""
    if result.outcome is not None:
        return describe(result.outcome)
    if result.unobserved:
        return f"not observed: {clean(result.unobserved)}"
    deadline = "" if result.probe is None else f" within {describe_duration(result.probe.deadline_seconds)}"
    return f"overdue: not arrived{deadline}; it may still come{describe_doubt(result.submission)}"


def result_to_json(result: SingleResult) -> str:
    """The result of one probe as one line, without a line end."""
    if result.outcome is not None:
        return outcome_to_json(result.outcome)
    kind = OutcomeKind.UNOBSERVED.value if result.unobserved else _OVERDUE
    failure = None if result.unobserved else Failure(stage="arrival", cause=_OVERDUE)
    return _dump(
        _identity(result.route, None if result.probe is None else result.probe.probe_id)
        | _ending(kind, meaning_of(result), verdict(result))
        | {"was_overdue": result.is_overdue, "ended_at": None, "delivery_seconds": None}
        | {"visibility_seconds": None}
        | _submission_facts(result.submission)
        | _arrival_facts(None)
        | _way_facts(None)
        | {"failure": _failure(failure), "bounce": None, "unobserved": clean(result.unobserved)}
    )


def outcome_to_json(outcome: Outcome) -> str:
    """A probe that has ended as one line, without a line end."""
    is_unobserved = outcome.kind is OutcomeKind.UNOBSERVED
    return _dump(
        _identity(outcome.probe.route, outcome.probe.probe_id)
        | _ending(outcome.kind.value, meaning_of_outcome(outcome), describe(outcome))
        | {"was_overdue": outcome.was_overdue, "ended_at": iso_time(outcome.ended_ns)}
        | {"delivery_seconds": _rounded(outcome.delivery_seconds)}
        | {"visibility_seconds": _rounded(outcome.visibility_seconds)}
        | _submission_facts(outcome.submission)
        | _arrival_facts(outcome.arrival)
        | _way_facts(outcome)
        | {"failure": _failure(outcome.failure), "bounce": _bounce(outcome.bounce)}
        | {"unobserved": describe(outcome) if is_unobserved else None}
    )


def _dump(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=True, allow_nan=False, separators=(", ", ": "))


def _identity(route: str, probe_id: str | None) -> dict[str, Any]:
    return {"route": route, "probe_id": probe_id}


def _ending(kind: str, meaning: Meaning, sentence: str) -> dict[str, Any]:
    return {
        "outcome": kind,
        "meaning": meaning.value,
        "exit_code": EXIT_CODES[meaning],
        "sentence": sentence,
    }


def _submission_facts(submission: Submission | None) -> dict[str, Any]:
    """Phases, final reply, queue id and TLS."""
    facts: dict[str, Any] = dict.fromkeys(
        (
            "disposition",
            "attempts",
            "first_attempt_at",
            "peer_address",
            "phases",
            "final_reply",
            "queue_id",
            "tls",
        )
    )
    if submission is None:
        return facts
    replies = {timing.phase: timing.reply for timing in submission.phases}
    return facts | {
        "disposition": submission.disposition.value,
        "attempts": submission.attempts,
        "first_attempt_at": iso_time(submission.first_attempt_ns),
        "peer_address": submission.peer_address,
        "phases": [
            {
                "phase": timing.phase.value,
                "seconds": _rounded(timing.duration_seconds),
                "reply": _reply(timing.reply),
            }
            for timing in submission.phases
        ],
        "final_reply": _reply(replies.get(Phase.ACCEPT)),
        "queue_id": clean(submission.queue_id),
        "tls": _tls(submission),
    }


def _tls(submission: Submission) -> dict[str, Any] | None:
    tls = submission.tls
    if tls is None:
        return None
    return {
        "version": clean(tls.version),
        "cipher": clean(tls.cipher),
        "certificate_not_after": iso_time(tls.not_after_ns, 1.0),
        "failure": None if tls.failure is None else tls.failure.value,
    }


def _arrival_facts(arrival: Arrival | None) -> dict[str, Any]:
    """Where it was found, and the way that it says it took."""
    if arrival is None:
        return dict.fromkeys(
            ("placement", "folder", "found_in", "corrupted", "alterations", "stored_by", "hops")
        )
    delays = {delay.position: delay.delay_seconds for delay in arrival.trace.delays}
    return {
        "placement": arrival.placement.value,
        "folder": clean(arrival.location.folder),
        "found_in": arrival.found_in or None,
        "corrupted": arrival.corrupted,
        "alterations": [alteration.value for alteration in arrival.alterations],
        "stored_by": arrival.stamp.value,
        "hops": [
            {
                "by": clean(hop.by),
                "from_name": clean(hop.from_name),
                "delay_seconds": _rounded(delays.get(position)),
                "resolution_seconds": hop.resolution_seconds,
                "with": clean(hop.with_),
                "id": clean(hop.id),
                "at": iso_time(hop.at_ns, hop.resolution_seconds),
            }
            for position, hop in enumerate(arrival.trace.hops, 1)
        ],
    }


def _way_facts(outcome: Outcome | None) -> dict[str, Any]:
    """Where the time went on our clock, and whether the way was another one than the time before."""
    timing = None if outcome is None else outcome.timing
    path = None if outcome is None else outcome.path
    change = None if path is None else path.change
    return {
        "corrected_hops": None
        if timing is None
        else [
            {
                "by": clean(hop.by),
                "seconds": _rounded(hop.span.seconds),
                "lower_seconds": _rounded(hop.span.least_ns / 1e9),
                "upper_seconds": _rounded(hop.span.most_ns / 1e9),
            }
            for hop in timing.hops
        ],
        "path": None if path is None else path.identity.fingerprint,
        "path_change": None if change is None else describe_change(change),
    }


def _reply(reply: Reply | None) -> dict[str, Any] | None:
    if reply is None:
        return None
    return {"code": reply.code, "enhanced": clean(reply.enhanced), "text": clean(reply.text)}


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {
        "stage": failure.stage,
        "cause": failure.cause,
        "reply": _reply(failure.reply),
        "tls_failure": None if failure.tls_failure is None else failure.tls_failure.value,
        "detail": clean(failure.detail),
    }


def _bounce(bounce: Bounce | None) -> dict[str, Any] | None:
    if bounce is None:
        return None
    names = ("action", "status", "reason", "recipient", "reporting_mta", "remote_mta", "diagnostic")
    return {name: clean(getattr(bounce, name)) for name in names}


def _rounded(seconds: float | None) -> float | None:
    """To the nanosecond: what lies below is the noise of floating point."""
    return None if seconds is None else round(seconds, 9)
