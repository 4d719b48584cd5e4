"""An exporter: counts what the engine's stream says, and shows it. Two or more show the same.

In: the events of one vantage. Out: counters, pages, history: those of the single daemon, from a journal of its own. How far
it has read stands in that journal, in the transaction of what was read, so that a kill neither loses nor repeats an event.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from smtp_probe.app.engine.duty import CHECKING
from smtp_probe.app.engine.members import PATIENCE
from smtp_probe.app.engine.programs import ExporterProgram
from smtp_probe.app.engine.schedules import schedule_route
from smtp_probe.app.engine.slots import Slots
from smtp_probe.app.engine.turns import Turns
from smtp_probe.app.shard import Shard
from smtp_probe.errors import EngineError, JournalError
from smtp_probe.model import (
    DomainNoted,
    Event,
    ForgerySeen,
    Memo,
    ProbeEnded,
    ProbeStarted,
    SlotMissed,
    StraySeen,
)
from smtp_probe.network.jetstream.bucket import Bucket, Entry
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.objects import Objects
from smtp_probe.network.jetstream.reading import Follower, Start
from smtp_probe.ports import StoredMessage
from smtp_probe.report.check_records import read_check
from smtp_probe.report.checkpoint import MEMO, SEEDED, pack, read_checkpoint, seed_journal, unpack
from smtp_probe.report.event_records import Record, probe_of, read_record
from smtp_probe.report.increments import Increment, increments
from smtp_probe.report.journal import LARGEST_BATCH

_log = logging.getLogger(__name__)
_KEEP_SECONDS = 300.0
"""How often a checkpoint is written, by whichever exporter comes to it."""
_MARGIN_NS = 60_000_000_000
_NS = 1_000_000_000
_QUEUE = 2000
_ROOM = 100
"""In a transaction, for the mark, and for what others write at the same time."""
_AGAIN_SECONDS = 2.0
_TOGETHER_SECONDS = 0.2
"""Events that come within this time are counted in one transaction; a page is never older by more."""
_MAILBOX_PREFIX = "mailbox."
MEMORIES = "memory."
"""Keys of what only checkers read."""
_LOOK_SECONDS = 1.0
_NOBODY = "no watcher has it"


class Exporter:
    """One exporter. `shard` is the part of the routes that it shows."""

    def __init__(self, program: ExporterProgram, stream: JetStream, shard: Shard, path: Path) -> None:
        self._path = path
        self._program = program
        self._stream = stream
        self._shard = shard
        self._queue: asyncio.Queue[StoredMessage] = asyncio.Queue(_QUEUE)
        self._heard: dict[str, float] = {}
        """By the key of a lease: when somebody renewed it."""
        self._leased: dict[str, frozenset[str]] = {}
        """By the same: the mailboxes of which was told with it."""
        self._slots = Slots()
        self._turns = Turns()
        self._check_heard: float | None = None
        self._is_checked = True
        self._memo_name = f"{stream.settings.namespace} {stream.settings.vantage}"
        self._objects = Objects(stream, stream.names.totals)
        self._object_name = f"{stream.settings.vantage}.{shard.index}.{shard.count}"
        self._counted_to = 0
        """Up to here the journal has counted, though it has not read the events: it began with another's counters."""
        self._backlog: int | None = None
        """How many events there were to be read when we began."""
        self._begun = 0.0
        self.has_caught_up = asyncio.Event()
        """Set when all is counted that had happened when we began."""
        program.telemetry.observations.events_to_count = None

    async def seed(self) -> None:
        """Let a new journal begin with what others have counted. Raises EngineError, JournalError."""
        payload = await self._objects.get(self._object_name)
        if payload is None:
            return
        try:
            checkpoint = unpack(payload)
        except ValueError as error:
            _log.error("the counters begin with the events that the engine still has: %s", error)
            return
        await asyncio.to_thread(seed_journal, self._path, checkpoint, self._memo_name)
        _log.info("beginning with the counters of another exporter", extra={"sequence": checkpoint.sequence})

    async def run(self) -> None:
        """Read and count, until cancelled."""
        self._begun = asyncio.get_running_loop().time()
        kept = await self._program.journal.memos()
        self._slots.restore(kept)
        memos = {(memo.kind, memo.name): memo.text for memo in kept}
        sequence = int(memos.get((MEMO, self._memo_name)) or 0)
        begins = json.loads(memos.get((SEEDED, self._memo_name)) or "{}")
        self._counted_to = int(begins.get("sequence", 0))
        names, vantage = self._stream.names, self._stream.settings.vantage
        is_new = not sequence and begins
        start = Start(sequence + 1, begins["since_ns"] - _MARGIN_NS if is_new else None)
        follower = Follower(self._stream, names.events, names.of_vantage(vantage), start)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read(follower), name="reading events")
            group.create_task(self._count(), name="counting events")
            group.create_task(self._watch_leases(), name="mailboxes")
            group.create_task(self._keep(), name="checkpoints")
            group.create_task(self._show_reports(), name="reports")

    async def _show_reports(self) -> None:
        """Show what the checker saw."""
        async for entry in Bucket(self._stream, self._stream.names.reports).entries():
            if entry is None or entry.value is None or entry.key.startswith(MEMORIES):
                continue
            try:
                self._program.show_check(read_check(entry.value))
            except ValueError as error:
                _log.warning("a report cannot be read: %s", error, extra={"key": entry.key})

    async def _keep(self) -> None:
        """Write down now and then what we have counted, for whoever begins later."""
        while True:
            await asyncio.sleep(_KEEP_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - not all at once
            await self.keep()

    async def keep(self) -> None:
        """Write down what we have counted. Where that cannot be done it is done later."""
        try:
            checkpoint = await asyncio.to_thread(read_checkpoint, self._path, self._memo_name)
            if checkpoint is not None and checkpoint.sequence >= self._counted_to:
                await self._objects.put(self._object_name, await asyncio.to_thread(pack, checkpoint))
        except (EngineError, sqlite3.Error) as error:
            _log.warning("what was counted could not be kept for others: %s", error)

    def note(self, entry: Entry) -> None:
        """Learn how mailboxes are from whoever watches them, and that somebody checks. Fits `Members.on_entry`."""
        if entry.key == CHECKING:
            self._check_heard = None if entry.value is None else asyncio.get_running_loop().time()
        if not entry.key.startswith(_MAILBOX_PREFIX) or entry.value is None:
            return
        try:
            states = json.loads(entry.value).get("state")
            told = {str(name): _read_state(state) for name, state in (states or {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # of another version
        if states is None and entry.key not in self._leased:
            return  # what there is to be told of these mailboxes comes within a lease
        self._heard[entry.key] = asyncio.get_running_loop().time()
        if states is None:
            return
        for key in [
            each for each, names in self._leased.items() if each != entry.key and names & told.keys()
        ]:
            self._leased[key] -= told.keys()  # by another configuration they belong together with others
        self._leased[entry.key] = frozenset(told)
        observations = self._program.telemetry.observations
        for name, (is_up, why, quotas) in told.items():
            observations.mailbox_state(name, is_up, why)
            observations.mailbox_quotas(name, quotas if is_up else {})

    async def _watch_leases(self) -> None:
        """Say of mailboxes that nobody speaks of that nobody watches them."""
        loop = asyncio.get_running_loop()
        patience = self._stream.settings.lease * PATIENCE
        self._check_heard = self._check_heard or loop.time()  # not before we have listened for so long
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            for key in [each for each, heard in self._heard.items() if loop.time() - heard > patience]:
                del self._heard[key]
                for name in self._leased.pop(key):
                    self._program.telemetry.observations.mailbox_state(name, False, _NOBODY)
            was_checked, self._is_checked = self._is_checked, self._is_heard(patience)
            config = self._program.config
            has_checks = bool(config.domains or config.queues or config.drills.by_name)
            self._program.telemetry.engine.checked(self._is_checked if has_checks else None)
            if was_checked and not self._is_checked:
                self._program.nobody_checks()

    def _is_heard(self, patience: float) -> bool:
        """Whether a checker has been heard lately."""
        last = self._check_heard
        return last is not None and asyncio.get_running_loop().time() - last <= patience

    async def _read(self, follower: Follower) -> None:
        engine = self._program.telemetry.engine
        async for message in follower.messages():
            if message is not None:
                await self._queue.put(message)
            waiting = follower.pending
            if self._backlog is None and waiting is not None:
                self._backlog = waiting + (message is not None)
                self._counted(0)
            engine.behind(None if waiting is None else waiting + self._queue.qsize())

    def _counted(self, count: int) -> None:
        """Say how many are still to be counted of the events that had happened when we began."""
        observations = self._program.telemetry.observations
        if self._backlog is None or self.has_caught_up.is_set():
            return
        left = self._backlog if observations.events_to_count is None else observations.events_to_count
        observations.events_to_count = max(0, left - count)
        if observations.events_to_count == 0:
            self.has_caught_up.set()
            seconds = round(asyncio.get_running_loop().time() - self._begun, 2)
            _log.info("what had happened is counted", extra={"events": self._backlog, "seconds": seconds})

    async def _count(self) -> None:
        while True:
            batch = [await self._queue.get()]
            if self._queue.qsize() < LARGEST_BATCH - _ROOM:
                await asyncio.sleep(_TOGETHER_SECONDS)
            while len(batch) < LARGEST_BATCH - _ROOM and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            known = [message for message in batch if message.sequence <= self._counted_to]
            for part in (known, batch[len(known) :]):
                if part:
                    self._program.journal.count = _count_nothing if part is known else increments
                    records = await self._understand_all(part)
                    await self._write(records, part[-1].sequence)
            self._counted(len(batch))

    async def _write(self, records: Sequence[Record], sequence: int) -> None:
        """Count a batch, as often as it takes: nothing is read on meanwhile."""
        counted: list[tuple[Event, Record | None]] = []
        for record in records:
            expired = self._expired(record.event)
            if expired is not None:
                counted.append((expired, None))
            counted.append((record.event, record))
        mark = Memo(kind=MEMO, name=self._memo_name, text=str(sequence))
        slots = self._slots.memos(
            record.event.probe.route for record in records if isinstance(record.event, ProbeStarted)
        )
        kept = DomainNoted(domain="", records=(), memos=(*slots, mark))
        while True:
            try:
                news = await self._program.journal.record_all([*(event for event, _ in counted), kept])
            except JournalError as error:
                _log.warning("events wait to be counted: %s", error)
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                break
        for (event, source), is_new in zip(counted, news[:-1], strict=True):
            await self._turns.give_way()
            if source is not None:
                self._follow(source)
            if is_new:
                self._program.telemetry.observe(event)

    def _expired(self, event: Event) -> SlotMissed | None:
        """The slots before a start whose runs passed away before a worker took them."""
        if isinstance(event, SlotMissed):
            self._slots.missed(event.route, event.count)
        if not isinstance(event, ProbeStarted):
            return None
        route = self._program.config.routes.get(event.probe.route)
        if route is None:
            return None
        interval = schedule_route(0, route.interval).interval_seconds
        count = self._slots.started(event.probe.route, event.probe.scheduled_ns // _NS, interval)
        return SlotMissed(route=event.probe.route, count=count, reason="expired") if count else None

    def _follow(self, record: Record) -> None:
        """Know how many probes are open."""
        if isinstance(record.event, ProbeEnded):
            self._program.ledger.has_ended(record.event.outcome)
        elif record.state is not None:
            self._program.ledger.follow(record.state, record.submitter)

    async def _understand_all(self, messages: Sequence[StoredMessage]) -> list[Record]:
        records = []
        for message in messages:
            await self._turns.give_way()
            if (record := self._understand(message)) is not None:
                records.append(record)
        return records

    def _understand(self, message: StoredMessage) -> Record | None:
        try:
            record = read_record(message.payload)
        except ValueError as error:
            _log.warning("an event cannot be read: %s", error, extra={"subject": message.subject})
            return None
        return record if self._is_ours(record.event) else None

    def _is_ours(self, event: Event) -> bool:
        if isinstance(event, ForgerySeen | StraySeen | DomainNoted):
            return self._shard.index == 0
        probe = probe_of(event)
        return self._shard.has(probe.route if probe is not None else getattr(event, "route", ""))


def _count_nothing(_: Event) -> tuple[Increment, ...]:
    return ()


def _read_state(state: Mapping[str, Any]) -> tuple[bool, str, dict[str, float]]:
    """Read what a watcher says of one mailbox: whether it is in view, why not, and how full it is."""
    quotas = {str(resource): float(share) for resource, share in state.get("quotas", {}).items()}
    return bool(state["up"]), str(state["why"]), quotas
