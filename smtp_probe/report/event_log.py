"""Events as log lines: one for each end of a probe, and for whatever else an administrator wants to find again.

In: events. Out: log records with the facts as fields. A success is information, a failure a warning; the program's own
faults are logged by whoever meets them. Writes no mail address, no tag and no text of a message.
"""

from __future__ import annotations

import logging

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import (
    BounceSeen,
    DuplicateSeen,
    Event,
    ForgerySeen,
    Location,
    Outcome,
    Probe,
    ProbeEnded,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    SlotMissed,
    StraySeen,
    Submission,
    SubmissionDeferred,
)
from smtp_probe.report.increments import is_success
from smtp_probe.report.sentences import describe, describe_change, describe_duration, describe_notice

_log = logging.getLogger("smtp_probe.events")
_Fields = dict[str, str | int | float | bool | None]


def log_event(event: Event) -> None:
    """Write one event down. Fits `ports.Sink`."""
    match event:
        case ProbeStarted(probe=probe):
            _log.debug("probe started", extra=_probe_fields(probe))
        case ProbeSubmitted(probe=probe, submission=submission):
            _log.debug("probe submitted", extra=_probe_fields(probe) | _submission_fields(submission))
        case SubmissionDeferred(probe=probe, submission=submission):
            failure = submission.failure
            reply = sanitise(str(failure.reply)) if failure is not None and failure.reply else None
            put_off: _Fields = {"reply": reply, "attempt": submission.attempts}
            _log.info("probe put off, to be tried again", extra=_probe_fields(probe) | put_off)
        case ProbeOverdue(probe=probe):
            deadline = describe_duration(probe.deadline_seconds)
            _log.warning("probe overdue: not arrived within %s", deadline, extra=_probe_fields(probe))
        case ProbeEnded(outcome=outcome):
            _log_end(outcome)
        case DuplicateSeen(route=route, probe_id=probe_id, location=location, fork=fork):
            fields: _Fields = {"route": route, "probe_id": probe_id}
            if fork is not None:
                fields |= {"after_hop": fork.after_hop, "forked_at": fork.host or None}
            _log.warning("duplicate message", extra=fields | _location_fields(location))
        case ForgerySeen(location=location):
            what = "message with a forged tag, or of another smtp-probe with a key of its own on this mailbox"
            _log.warning(what, extra=_location_fields(location))
        case StraySeen(location=location):
            what = "message of the command probe, of another smtp-probe with the same key on this mailbox, or of a journal that is gone"
            _log.warning(what, extra=_location_fields(location))
        case BounceSeen(route=route, probe_id=probe_id, bounce=bounce):
            notice: _Fields = {
                "route": route,
                "probe_id": probe_id,
                "action": sanitise(bounce.action or "", 20),
                "reason": bounce.reason,
            }
            is_delay = bounce.action == "delayed"
            said = f"probe {describe_notice(bounce)}" if is_delay else "notice about a probe"
            level = logging.WARNING if is_delay else logging.INFO
            _log.log(level, "%s", said, extra=notice | _location_fields(bounce.location))
        case SlotMissed(route=route, count=count, reason=reason):
            missed: _Fields = {"route": route, "reason": reason, "count": count}
            _log.info("scheduled probe not sent", extra=missed)


def _log_end(outcome: Outcome) -> None:
    fields = _probe_fields(outcome.probe) | {
        "outcome": outcome.kind.value,
        "was_overdue": outcome.was_overdue,
        "delivery_seconds": _rounded(outcome.delivery_seconds),
    }
    if outcome.failure is not None:
        fields |= {"failed_at": outcome.failure.stage, "cause": outcome.failure.cause}
        fields["reply"] = sanitise(str(outcome.failure.reply)) if outcome.failure.reply is not None else None
    if outcome.submission is not None:
        fields |= {"queue_id": sanitise(outcome.submission.queue_id or "", 60) or None}
    known = {name: value for name, value in fields.items() if value is not None}
    level = logging.INFO if is_success(outcome) else logging.WARNING
    _log.log(level, "probe ended: %s", describe(outcome), extra=known)
    if outcome.path is not None and outcome.path.change is not None:
        path: _Fields = {
            "path": outcome.path.identity.fingerprint,
            "before": outcome.path.change.previous.fingerprint,
        }
        said = describe_change(outcome.path.change)
        _log.warning("path changed: %s", said, extra=_probe_fields(outcome.probe) | path)
    for step in outcome.timing.steps if outcome.timing is not None else ():
        shift: _Fields = {"by": sanitise(step.by, 80), "shift_seconds": round(step.shift_ns / 1e9, 3)}
        _log.warning("clock of a host was set", extra=_probe_fields(outcome.probe) | shift)


def _probe_fields(probe: Probe) -> _Fields:
    return {"route": probe.route, "probe_id": probe.probe_id}


def _submission_fields(submission: Submission) -> _Fields:
    return {"disposition": submission.disposition.value, "peer": submission.peer_address}


def _location_fields(location: Location) -> _Fields:
    return {"mailbox": location.mailbox, "folder": sanitise(location.folder, 80), "uid": location.uid}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
