"""Watching one mailbox: all its folders, each over a connection of its own, as one thing that is up or down.

The first connection also finds out which folders there are, and starts the others. When connections are lost it tries the
server, and the others wait until it is in: five folders must not be five wrong passwords a minute to a server that locks the
account, or us, out after five. What one connection does is told in `folder_watch`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from smtp_probe.errors import MailboxError
from smtp_probe.model import Location
from smtp_probe.ports import Clock, MailboxConnector, MailboxSession, WatchedFolder
from smtp_probe.probes.folder_watch import FolderWatch, WatchEvents, WatchSettings
from smtp_probe.probes.mailbox_room import MailboxRoom


class _Door:
    """The way to one server: tried by one connection, gone by the others when that one has got in."""

    def __init__(self, connector: MailboxConnector) -> None:
        self.name = connector.name
        self._connector = connector
        self._is_open = asyncio.Event()

    async def open(self) -> MailboxSession:
        """Try it (`ports.MailboxConnector`)."""
        session = await self._connector.open()
        self._is_open.set()
        return session

    def shut(self) -> None:
        """The one that tries it has lost its connection, or got none."""
        self._is_open.clear()

    async def follow(self) -> MailboxSession:
        """Go in behind the one that tries it."""
        await self._is_open.wait()
        return await self._connector.open()


class _Follower:
    """The connector of all folders but the first."""

    def __init__(self, door: _Door) -> None:
        self.name = door.name
        self.open = door.follow


class MailboxWatcher:
    """All folders of one mailbox. The first connection also finds out which folders there are."""

    def __init__(
        self, connector: MailboxConnector, clock: Clock, settings: WatchSettings, events: WatchEvents
    ) -> None:
        self.name = connector.name
        self._door = _Door(connector)
        self._clock = clock
        self._settings = settings
        self._events = events
        self._was_up: bool | None = None
        self._group: asyncio.TaskGroup | None = None
        self._first = FolderWatch(self._door, clock, settings, self._events_for_folder(self._first_changed))
        self._first.on_folders = self._found
        self._first.room = self._room = MailboxRoom(connector.name, clock, events.quotas)
        self._watches: dict[str, FolderWatch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def is_up(self) -> bool:
        """Whether every known folder is in view."""
        return self._first.is_up and all(watch.is_up for watch in self._watches.values())

    @property
    def covered_ns(self) -> int | None:
        """Up to when all folders are known completely; None before the first look."""
        covered = [watch.covered_ns for watch in (self._first, *self._watches.values())]
        known = [instant for instant in covered if instant is not None]
        return min(known) if len(known) == len(covered) else None

    @property
    def is_looking(self) -> bool:
        """Whether a folder is being read just now."""
        return any(watch.is_looking for watch in (self._first, *self._watches.values()))

    @property
    def last_error(self) -> MailboxError | None:
        """Why the mailbox is out of view, if it is."""
        errors = (watch.last_error for watch in (self._first, *self._watches.values()))
        return next((error for error in errors if error is not None), None)

    @property
    def shortage(self) -> str:
        """What the mailbox has too little room of for another message; empty where it has room or nobody knows."""
        return self._room.shortage

    @property
    def shares(self) -> Mapping[str, float]:
        """How much of each quota is used, by the name of its resource; empty where nobody knows."""
        return self._room.shares

    @property
    def has_discards(self) -> bool:
        """Whether copies wait to be deleted."""
        return any(watch.has_discards for watch in (self._first, *self._watches.values()))

    def discard(self, location: Location) -> None:
        """Have one copy deleted; it has been judged and recorded."""
        for watch in (self._first, *self._watches.values()):
            if watch.folder is not None and watch.folder.name == location.folder:
                watch.discard(location)

    def nudge(self) -> None:
        """Have every folder looked at now."""
        for watch in (self._first, *self._watches.values()):
            watch.nudge()

    def sweep(self) -> None:
        """Have all messages of ours in every folder looked at again."""
        for watch in (self._first, *self._watches.values()):
            watch.sweep()

    def stir(self) -> None:
        """Tell every folder that a message is expected from now on."""
        for watch in (self._first, *self._watches.values()):
            watch.stir()

    async def run(self) -> None:
        """Watch until cancelled; every connection is logged out then."""
        self._watches.clear()  # after a fault of ours all folders are found anew
        self._tasks.clear()
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._first.run(), name=f"watch {self.name}")

    def _found(self, folders: tuple[WatchedFolder, ...]) -> None:
        for name in self._watches.keys() - {folder.name for folder in folders}:
            self._tasks.pop(
                name
            ).cancel()  # somebody has removed the folder: there is nothing to be seen in it
            del self._watches[name]
            self._tell_change()
        for folder in folders[1:]:
            if folder.name not in self._watches and self._group is not None:
                connector, events = _Follower(self._door), self._events_for_folder(self._changed)
                watch = FolderWatch(connector, self._clock, self._settings, events, folder)
                watch.on_missing = self._first.review
                self._watches[folder.name] = watch
                task = self._group.create_task(watch.run(), name=f"watch {self.name} {folder.name}")
                self._tasks[folder.name] = task

    def _events_for_folder(self, changed: Callable[[bool], None]) -> WatchEvents:
        return WatchEvents(
            dispatch=self._events.dispatch,
            expected_since_ns=self._events.expected_since_ns,
            quiet_until_ns=self._events.quiet_until_ns,
            is_waited_for=self._events.is_waited_for,
            changed=changed,
            reconnected=self._events.reconnected,
        )

    def _first_changed(self, is_up: bool) -> None:
        if not is_up:
            self._door.shut()
        self._changed(is_up)

    def _changed(self, _: bool) -> None:
        self._tell_change()

    def _tell_change(self) -> None:
        if self.is_up != self._was_up:
            self._was_up = self.is_up
            self._events.changed(self.is_up)
