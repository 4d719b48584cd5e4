"""Events as they stand in the stream of the engine, and back.

In: an event, and what is known of its probe. Out: bytes, and the same event from them. A record of an open probe carries the
whole state of that probe after it, so that the last record of a probe is all that somebody else needs to go on with it.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

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
    VerdictsFormed,
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
    "verdicts": VerdictsFormed,
}
_WORDS = {kind: word for word, kind in _KINDS.items()}
_KIND = re.compile(rb'\{"kind":"([a-z_]{1,20})"')
_PACKED_ABOVE = 4096
_PACKED = b"z"
_BEGINNING_BYTES = 64
_LARGEST_BYTES = 8_388_608
_E = TypeVar("_E")


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What stands of an open probe beside its last event."""

    submission: Submission | None = None
    overdue: bool = False
    final_dot_ns: int | None = None
    delay: Bounce | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored(Generic[_E]):
    """A record as it stands in the stream; `kind` comes first, so that it is known before the rest is read."""

    kind: str
    writer: str
    nonce: str
    event: _E
    header: str = ""
    submitter: str = ""
    state: _State | None = None


_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    word: TypeAdapter(_Stored[kind])  # type: ignore[valid-type]
    for word, kind in _KINDS.items()
}


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
    word, state = _WORDS[type(event)], record.state
    stored = _Stored(
        kind=word,
        writer=record.writer,
        nonce=record.nonce,
        event=event,
        header=base64.b64encode(header).decode(),
        submitter=record.submitter,
        state=None
        if state is None
        else _State(
            submission=state.submission,
            overdue=state.overdue,
            final_dot_ns=state.final_dot_ns,
            delay=state.delay,
        ),
    )
    text = _ADAPTERS[word].dump_json(stored, exclude_defaults=True)
    return text if len(text) < _PACKED_ABOVE else _PACKED + zlib.compress(text, 1)


def read_record(payload: bytes) -> Record:
    """Read a record. Raises ValueError for what is none, or of a kind that this version does not know."""
    try:
        if payload.startswith(_PACKED):
            payload = zlib.decompressobj().decompress(payload[1:], _LARGEST_BYTES)
        found = _ADAPTERS[_kind(payload)].validate_json(payload)
        event: Event = found.event
        if isinstance(event, ProbeEnded):
            event = replace(event, outcome=_with_header(event.outcome, found.header))
        return Record(
            event=event,
            writer=found.writer,
            nonce=found.nonce,
            state=_open_probe(probe_of(event), found.state),
            submitter=found.submitter,
        )
    except (ValidationError, KeyError, TypeError, zlib.error) as error:
        message = f"not a record of this version: {type(error).__name__}"
        raise ValueError(message) from error


def is_end(payload: bytes) -> bool:
    """Whether a record is the end of a probe, without reading all of it: ends are the longest records."""
    try:
        if payload.startswith(_PACKED):
            payload = zlib.decompressobj().decompress(payload[1:], _BEGINNING_BYTES)
    except zlib.error:
        return False
    found = _KIND.match(payload)
    return found is not None and found[1] == b"ended"


def _kind(payload: bytes) -> str:
    """The kind of a record. Raises KeyError for none, ValueError for what is no JSON."""
    found = _KIND.match(payload)
    return found[1].decode() if found is not None else str(json.loads(payload)["kind"])


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


def _open_probe(probe: Probe | None, state: _State | None) -> OpenProbe | None:
    if probe is None or state is None:
        return None
    return OpenProbe(
        probe=probe,
        submission=state.submission,
        overdue=state.overdue,
        final_dot_ns=state.final_dot_ns,
        delay=state.delay,
    )
