"""A watcher: opens the mailboxes whose lease it holds, follows what was sent to them, and judges.

In: leases, and the events of the engine's stream. Out: the ends of probes. When a lease is lost, the mailboxes are left and
their probes forgotten; whoever gets it reads from the stream how each of them stands.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from smtp_probe.app.engine.bookmarks import Bookmark, Bookmarks
from smtp_probe.app.engine.crowding import Crowding, write_full
from smtp_probe.app.engine.leases import Group, Leases, group_mailboxes
from smtp_probe.app.engine.members import Members
from smtp_probe.app.engine.programs import WatcherProgram
from smtp_probe.app.engine.sightings import Sightings
from smtp_probe.app.engine.turns import Turns
from smtp_probe.config.settings import Config
from smtp_probe.errors import EngineError
from smtp_probe.model import ProbeEnded
from smtp_probe.network.jetstream.bucket import Bucket
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.names import name_of, subject_words
from smtp_probe.network.jetstream.reading import Follower, Start
from smtp_probe.ports import StoredMessage
from smtp_probe.report.engine_journal import EngineJournal
from smtp_probe.report.event_records import Record, is_end, probe_of, read_record

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
_BOOKMARK_SECONDS = 5.0
_NO_LIMIT = 1 << 30
_OPENED_AT_ONCE, _OPEN_MORE_SECONDS = 1000, 0.05
_TOLD_SECONDS = 10.0
"""So long the messages of a mailbox wait until the events of its probes are read."""
_AT_ONCE = 50
"""So many questions about single probes are on their way at once."""


class Watcher:
    """One watcher. `took_over` is told of how many probes the workers were gone."""

    def __init__(
        self,
        program: WatcherProgram,
        journal: EngineJournal,
        stream: JetStream,
        members: Members,
        leases: Leases,
    ) -> None:
        self.took_over: Callable[[int], None] = lambda _: None
        self._program = program
        self._journal = journal
        self._stream = stream
        self._members = members
        self._leases = leases
        self._config: Config = program.config
        marks = Bucket(stream, stream.names.marks)
        self._bookmarks = Bookmarks(marks)
        self._sightings = Sightings(marks, lambda domain: domain in self._config.domains)
        program.verdicts.on_seen = self._sightings.note
        self._readers: dict[tuple[str, Group], asyncio.Task[None]] = {}
        self._retired: dict[str, Group] = {}
        self._read_to: dict[tuple[str, Group], int] = {}
        self._marked: dict[tuple[str, Group], int] = {}
        self._crowding: dict[tuple[str, Group], Crowding] = {}
        self._told: dict[str, asyncio.Event] = {}
        """By mailbox: whether what others have written of its probes has been read."""
        self._turns = Turns()
        self._wanted: frozenset[str] = frozenset()
        self._watched: frozenset[str] = frozenset()
        """Those of the wanted mailboxes that are open."""
        self._opening: asyncio.TimerHandle | None = None
        leases.describe, leases.changed = self._describe, self.leases_changed
        journal.read_ahead = self._read_ahead
        program.is_told, program.mailbox_changed = self._is_told, self._tell_change

    @property
    def mailboxes(self) -> frozenset[str]:
        """The mailboxes that are ours to watch."""
        return self._wanted

    def configure(self, config: Config) -> None:
        """Take over a configuration."""
        self._config = config
        self._program.configure(config)
        groups = group_mailboxes(config)
        configured = frozenset().union(*groups.values())
        held = {key: self._leases.groups[key] for key in self._leases.held if key in self._leases.groups}
        self._retired = {
            key: group for key, group in held.items() if key not in groups and group - configured
        }
        self._leases.groups = {**self._still_waited_for(), **groups}
        self.leases_changed(self._leases.held)

    def leases_changed(self, held: frozenset[str]) -> None:
        """Watch what is ours now, and nothing else. Fits `Leases.changed`."""
        ours = {(key, group) for key in held if (group := self._leases.groups.get(key))}
        mailboxes = frozenset().union(*(group for _, group in ours))
        for reader in [each for each in self._readers if each not in ours]:
            self._readers.pop(reader).cancel()
            self._read_to.pop(reader, None)
            self._marked.pop(reader, None)
            self._crowding.pop(reader, None)
            for name in reader[1]:
                self._told.pop(name, asyncio.Event()).set()
            for probe_id in self._program.ledger.leave(reader[1] - mailboxes):
                self._journal.forget(probe_id)
        self._wanted = mailboxes
        for key, group in sorted(ours - self._readers.keys(), key=lambda each: each[0]):
            self._told.update(dict.fromkeys(group, told := asyncio.Event()))
            asyncio.get_running_loop().call_later(_TOLD_SECONDS, told.set)
            reading = asyncio.create_task(self._follow(key, group, told), name=f"events of {key}")
            self._readers[key, group] = reading
        self._open_some()
        self._program.telemetry.engine.groups(len(held))

    def _open_some(self) -> None:
        """Watch what is ours now, some mailboxes more each time: to open thousands in one step would take a second."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        kept = self._watched & self._wanted
        self._watched = kept.union(sorted(self._wanted - kept)[:_OPENED_AT_ONCE])
        self._program.watch(self._watched)
        if self._watched != self._wanted:
            self._opening = asyncio.get_running_loop().call_later(_OPEN_MORE_SECONDS, self._open_some)

    async def run(self) -> None:
        """Judge, and look after the probes of workers that are gone, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._program.ledger.run(), name="ledger")
            group.create_task(self._leases.run(), name="leases")
            group.create_task(self._look_after(), name="orphans")
            group.create_task(self._lay_bookmarks(), name="bookmarks")
            group.create_task(self._sightings.run(), name="what mail shows of domains")

    async def stop(self) -> None:
        """Leave all mailboxes, and let others have them at once."""
        for task in self._readers.values():
            task.cancel()
        self._wanted = frozenset()
        if self._opening is not None:
            self._opening.cancel()
        await self._leases.give_back()

    def _tell_change(self, mailbox: str) -> None:
        """Tell that a mailbox has come into view, or gone out of it. Fits `WatcherProgram.mailbox_changed`."""
        for key, group in self._readers:
            if mailbox in group:
                self._leases.tell_whole(key)

    async def _is_told(self, mailbox: str) -> None:
        """Wait until the events of a mailbox that has become ours are read. Fits `WatcherProgram.is_told`."""
        if (told := self._told.get(mailbox)) is not None:
            await told.wait()

    def _still_waited_for(self) -> dict[str, Group]:
        """Groups that are configured no more, and for which probes of ours still wait."""
        if not self._retired:
            return {}
        waited_for = self._journal.open_subjects().keys()
        return {key: group for key, group in self._retired.items() if group & waited_for}

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._retired and self._still_waited_for().keys() != self._retired.keys():
                self.configure(self._config)
            count = self._program.ledger.take_over(self._members.is_alive)
            if count:
                self.took_over(count)

    async def _lay_bookmarks(self) -> None:
        while True:
            await asyncio.sleep(_BOOKMARK_SECONDS)
            read_to, subjects = dict(self._read_to), self._journal.open_subjects()  # of one instant
            for reader, sequence in read_to.items():
                if self._marked.get(reader) == sequence:
                    continue
                key, group = reader
                open_now = [each for name in group & subjects.keys() for each in subjects[name]]
                try:
                    await self._bookmarks.write(key, group, Bookmark(sequence, tuple(open_now)))
                except EngineError:
                    break  # whether the engine is there is told by the signs of life
                self._marked[reader] = sequence

    async def _follow(self, key: str, group: Group, told: asyncio.Event) -> None:
        """Read the events of the probes of a group: how those stand that are open, and then all that come."""
        names, crowding = self._stream.names, Crowding(self._limit)
        while True:
            try:
                start = await self._catch_up(key, group, crowding)
            except EngineError:
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                break
        subjects = [subject for name in sorted(group) for subject in names.of_mailbox(name)]
        follower = Follower(self._stream, names.events, subjects, start)
        async for message in follower.messages():
            if message is not None:
                # The last record of a probe tells all that is known of it.
                if not follower.has_later(message.subject):
                    await self._turns.give_way()
                    if self._read(message, crowding):
                        self._leases.hurry(key)
                if not start.is_last_per_subject or follower.pending == 0:
                    self._read_to[key, group] = message.sequence
            if follower.pending == 0:
                self._crowding[key, group] = crowding
                told.set()

    async def _catch_up(self, key: str, group: Group, crowding: Crowding) -> Start:
        """Learn how the probes stand that were open at the last bookmark. Raises EngineError."""
        bookmark = await self._bookmarks.read(key, group)
        if bookmark is None:
            return Start(is_last_per_subject=True)
        events = self._stream.names.events
        for begin in range(0, len(bookmark.subjects), _AT_ONCE):
            some = bookmark.subjects[begin : begin + _AT_ONCE]
            for message in await asyncio.gather(*(self._stream.last(events, each) for each in some)):
                if message is not None:
                    await self._turns.give_way()
                    self._read(message, crowding)
        return Start(bookmark.sequence + 1)

    def _read(self, message: StoredMessage, crowding: Crowding) -> bool:
        """Take a record of the stream up. Gives whether a route became full by it, or is full no more."""
        _, vantage, _, route, probe_id = subject_words(message.subject)
        if self._program.ledger.get(probe_id) is None and is_end(message.payload):
            self._program.ledger.forget(probe_id)
            self._journal.forget(probe_id)
            return crowding.note(vantage, name_of(route), probe_id, is_open=False)
        try:
            record = read_record(message.payload)
        except ValueError as error:
            _log.warning("an event cannot be read: %s", error, extra={"subject": message.subject})
            return False
        self._learn(message, record)
        probe = probe_of(record.event)
        if probe is None:
            return False
        return crowding.note(vantage, probe.route, probe_id, is_open=not isinstance(record.event, ProbeEnded))

    def _learn(self, message: StoredMessage, record: Record) -> None:
        ledger = self._program.ledger
        if isinstance(record.event, ProbeEnded):
            ledger.has_ended(record.event.outcome)
        elif (state := record.state) is not None:
            ledger.follow(state, record.submitter, message.sequence)
        self._journal.follow(message, record)

    def _read_ahead(self, message: StoredMessage, record: Record) -> bool:
        """Learn of a probe whose message is here before the stream has told of it. False where its mailbox is not ours."""
        state = record.state
        if state is None or not any(state.probe.mailbox in group for _, group in self._readers):
            return False
        self._learn(message, record)
        return True

    def _limit(self, route: str) -> int:
        settings = self._config.routes.get(route)
        return _NO_LIMIT if settings is None else settings.max_in_flight

    def _describe(self, key: str, is_whole: bool) -> Mapping[str, object]:
        """Which routes are full, for the workers to heed, and the whole: how the mailboxes are, for the exporters to show."""
        group = self._leases.groups.get(key, frozenset())
        crowding = self._crowding.get((key, group))
        told = {} if crowding is None else {"full": write_full(crowding.full())}
        if not is_whole:
            return told
        return told | {
            "mailboxes": sorted(group),
            "state": {
                name: {"up": watcher.is_up, "why": str(watcher.last_error or ""), "quotas": watcher.shares}
                for name in sorted(group)
                if (watcher := self._program.watchers.state(name)) is not None
            },
        }
