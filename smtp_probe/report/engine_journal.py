"""The journal of many processes: the engine's stream of events. Fulfils `ports.Journal`.

In: events. Out: for each, whether it is new, after a majority of the engine's servers has it. Keeps nothing but what it needs
to write the next event of an open probe.

Rules:

1. The events of one probe are one subject, and each is written only where the last one is the one that its writer knows. So
   a probe starts once and ends once, whoever believes to be in charge of it.
2. An append to which no answer came is repeated under the same nonce, and where it meets a conflict, the nonce of the last
   record tells whether that conflict is with ourselves.
3. Counting is for whoever reads: the stream has one order, so all readers count the same.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from smtp_probe.errors import EngineConflict, EngineError, JournalError
from smtp_probe.model import (
    Bounce,
    BounceSeen,
    DuplicateSeen,
    Event,
    ForgerySeen,
    Probe,
    ProbeEnded,
    ProbeHandedOver,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    SlotMissed,
    StraySeen,
    SubmissionDeferred,
    Trace,
    VerdictsFormed,
)
from smtp_probe.ports import EventLog, OpenProbe, StoredMessage
from smtp_probe.report.event_records import Record, probe_of, read_record, state_after, write_record
from smtp_probe.report.event_subjects import EventSubjects

_TRIES = 8
_AGAIN_SECONDS = 0.1
"""The tries are spread over some fifteen seconds where nobody answers: longer than the engine takes to elect a leader."""
_UNDER_WAY = (ProbeStarted, ProbeHandedOver, SubmissionDeferred)


@dataclass(slots=True)
class _Known:
    """The last record of an open probe, as far as we know."""

    subject: str
    sequence: int = 0
    state: OpenProbe | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class EngineJournal:
    """The journal as one process sees it. `writer` names that process, for as long as it runs."""

    def __init__(self, log: EventLog, subjects: EventSubjects, writer: str) -> None:
        self._log = log
        self._subjects = subjects
        self._writer = writer
        self._known: dict[str, _Known] = {}
        self._doubtful: dict[str, str] = {}
        self.read_ahead: Callable[[StoredMessage, Record], bool] = lambda _message, _record: False
        """Told of an open probe's record that is needed before the stream has brought it; gives whether the probe is ours."""

    # Writing.

    async def record(self, event: Event) -> bool:
        """Write one event. Returns whether it is new. Raises JournalError when it cannot be written."""
        probe = probe_of(event)
        if probe is None:
            return await self._note(event)
        known = self._known.get(probe.probe_id)
        if known is not None and isinstance(event, ProbeStarted):
            return False  # a run that is given again, perhaps because nobody heard that we took it: it is ours already
        if known is None:
            known = _Known(self._subjects.of_probe(probe))
            self._known[probe.probe_id] = known
        async with known.lock:
            return await self._write(probe, known, event)

    async def _write(self, probe: Probe, known: _Known, event: Event) -> bool:
        nonce = secrets.token_hex(8)
        failure: EngineError | None = None
        for number in range(_TRIES):
            if number:
                await asyncio.sleep(number * _AGAIN_SECONDS)
            payload = self._payload(event, known.state, nonce)
            try:
                sequence = await self._log.append(
                    known.subject, payload, expected=known.sequence, nonce=nonce
                )
            except EngineError as error:
                failure = error
                continue
            except EngineConflict:
                is_ours = await self._look_again(probe, known, nonce)
                if is_ours:
                    return True
                if not _is_news(event, known):
                    self._forget_if_over(probe.probe_id, known, event)
                    return False
                continue
            self._wrote(probe.probe_id, known, event, sequence)
            return True
        if isinstance(event, ProbeStarted):
            self._doubtful[probe.probe_id] = nonce
            self._known.pop(probe.probe_id, None)
        message = str(failure) if failure is not None else "another process writes to the same probe"
        raise JournalError(message)

    def _wrote(self, probe_id: str, known: _Known, event: Event, sequence: int) -> None:
        known.sequence = max(known.sequence, sequence)
        known.state = state_after(event, known.state)
        if isinstance(event, ProbeEnded):
            self._known.pop(probe_id, None)

    async def _look_again(self, probe: Probe, known: _Known, nonce: str) -> bool:
        """Learn what the last record of a probe is. True where it is the one that we are about to write."""
        found = await self._log.last(self._subjects.stream, known.subject)
        if found is None:
            known.sequence, known.state = 0, None
            return False
        record = _read(found)
        known.sequence, known.state = found.sequence, record.state
        if isinstance(record.event, ProbeEnded):
            self._known.pop(probe.probe_id, None)
        return record.nonce == nonce

    def _forget_if_over(self, probe_id: str, known: _Known, event: Event) -> None:
        if known.state is None or isinstance(event, ProbeStarted):
            self._known.pop(probe_id, None)

    async def came_through(self, probe: Probe) -> bool:
        """Whether the start of a probe was written after all, though we were told that it was not. Raises JournalError."""
        nonce = self._doubtful.get(probe.probe_id, "")
        subject = self._subjects.of_probe(probe)
        found = await self._log.last(self._subjects.stream, subject)
        self._doubtful.pop(probe.probe_id, None)
        if found is None or _read(found).nonce != nonce:
            return False
        self._known[probe.probe_id] = _Known(subject, found.sequence, _read(found).state)
        return True

    async def _note(self, event: Event) -> bool:
        """Write down what is no part of an open probe's life. Who reads may meet it twice, and counts it once."""
        if await self._has_ended_by(event):
            return False
        payload = self._payload(event, None, nonce := secrets.token_hex(8))
        subject = await self._subject_of_note(event)
        await self._log.append(subject, payload, nonce=nonce)
        return True

    async def _has_ended_by(self, event: Event) -> bool:
        """Whether a copy or a bounce is the very one by which its probe has ended: recorded, and not deleted when its watcher died."""
        match event:
            case DuplicateSeen(probe_id=probe_id, route=route, location=location):
                pass
            case BounceSeen(probe_id=probe_id, route=route, bounce=Bounce(location=location)):
                pass
            case _:
                return False
        found = await self._find(probe_id, route)
        end = None if found is None else _read(found).event
        if not isinstance(end, ProbeEnded):
            return False
        arrival, bounce = end.outcome.arrival, end.outcome.bounce
        return location in [each.location for each in (arrival, bounce) if each is not None]

    async def _subject_of_note(self, event: Event) -> str:
        match event:
            case SlotMissed(route=route):
                return self._subjects.seen("", route)
            case ForgerySeen(location=location) | StraySeen(location=location):
                return self._subjects.seen(location.mailbox, "")
            case (
                DuplicateSeen(probe_id=probe_id, route=route)
                | BounceSeen(probe_id=probe_id, route=route)
                | VerdictsFormed(probe_id=probe_id, route=route)
            ):
                found = await self._find(probe_id, route)
                vantage = None if found is None else self._subjects.vantage_of(found.subject)
                return self._subjects.seen("", route, vantage)
            case _:
                return self._subjects.seen("", "")

    def _payload(self, event: Event, before: OpenProbe | None, nonce: str) -> bytes:
        return write_record(
            Record(
                event=event,
                writer=self._writer,
                nonce=nonce,
                state=state_after(event, before),
                submitter=self._writer if isinstance(event, _UNDER_WAY) else "",
            )
        )

    # Following what others write.

    def follow(self, message: StoredMessage, record: Record) -> None:
        """Learn of a record, in the order of the stream; our own come back too."""
        probe = probe_of(record.event)
        if probe is not None:
            known = self._known.get(probe.probe_id)
            if isinstance(record.event, ProbeEnded):
                self._known.pop(probe.probe_id, None)  # who waits for it would wait in vain, and asks again
            elif known is None:
                self._known[probe.probe_id] = _Known(message.subject, message.sequence, record.state)
            elif message.sequence > known.sequence:
                known.sequence, known.state = message.sequence, record.state

    def open_subjects(self) -> dict[str, list[str]]:
        """Where the open probes stand, by mailbox."""
        found: dict[str, list[str]] = {}
        for known in self._known.values():
            if known.state is not None:
                found.setdefault(known.state.probe.mailbox, []).append(known.subject)
        return found

    def forget(self, probe_id: str) -> None:
        """Leave an open probe to somebody else."""
        self._known.pop(probe_id, None)

    # Reading.

    async def open_probes(self) -> Sequence[OpenProbe]:
        """The open probes that were told of."""
        return [known.state for known in self._known.values() if known.state is not None]

    async def probe_state(self, probe_id: str, route: str = "", mailbox: str = "") -> str | None:
        """`open`, `ended`, `unseen`, or None. Where it is open, whoever follows has been told of it. Raises JournalError.

        The stream may be behind: a message can be here long before it. None where the probe is open and not ours.
        """
        found = await self._find(probe_id, route, mailbox)
        if found is None:
            return None
        record = _read(found)
        if isinstance(record.event, ProbeEnded):
            return "ended" if record.event.outcome.arrival is not None else "unseen"
        return "open" if self.read_ahead(found, record) else None

    async def first_copy(self, probe_id: str, route: str = "") -> tuple[Trace | None, str | None]:
        """The way of the copy with which an ended probe arrived, and its queue id at the first server. Raises JournalError."""
        found = await self._find(probe_id, route)
        event = None if found is None else _read(found).event
        return event.outcome.way if isinstance(event, ProbeEnded) else (None, None)

    async def _find(self, probe_id: str, route: str = "", mailbox: str = "") -> StoredMessage | None:
        """The last record of a probe, which the mailbox of its route may have left meanwhile for another one."""
        stream, known = self._subjects.stream, self._known.get(probe_id)
        if known is not None:
            return await self._log.last(stream, known.subject)
        if mailbox and (
            found := await self._log.last(stream, self._subjects.any_probe(probe_id, route, mailbox))
        ):
            return found
        return await self._log.last(stream, self._subjects.any_probe(probe_id, route, ""))


def _is_news(event: Event, known: _Known) -> bool:
    """Whether an event still says something, after what others have written meanwhile."""
    state = known.state
    if isinstance(event, ProbeStarted):
        return known.sequence == 0
    if known.sequence == 0:
        return True  # its records have passed away
    if state is None:
        return False  # it has ended
    if isinstance(event, ProbeHandedOver | ProbeSubmitted | SubmissionDeferred):
        return state.submission is None
    return not (isinstance(event, ProbeOverdue) and state.overdue)


def _read(found: StoredMessage) -> Record:
    try:
        return read_record(found.payload)
    except ValueError as error:
        message = f"{found.subject}: {error}"
        raise JournalError(message) from error
