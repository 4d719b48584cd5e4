"""A mailbox that is a Maildir on this machine: `ports.MailboxConnector` and `ports.MailboxSession` without a server.

In: one `config.settings.Mailbox` with a path, a clock. Out: messages, numbered by us in the order in which they came up; the
numbers hold for as long as the program runs. New mail is told by inotify, and looked for now and then all the same. Only the
messages handed to `remove` are deleted; nothing is made, moved or marked.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from smtp_probe.config.settings import Mailbox
from smtp_probe.errors import MailboxError
from smtp_probe.mail.maildir import PARTS, as_guid, folder_directory, folder_name, named_second
from smtp_probe.mail.placement import FolderEntry, choose_special
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.syntax.mailbox_names import decode_mailbox_name, encode_mailbox_name
from smtp_probe.model import (
    Cause,
    Location,
    MailboxMessage,
    MailboxSurvey,
    Placement,
    SurveyedFolder,
    TlsFacts,
)
from smtp_probe.network.directory_events import DirectoryEvents
from smtp_probe.network.disk_work import DiskWork
from smtp_probe.network.mailbox import account_of
from smtp_probe.network.maildir_folder import MaildirFolder, ReadFile
from smtp_probe.network.refused_removal import RefusedRemovals
from smtp_probe.ports import Clock, FolderState, WatchedFolder

_log = logging.getLogger(__name__)
_BATCH = 100
_SEARCH_BATCH = 500
_LOOK_SECONDS = 15.0
"""How often to look, though the kernel tells of news: of those on a network file system it does not."""
_UNTOLD_LOOK_SECONDS = 2.0
_HEADER_BYTES = 65_536
_NS = 1_000_000_000


class MaildirConnector:
    """One directory. What is known of its folders stays from one session to the next."""

    tls_facts: TlsFacts | None = None
    """There is no connection."""

    def __init__(self, name: str, settings: Mailbox, clock: Clock) -> None:
        assert settings.path is not None
        self.name = name
        self.account = account_of(settings)
        self.settings = settings
        self.clock = clock
        self.path = settings.path
        self.uidvalidity = clock.now_ns() // 1000
        self._disk = DiskWork(settings.timeouts.command)
        self._known: dict[str, tuple[MaildirFolder, DiskWork]] = {}

    async def open(self) -> MaildirSession:
        """See that the directory is one that can be read. Raises `errors.MailboxError`."""
        await self._disk.run("open", lambda: self._folder(self.path).list())
        return MaildirSession(self)

    async def survey(self) -> MailboxSurvey:
        """Look the folders over, for a person who sets them up. Raises `errors.MailboxError`."""
        session = await self.open()
        watched = await session.folders()
        return MailboxSurvey(folders=tuple([await self._survey(folder) for folder in watched]))

    async def _survey(self, folder: WatchedFolder) -> SurveyedFolder:
        directory = self.directory(folder.name)
        messages = await self._disk.run("select", lambda: len(self._folder(directory).list()))
        return SurveyedFolder(
            name=decode_mailbox_name(folder.name),
            placement=folder.placement,
            messages=messages,
            rights=await self._disk.run("rights", lambda: _rights(directory)),
        )

    async def list_folders(self) -> list[FolderEntry]:
        """All folders but INBOX. Raises `errors.MailboxError`."""
        names = await self._disk.run("folders", lambda: _list_directories(self.path))
        return [FolderEntry(folder_name(name)) for name in names]

    def directory(self, name: str) -> Path:
        """Where a folder is."""
        return self.path / folder_directory(name)

    def folder(self, name: str) -> tuple[MaildirFolder, DiskWork]:
        """What is known of a folder, and who works in it."""
        if name not in self._known:
            work = DiskWork(self.settings.timeouts.command)
            self._known[name] = self._folder(self.directory(name)), work
        return self._known[name]

    @staticmethod
    def _folder(directory: Path) -> MaildirFolder:
        return MaildirFolder(directory)


class MaildirSession:
    """Fulfils `ports.MailboxSession` by looks at one folder."""

    def __init__(self, connector: MaildirConnector) -> None:
        self._connector = connector
        self._woken = asyncio.Event()
        self._events = DirectoryEvents(None)
        self._watched: WatchedFolder | None = None
        self._fetched_below = 0
        self._is_at_end = False
        self._refused = RefusedRemovals(connector.name)

    # Folders.

    async def folders(self) -> Sequence[WatchedFolder]:
        """The configured folders, the junk folder where there is one, and those of quarantine."""
        settings = self._connector.settings
        names = [(name, Placement.INBOX) for name in map(encode_mailbox_name, settings.folders)]
        if settings.junk == "auto":
            junk = choose_special(await self._connector.list_folders(), "junk")
        else:
            junk = None if settings.junk is None else encode_mailbox_name(settings.junk)
        names += [] if junk is None else [(junk, Placement.JUNK)]
        names += [(name, Placement.OTHER) for name in map(encode_mailbox_name, settings.quarantine)]
        found: dict[str, WatchedFolder] = {}
        for name, placement in names:
            found.setdefault(folder_directory(name), WatchedFolder(name=name, placement=placement))
        return tuple(found.values())

    async def select(self, folder: WatchedFolder) -> FolderState:
        """List one folder, and be told of what comes into it from now on."""
        connector = self._connector
        known, disk = connector.folder(folder.name)
        self._events.close()
        around = connector.directory(folder.name)
        parts = [around / part for part in PARTS]
        self._events = await disk.run("select", lambda: DirectoryEvents.watch(parts, around))
        listed = await disk.run("select", known.list)
        self._watched = folder
        self._fetched_below = known.next_number
        return FolderState(uidvalidity=connector.uidvalidity, uidnext=known.next_number, exists=len(listed))

    def _opened(self) -> tuple[WatchedFolder, MaildirFolder, DiskWork]:
        assert self._watched is not None, "select first"
        return self._watched, *self._connector.folder(self._watched.name)

    # Messages.

    async def fetch_since(self, first_uid: int) -> Sequence[MailboxMessage]:
        """The next messages from this number on, ascending, at most a hundred."""
        _, known, disk = self._opened()
        listed = await disk.run("fetch", known.list)
        wanted = [uid for uid in listed if uid >= first_uid]
        self._is_at_end = len(wanted) <= _BATCH
        self._fetched_below = known.next_number if self._is_at_end else wanted[_BATCH]
        return await self._show(wanted[:_BATCH])

    @property
    def is_at_end(self) -> bool:
        """Whether the last `fetch_since` reached the end of the folder."""
        return self._is_at_end

    async def fetch(self, uids: Sequence[int]) -> Sequence[MailboxMessage]:
        """These messages, ascending; those that are gone are left out."""
        _, known, disk = self._opened()
        listed = set(await disk.run("fetch", known.list))
        return await self._show(sorted(listed & set(uids)))

    async def _show(self, uids: Sequence[int]) -> list[MailboxMessage]:
        folder, known, disk = self._opened()

        def read() -> list[tuple[int, str, ReadFile, int]]:
            found, refusals = [], []
            for uid in uids:
                try:
                    file = known.read(uid)
                except OSError as error:
                    refusals.append(error)
                    continue
                if file is not None:
                    found.append((uid, known.unique(uid), file, self._connector.clock.now_ns()))
            if refusals and not found:
                raise refusals[0]  # it is not one message that cannot be read, it is the folder
            return found

        return [self._message(folder, *each) for each in await disk.run("fetch", read)]

    def _message(
        self, folder: WatchedFolder, uid: int, unique: str, file: ReadFile, seen_ns: int
    ) -> MailboxMessage:
        second = named_second(unique)
        return MailboxMessage(
            location=Location(
                mailbox=self._connector.name,
                folder=folder.name,
                uidvalidity=self._connector.uidvalidity,
                uid=uid,
                account=self._connector.account,
            ),
            placement=folder.placement,
            seen_ns=seen_ns,
            header=file.text.partition(b"\r\n\r\n")[0][:_HEADER_BYTES] + b"\r\n\r\n",
            size_bytes=file.size_bytes,
            internaldate_ns=(file.modified_ns // _NS if second is None else second) * _NS,
            guid=as_guid(unique),
            file_time_ns=file.modified_ns,
        )

    async def fetch_text(self, uid: int, limit_bytes: int) -> bytes:
        """The start of one message's body; empty when the message is gone."""
        _, known, disk = self._opened()
        file = await disk.run("fetch", lambda: known.read(uid, _HEADER_BYTES + limit_bytes))
        return b"" if file is None else file.text.partition(b"\r\n\r\n")[2][:limit_bytes]

    async def search_header(self, name: str, value: str) -> Sequence[int]:
        """Numbers of the messages whose header `name` contains `value`; with an empty value, that have it at all."""
        _, known, disk = self._opened()
        listed = await disk.run("search", known.list)
        wanted, sought = name.lower(), value.lower().encode()

        def matches(uid: int) -> bool:
            try:
                file = known.read(uid)
            except OSError:
                return False  # the look at what is new tells of that
            fields = () if file is None else split_fields(file.text)
            return any(key == wanted and sought in content.lower() for key, content in fields)

        found: list[int] = []
        for start in range(0, len(listed), _SEARCH_BATCH):
            batch = listed[start : start + _SEARCH_BATCH]
            found += await disk.run("search", lambda batch=batch: [uid for uid in batch if matches(uid)])  # type: ignore[misc]
        return found

    # News.

    async def poll(self) -> bool:
        """One look at the two directories. True when there is something new."""
        _, known, disk = self._opened()
        await disk.run("poll", known.list)
        return known.next_number > self._fetched_below

    async def idle(self, seconds: float) -> bool:
        """Wait for the kernel to tell of news, at most so long. True when there is some, or `wake` was called."""
        self._woken.clear()
        now = asyncio.get_running_loop().time
        ends = now() + seconds
        while not await self.poll() and not self._woken.is_set():
            if now() >= ends:
                return False
            longest = _LOOK_SECONDS if self._events.is_told else _UNTOLD_LOOK_SECONDS
            await self._wait(min(longest, max(0.0, ends - now())))
        return True

    async def _wait(self, seconds: float) -> None:
        waits = [asyncio.ensure_future(each) for each in (self._events.wait(), self._woken.wait())]
        try:
            done, _ = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        except OSError as error:
            raise MailboxError("idle", Cause.DISK_FAILED, detail=str(error.strerror)) from None
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)  # before what they wait for is closed

    def wake(self) -> None:
        """End a running `idle`."""
        self._woken.set()

    # Removal.

    async def remove(self, uids: Sequence[int]) -> None:
        """Delete exactly these messages, or keep them, as configured.

        Where the system refuses, they stay and a warning is logged: the mailbox can be watched all the same.
        """
        if self._connector.settings.after_judgement == "keep":
            return
        _, known, disk = self._opened()
        try:
            await disk.run("remove", lambda: known.remove(uids))
        except MailboxError as error:
            if error.cause is not Cause.ACCESS_DENIED:
                raise
            self._refused.tell(str(error))

    async def close(self) -> None:
        """Stop listening."""
        self._events.close()


def _list_directories(path: Path) -> list[str]:
    return sorted(
        entry.name
        for entry in os.scandir(path)
        if entry.name.startswith(".") and (path / entry.name / "cur").is_dir()
    )


def _rights(directory: Path) -> str:
    """What we may do there, in the letters of RFC 4314: read, and remove."""
    parts = [directory / part for part in PARTS]
    may_read = all(os.access(part, os.R_OK | os.X_OK, effective_ids=True) for part in parts)
    may_remove = all(os.access(part, os.W_OK | os.X_OK, effective_ids=True) for part in parts)
    return "r" * may_read + "te" * may_remove
