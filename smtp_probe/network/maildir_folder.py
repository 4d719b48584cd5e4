"""One folder of a Maildir on the disk: its messages by numbers of our own, read and removed.

In: the directory that has `new` and `cur` in it. Out: values, or OSError. Everything here waits for the disk: it is to be
called in a thread, one call at a time (`maildir`). Rules:

1. A message is known by the unique part of its file's name, whatever its flags, and keeps its number.
2. Only regular files are read: no link is followed, and no pipe waited for.
3. A file is removed only while it is the one that was read.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smtp_probe.mail.maildir import PARTS, named_second, unique_name

_FORGET_SECONDS = 600.0
"""A name that is not listed any more keeps its number for so long: a listing may miss a file that is being renamed."""
_SETTLED_SECONDS = 2.0
"""The coarsest stamp that a file system has (FAT): within it a directory may change and look unchanged."""
_PIECE_BYTES = 16_384
_LONGEST_HEADER_BYTES = 65_536
_LINE_END = re.compile(rb"\r?\n")
_GZIP = b"\x1f\x8b"
_UNREADABLE = {
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ\x00": "compressed with xz",
    b"Dovecot-LZ4": "compressed with lz4",
    b"CRYPTED\x03\x07": "encrypted",
}
"""What Dovecot's plug-ins may make of a message, by how the file begins. Gzip is read."""


class UnreadableMessage(OSError):  # noqa: N818 - it says what is the case
    """A message is stored in a form that we do not read: none of ours could be found here."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where a message is now: `new` or `cur`, and the name there."""

    part: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """What was read of a message, with the line ends of mail (CRLF), and what the file says of itself."""

    text: bytes
    size_bytes: int
    modified_ns: int


class MaildirFolder:
    """Messages by number. `next_number` is the first that has not been given out."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.next_number = 1
        self._files: dict[int, StoredFile] = {}
        self._numbers: dict[str, int] = {}
        self._absent_since: dict[str, float] = {}
        self._read: dict[int, tuple[int, int]] = {}
        """Device and inode of the files that were read."""
        self._seen: tuple[tuple[int, int, int], ...] = ()
        self._seen_since = 0.0
        self._listed_at = 0.0

    def list(self) -> Sequence[int]:
        """The numbers of all messages, ascending. Raises OSError where one of the two parts cannot be read."""
        stamps = tuple(self._stamp(part) for part in PARTS)
        now = time.monotonic()
        if stamps != self._seen:
            self._seen, self._seen_since = stamps, now
        elif self._listed_at - self._seen_since > _SETTLED_SECONDS:
            return sorted(self._files)
        found: dict[str, StoredFile] = {}
        for part in PARTS:
            for name in os.listdir(self.directory / part):  # noqa: PTH208 - names are wanted, a hundred thousand maybe
                if not name.startswith("."):
                    found[unique_name(name)] = StoredFile(part, name)
        self._number(found, now)
        self._listed_at = now
        return sorted(self._files)

    def _stamp(self, part: str) -> tuple[int, int, int]:
        """Tell one state of a directory from another. Opened, so that a network file system asks its server."""
        descriptor = os.open(self.directory / part, os.O_RDONLY | os.O_DIRECTORY)
        try:
            known = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        return known.st_dev, known.st_ino, known.st_mtime_ns

    def _number(self, found: dict[str, StoredFile], now: float) -> None:
        for unique in sorted(found.keys() - self._numbers.keys(), key=_age):
            self._numbers[unique] = self.next_number
            self.next_number += 1
        self._files = {self._numbers[unique]: file for unique, file in found.items()}
        for unique in self._numbers.keys() - found.keys():
            if now - self._absent_since.setdefault(unique, now) > _FORGET_SECONDS:
                del self._absent_since[unique]
                self._read.pop(self._numbers.pop(unique), None)
        for unique in self._absent_since.keys() & found.keys():
            del self._absent_since[unique]

    def unique(self, number: int) -> str:
        """The part of a listed message's name that never changes."""
        return unique_name(self._files[number].name)

    def read(self, number: int, limit_bytes: int | None = None) -> ReadFile | None:
        """The message up to so many bytes, or its header; None where it is gone, or no file.

        Raises OSError; `UnreadableMessage` for one that is stored encrypted, or compressed in a way that we do not know.
        """
        for _ in range(2):
            file = self._files.get(number)
            if file is None:
                return None
            try:
                return self._read_file(number, self.directory / file.part / file.name, limit_bytes)
            except FileNotFoundError:
                self._listed_at = self._seen_since  # it has been renamed meanwhile, or is gone: look again
                self.list()
        return None

    def _read_file(self, number: int, path: Path, limit_bytes: int | None) -> ReadFile | None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                return None
            raise
        known = os.fstat(descriptor)
        if not stat.S_ISREG(known.st_mode):
            os.close(descriptor)
            return None
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            start = file.read(_PIECE_BYTES)
            for mark, words in _UNREADABLE.items():
                if start.startswith(mark):
                    raise UnreadableMessage(errno.EINVAL, f"a message is {words}", str(path))
            unpack = zlib.decompressobj(31) if start.startswith(_GZIP) else None
            text = bytearray()
            limit = _LONGEST_HEADER_BYTES if limit_bytes is None else limit_bytes
            while start and len(text) < limit:
                text += _unpack(unpack, start, limit - len(text), path)
                if limit_bytes is None and _has_whole_header(text):
                    break
                start = file.read(_PIECE_BYTES)
        self._read[number] = known.st_dev, known.st_ino
        return ReadFile(
            text=_LINE_END.sub(b"\r\n", bytes(text[:limit])),
            size_bytes=known.st_size,
            modified_ns=known.st_mtime_ns,
        )

    def remove(self, numbers: Sequence[int]) -> None:
        """Delete these messages, each only while it is the file that was read. Raises OSError."""
        self._listed_at = self._seen_since
        listed = set(self.list())
        for number in numbers:
            if number in listed and number in self._read:
                file = self._files[number]
                path = self.directory / file.part / file.name
                try:
                    known = path.lstat()
                    if (known.st_dev, known.st_ino) == self._read[number]:
                        path.unlink()
                except FileNotFoundError:
                    continue  # somebody was quicker; a renamed one is looked for again with the next sweep


def _age(unique: str) -> tuple[int, str]:
    """Order what is new as it was delivered."""
    return named_second(unique) or 0, unique


def _has_whole_header(text: bytearray) -> bool:
    return b"\n\n" in text or b"\n\r\n" in text


def _unpack(unpack: zlib._Decompress | None, piece: bytes, room: int, path: Path) -> bytes:
    if unpack is None:
        return piece
    try:
        return unpack.decompress(piece, room)
    except zlib.error:
        raise UnreadableMessage(errno.EINVAL, "a message is compressed and damaged", str(path)) from None
