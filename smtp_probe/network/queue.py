"""Reads the queue of a mail server on this machine: a program's output, Postfix's showq socket, or Exim's spool.

In: settings, and who takes the entries. Out: every entry, one at a time, as it is read; nothing is kept. Raises QueueError
where the whole queue cannot be read within the deadline: entries given before are then of no use. A program that is
too slow is killed with everything that it started. No shell is involved.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Protocol

from smtp_probe.config.settings import Queue, QueueMethod
from smtp_probe.errors import QueueError
from smtp_probe.mail.queue_listing.exim_listing import EximListing
from smtp_probe.mail.queue_listing.exim_spool import HEADER_FILE, READ_BYTES, read_spool_header
from smtp_probe.mail.queue_listing.postqueue_json import PostqueueJson
from smtp_probe.mail.queue_listing.showq import ShowqStream
from smtp_probe.mail.queue_listing.states import (
    EXIM_LISTING_STATES,
    EXIM_SPOOL_STATES,
    POSTFIX_STATES,
    ListingError,
)
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import QueueEntry, QueueFailure
from smtp_probe.network.program import PIECE_BYTES, pieces_of, run_program

_LOG_END_BYTES = 4096
_USUAL_BYTES = 16_384
_FILES_AT_ONCE = 200

Take = Callable[[QueueEntry], None]


class _Listing(Protocol):
    def feed(self, piece: bytes) -> Iterator[QueueEntry]: ...

    def end(self) -> Iterator[QueueEntry]: ...


class LocalQueue:
    """One queue. Fits `ports.QueueReader`. `states` are those in which its entries can be seen."""

    def __init__(self, settings: Queue) -> None:
        self._settings = settings
        self._read, self.states = {
            QueueMethod.POSTQUEUE: (self._read_program, POSTFIX_STATES),
            QueueMethod.SHOWQ: (self._read_socket, POSTFIX_STATES),
            QueueMethod.EXIM: (self._read_program, EXIM_LISTING_STATES),
            QueueMethod.SPOOL: (self._read_spool, EXIM_SPOOL_STATES),
        }[settings.effective_method]

    async def read(self, take: Take) -> None:
        """Give every entry. Raises QueueError."""
        try:
            async with asyncio.timeout(self._settings.deadline):
                await self._read(take)
        except TimeoutError:
            raise QueueError(QueueFailure.TIMEOUT, f"not read within {self._settings.deadline:g} s") from None
        except ListingError as error:
            raise QueueError(QueueFailure.MALFORMED, str(error)) from error
        except FileNotFoundError as error:
            raise QueueError(QueueFailure.MISSING, _what_is_missing(error)) from error
        except PermissionError as error:
            raise QueueError(
                QueueFailure.DENIED, f"no permission for {error.filename or self._subject}"
            ) from error
        except OSError as error:
            raise QueueError(QueueFailure.FAILED, f"{self._subject}: {error.strerror or error}") from error

    @property
    def _subject(self) -> str:
        command = self._settings.effective_command
        return command[0] if command else str(self._settings.effective_path)

    # Programs.

    async def _read_program(self, take: Take) -> None:
        is_postqueue = self._settings.effective_method is QueueMethod.POSTQUEUE
        reading = _Reading(PostqueueJson() if is_postqueue else EximListing(), take)
        code, complaint = await run_program(self._settings.effective_command, reading.feed)
        if code != 0:
            # What it says of its failure is told rather than what its failure did to the listing.
            said = sanitise(complaint, 200) or "no message"
            raise QueueError(QueueFailure.FAILED, f"{self._subject} ended with {code}: {said}")
        reading.end()

    # Postfix's socket.

    async def _read_socket(self, take: Take) -> None:
        reader, writer = await asyncio.open_unix_connection(
            str(self._settings.effective_path), limit=PIECE_BYTES
        )
        try:
            reading = _Reading(ShowqStream(), take)
            async for piece in pieces_of(reader):
                reading.feed(piece)
            reading.end()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    # Exim's spool.

    async def _read_spool(self, take: Take) -> None:
        spool = self._settings.effective_path
        names = _header_files(str(spool / "input"))
        while batch := await asyncio.to_thread(_read_batch, str(spool / "msglog"), names):
            for entry in batch:
                if entry is not None:
                    take(entry)


class _Reading:
    """One listing as it comes. What is wrong with it is kept until its end: the rest has to be read all the same."""

    def __init__(self, listing: _Listing, take: Take) -> None:
        self._listing = listing
        self._take = take
        self._error: ListingError | None = None

    def feed(self, piece: bytes) -> None:
        if self._error is not None:
            return
        try:
            for entry in self._listing.feed(piece):
                self._take(entry)
        except ListingError as error:
            self._error = error

    def end(self) -> None:
        """Make sure that all of it was read. Raises ListingError."""
        if self._error is not None:
            raise self._error
        for entry in self._listing.end():
            self._take(entry)


# In a thread.


def _header_files(folder: str) -> Iterator[tuple[str, str]]:
    """Name the -H files by folder and message, also of a split spool; each folder is listed as it is read."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if (match := HEADER_FILE.fullmatch(entry.name)) is not None:
                yield folder, match[1]
            elif len(entry.name) == 1 and entry.is_dir(follow_symlinks=False):
                yield from _header_files(entry.path)


def _read_batch(logs: str, names: Iterator[tuple[str, str]]) -> list[QueueEntry | None]:
    """Read some messages; None for one that has left the queue meanwhile. Empty at the end."""
    return [_read_message(logs, folder, message_id) for folder, message_id in islice(names, _FILES_AT_ONCE)]


def _read_message(logs: str, folder: str, message_id: str) -> QueueEntry | None:
    # With plain strings and descriptors: of a long queue, paths and buffers as objects would be half the cost.
    try:
        content = _read_begin(f"{folder}/{message_id}-H")
        data_bytes = os.stat(f"{folder}/{message_id}-D").st_size  # noqa: PTH116
    except FileNotFoundError:
        return None
    return read_spool_header(content, message_id, data_bytes, _log_end(logs, folder, message_id))


def _read_begin(path: str) -> bytes:
    """Read the whole envelope, which mostly is short; the header after it may be cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        content = os.read(descriptor, _USUAL_BYTES)
        return content if len(content) < _USUAL_BYTES else content + os.read(descriptor, READ_BYTES)
    finally:
        os.close(descriptor)


def _log_end(logs: str, folder: str, message_id: str) -> bytes:
    """Give the end of a message's own log: where there is none, it has not been tried, or no log is kept.

    A spool that was split or joined has logs of both kinds for a while.
    """
    split = f"{logs}/{folder[-1]}/{message_id}"
    whole = f"{logs}/{message_id}"
    for path in (split, whole) if folder[-2] == "/" else (whole,):
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            size = os.fstat(descriptor).st_size
            return os.pread(descriptor, _LOG_END_BYTES, max(0, size - _LOG_END_BYTES))
        finally:
            os.close(descriptor)
    return b""


def _what_is_missing(error: FileNotFoundError) -> str:
    return f"{error.filename or 'what is to be read'} does not exist"
