"""Cutting a saved file into the messages that are in it: one message, or an mbox (RFC 4155).

In: the bytes of a file in pieces of any size. Out: its messages, each as its raw header and the beginning of its body,
both bounded; what lies beyond is passed over and never held. Line ends may be LF, CRLF or both, or CR alone throughout;
a byte order mark and UTF-16, as an editor or a shell on Windows writes them, are undone. Never raises on what it is given.

A file is an mbox when its first line begins with `From ` and is no header: then each further line of that form that
bears a date begins a message, in mboxo and in mboxrd alike, since both quote such lines in bodies. The length that
mboxcl promises is not believed. A file of any other kind is one message, whatever its body holds.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from smtp_probe.mail.syntax.fields import MAX_HEADER_BYTES, split_fields

MAX_TEXT_BYTES = 262_144
"""How much of a body is kept: enough for the reason in a bounce."""
_LINE_BYTES = 65_536
"""A longer line is taken apart: no file can make a line that fills the memory."""
_BEGINNING_BYTES = 4096
"""A file with a CR, but no LF, in so many bytes has lines that end with CR."""
_ENOUGH_TO_TELL = 512
"""A separator is recognised within so many bytes of a line."""

_FIRST_SEPARATOR = re.compile(rb"From(?![ \t]{0,16}:)(?: |\r?\n|$)")
_SEPARATOR = re.compile(
    rb"From (?:[^\r\n]{1,320}? )??[ ]*"
    rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? {1,4}(?:[A-Z][a-z]{2} {1,4}\d{1,2}|\d{1,2} [A-Z][a-z]{2})"
    rb",? {1,4}(?:\d{4} {1,4})?\d{1,2}:\d\d"
)
_UNDATED_SEPARATOR = re.compile(rb"From(?: [^ \r\n]{0,320})?[ ]?\r?\n?$")
_QUOTED_SEPARATOR = re.compile(rb">+From ")
_MAIL_FIELDS = frozenset(
    {"received", "from", "to", "cc", "date", "subject", "message-id", "return-path", "sender", "reply-to"}
    | {"delivered-to", "x-received", "mime-version", "content-type", "in-reply-to", "references"}
)
_FOREIGN_FORMATS = {
    b"\xd0\xcf\x11\xe0": "a message in Outlook's own format: save it as text (.eml)",
    b"\x1f\x8b": "compressed (gzip)",
    b"\xfd7zxz": "compressed (xz)",
    b"bzh": "compressed (bzip2)",
    b"pk\x03\x04": "a zip archive",
    b"%pdf-": "a PDF document",
    b"<html": "a web page",
    b"<!doctype": "a web page",
}
"""By the first bytes, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMessage:
    """One message of a file. `number` counts from 1. Both parts are raw and without the mbox's own line."""

    number: int
    header: bytes
    text: bytes = b""
    """The beginning of the body; in an mbox without the `>` that quotes a line."""
    is_header_cut: bool = False


def split_messages(pieces: Iterable[bytes]) -> Iterator[SavedMessage]:
    """Give the messages of a file one by one. An empty file has none. Reads no further than it must."""
    collector: _Collector | None = None
    is_after_empty = False
    accepts_undated = False
    for begins, line in _cut_lines(_decode(pieces)):
        is_empty = begins and not line.strip(b"\r\n")
        if collector is None:
            if is_empty:
                continue  # what a person pastes often begins with an empty line
            is_mbox = _FIRST_SEPARATOR.match(line) is not None
            accepts_undated = is_mbox and not _SEPARATOR.match(line)
            collector = _Collector(1, is_mbox=is_mbox)
            if is_mbox:
                continue
        elif begins and collector.is_mbox and _separates(line, undated=accepts_undated and is_after_empty):
            yield collector.finish()
            collector = _Collector(collector.number + 1, is_mbox=True)
            continue
        collector.take(line, begins=begins, is_empty=is_empty)
        is_after_empty = is_empty
        if collector.is_sated:
            break
    if collector is not None:
        yield collector.finish()


def has_mail_header(header: bytes) -> bool:
    """Whether at least one field is of those that mail has: a letter may begin with `Note:` as well."""
    return any(name in _MAIL_FIELDS for name, _ in split_fields(header))


def name_foreign_format(beginning: bytes) -> str | None:
    """Name what a file without mail is instead, where its first bytes say so."""
    start = beginning.lstrip()[:16].lower()
    return next((name for sign, name in _FOREIGN_FORMATS.items() if start.startswith(sign)), None)


class _Collector:
    """Gathers the lines of one message, up to the bounds."""

    def __init__(self, number: int, *, is_mbox: bool) -> None:
        self.number = number
        self.is_mbox = is_mbox
        self._header: list[bytes] = []
        self._text: list[bytes] = []
        self._header_room = MAX_HEADER_BYTES
        self._text_room = MAX_TEXT_BYTES
        self._is_in_body = False
        self._is_header_cut = False

    @property
    def is_sated(self) -> bool:
        """Whether nothing that may still come is of interest."""
        if self.is_mbox:
            return False
        return self._text_room <= 0 or self._is_header_cut

    def take(self, line: bytes, *, begins: bool, is_empty: bool) -> None:
        """Take in a line, or a piece of one; `begins` tells its first."""
        if not self._is_in_body:
            if is_empty:
                self._is_in_body = True
            self._take_header(line)
        elif self._text_room > 0:
            is_quoted = self.is_mbox and begins and _QUOTED_SEPARATOR.match(line)
            plain = line[1:] if is_quoted else line
            self._text.append(plain[: self._text_room])
            self._text_room -= len(plain)

    def finish(self) -> SavedMessage:
        """Give what was gathered."""
        return SavedMessage(
            number=self.number,
            header=b"".join(self._header),
            text=b"".join(self._text),
            is_header_cut=self._is_header_cut,
        )

    def _take_header(self, line: bytes) -> None:
        self._is_header_cut = self._is_header_cut or len(line) > self._header_room
        self._header.append(line[: self._header_room])
        self._header_room -= len(self._header[-1])


def _separates(line: bytes, *, undated: bool) -> bool:
    """Whether a line begins the next message. One without a date does only in a file that began with such a one."""
    if not line.startswith(b"From"):
        return False
    return _SEPARATOR.match(line[:_ENOUGH_TO_TELL]) is not None or (
        undated and _UNDATED_SEPARATOR.match(line[:_ENOUGH_TO_TELL]) is not None
    )


def _cut_lines(pieces: Iterable[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Give each line with its end, and whether it is the beginning of one; a line that is too long in several pieces."""
    begins, rest = True, b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield begins, line + b"\n"
            begins = True
        if len(rest) > _LINE_BYTES:
            yield begins, rest
            begins, rest = False, b""
    if rest:
        yield begins, rest


def _decode(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Give the pieces as bytes of mail: without a byte order mark, UTF-16 as UTF-8, and the line ends of old Macs as LF."""
    source = iter(pieces)
    first = b""
    for piece in source:
        first += piece
        if len(first) >= _BEGINNING_BYTES or (len(first) >= len(codecs.BOM_UTF8) and b"\n" in first):
            break
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoder = codecs.getincrementaldecoder("utf-16")("replace")
        yield decoder.decode(first).encode("utf-8", "replace")
        for piece in source:
            yield decoder.decode(piece).encode("utf-8", "replace")
        return
    beginning = first[:_BEGINNING_BYTES]
    if b"\r" in beginning and b"\n" not in beginning:
        first = first.replace(b"\r", b"\n")
        source = (piece.replace(b"\r", b"\n") for piece in source)
    yield first.removeprefix(codecs.BOM_UTF8)
    yield from source
