"""Events as they stand in the stream of the engine, and back.

In: an event, and what is known of its probe. Out: bytes, and the same event from them. A record of an open probe carries the
whole state of that probe after it, so that the last record of a probe is all that somebody else needs to go on with it.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from smtp_probe.model import (
    Bounce,
    BounceSeen,
    DomainNoted,
    DuplicateSeen,
    Event,
    ForgerySeen,
    Outcome,
    Probe,
    ProbeEnded,
    ProbeHandedOver,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    SlotMissed,
    StraySeen,
    Submission,
    SubmissionDeferred,
)
from smtp_probe.ports import OpenProbe
from smtp_probe.report.keeping import without_header

_KINDS: dict[str, type[Any]] = {
    "started": ProbeStarted,
    "handed_over": ProbeHandedOver,
    "submitted": ProbeSubmitted,
    "deferred": SubmissionDeferred,
    "overdue": ProbeOverdue,
    "ended": ProbeEnded,
    "duplicate": DuplicateSeen,
    "forgery": ForgerySeen,
    "stray": StraySeen,
    "bounce": BounceSeen,
    "missed": SlotMissed,
    "domain": DomainNoted,
}
_WORDS = {kind: word for word, kind in _KINDS.items()}
_ADAPTERS: dict[str, TypeAdapter[Any]] = {word: TypeAdapter(kind) for word, kind in _KINDS.items()}
_SUBMISSION = TypeAdapter(Submission)
_BOUNCE = TypeAdapter(Bounce)
_PACKED_ABOVE = 4096
_PACKED = b"z"
_LARGEST_BYTES = 8_388_608


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One event, who wrote it, and what is known of its probe after it, where that is open."""

    event: Event
    writer: str
    nonce: str
    state: OpenProbe | None = None
    submitter: str = ""
    """Who is handing the probe's message over now; empty for nobody."""


def write_record(record: Record) -> bytes:
    """Give the bytes of a record."""
    event, header = record.event, b""
    if isinstance(event, ProbeEnded):
        outcome, header = without_header(event.outcome)
        event = replace(event, outcome=outcome)
    word = _WORDS[type(event)]
    data: dict[str, Any] = {
        "kind": word,
        "writer": record.writer,
        "nonce": record.nonce,
        "event": _ADAPTERS[word].dump_python(event, mode="json", exclude_defaults=True),
    }
    if header:
        data["header"] = base64.b64encode(header).decode()
    if record.submitter:
        data["submitter"] = record.submitter
    if record.state is not None:
        data["state"] = _write_state(record.state)
    text = json.dumps(data, separators=(",", ":")).encode()
    return text if len(text) < _PACKED_ABOVE else _PACKED + zlib.compress(text, 1)


def read_record(payload: bytes) -> Record:
    """Read a record. Raises ValueError for what is none, or of a kind that this version does not know."""
    try:
        if payload.startswith(_PACKED):
            payload = zlib.decompressobj().decompress(payload[1:], _LARGEST_BYTES)
        data = json.loads(payload)
        event: Event = _ADAPTERS[data["kind"]].validate_python(data["event"])
        if isinstance(event, ProbeEnded):
            event = replace(event, outcome=_with_header(event.outcome, data.get("header", "")))
        probe = probe_of(event)
        state = None if probe is None or "state" not in data else _read_state(probe, data["state"])
        return Record(
            event=event,
            writer=data["writer"],
            nonce=data["nonce"],
            state=state,
            submitter=data.get("submitter", ""),
        )
    except (ValidationError, KeyError, TypeError, zlib.error) as error:
        message = f"not a record of this version: {type(error).__name__}"
        raise ValueError(message) from error


def probe_of(event: Event) -> Probe | None:
    """The probe whose life an event belongs to; None for what only tells of one."""
    if isinstance(event, ProbeEnded):
        return event.outcome.probe
    if isinstance(event, ProbeStarted | ProbeHandedOver | ProbeSubmitted | SubmissionDeferred | ProbeOverdue):
        return event.probe
    return None


def state_after(event: Event, before: OpenProbe | None) -> OpenProbe | None:
    """What is known of a probe after an event of its life. None when it has ended, or the event is none of a life."""
    probe = probe_of(event)
    if probe is None or isinstance(event, ProbeEnded):
        return None
    state = before or OpenProbe(probe=probe, submission=None, overdue=False)
    match event:
        case ProbeHandedOver(final_dot_ns=final_dot_ns):
            return replace(state, final_dot_ns=final_dot_ns)
        case ProbeSubmitted(submission=submission):
            return replace(state, submission=submission)
        case SubmissionDeferred():
            return replace(state, final_dot_ns=None)
        case ProbeOverdue():
            return replace(state, overdue=True)
        case _:
            return state


def _with_header(outcome: Outcome, header: str) -> Outcome:
    if not header or outcome.arrival is None:
        return outcome
    return replace(outcome, arrival=replace(outcome.arrival, header=base64.b64decode(header)))


def _write_state(state: OpenProbe) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if state.submission is not None:
        data["submission"] = _SUBMISSION.dump_python(state.submission, mode="json", exclude_defaults=True)
    if state.overdue:
        data["overdue"] = True
    if state.final_dot_ns is not None:
        data["final_dot_ns"] = state.final_dot_ns
    if state.delay is not None:
        data["delay"] = _BOUNCE.dump_python(state.delay, mode="json", exclude_defaults=True)
    return data


def _read_state(probe: Probe, data: dict[str, Any]) -> OpenProbe:
    return OpenProbe(
        probe=probe,
        submission=_SUBMISSION.validate_python(data["submission"]) if "submission" in data else None,
        overdue=bool(data.get("overdue")),
        final_dot_ns=data.get("final_dot_ns"),
        delay=_BOUNCE.validate_python(data["delay"]) if "delay" in data else None,
    )
