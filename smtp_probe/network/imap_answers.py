"""What IMAP answers say (RFC 3501 section 7): whole answers in, plain values out.

Pure and total: whatever the server wrote, nothing is raised; an answer that cannot be read is None, and the caller
decides what that means. Linear in time, with a bound on nesting. Does no I/O and knows no command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from smtp_probe.mail.placement import FolderEntry
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import QuotaUse
from smtp_probe.network.imap_wire import Answer

MAXIMUM_UID = 2**32 - 1
_MAXIMUM_DEPTH = 32
_MAXIMUM_TOKENS = 10_000
_MAXIMUM_PARTS = 101
_MAXIMUM_UIDS = 300_000
_NUMBER_DIGITS = 20

Value = bytes | None | list["Value"]
"""A string or atom, NIL, or a parenthesised list."""

_TOKEN = re.compile(rb'[ \t]*(?:([()])|"((?:[^"\\]|\\.)*)"|((?:[^ \t()\[\]"]|\[[^\]]*\])+))')
_NAME_TOKEN = re.compile(rb'[ \t]*(?:([()])|"((?:[^"\\]|\\.)*)"|([^ \t()"]+))')
"""Where names of folders stand, a bracket is a character like any other: Cyrus writes `a]b` and `a[b` unquoted."""
_ESCAPED = re.compile(rb"\\(.)")
_STATUS_CODE = re.compile(rb"\[([^\] ]+)(?: ([^\]]*))?\] ?")
_INTERNALDATE = re.compile(rb"([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"), 1
    )
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Status:
    """What follows OK, NO, BAD, BYE or PREAUTH: a response code, its arguments, and free text."""

    code: str = ""
    arguments: bytes = b""
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What FETCH told of one message. `items` are by upper-case name; a section keeps its brackets."""

    uid: int
    items: Mapping[str, Value]
    arrived_ns: int

    @property
    def internaldate_ns(self) -> int | None:
        """INTERNALDATE, on the server's clock."""
        return parse_internaldate(self.items.get("INTERNALDATE"))

    def content(self, section: str, offset: int = 0) -> bytes | None:
        """The bytes of `BODY[section]` from this offset on; None when the answer does not have them at all."""
        names = [f"BODY[{section}]<{offset}>"] + ([f"BODY[{section}]"] if offset == 0 else [])
        for name in names:
            if name in self.items:
                value = self.items[name]
                return value if isinstance(value, bytes) else b""
        return None

    def number(self, name: str) -> int | None:
        """One item as a number."""
        return parse_number(self.items.get(name))

    def atom(self, name: str, limit: int = 128) -> str | None:
        """One item as short printable text."""
        value = self.items.get(name)
        if not isinstance(value, bytes) or not 0 < len(value) <= limit:
            return None
        return value.decode("ascii") if value.isascii() and value.decode("ascii").isprintable() else None


def parse_number(value: Value) -> int | None:
    """Read a number of at most 20 digits."""
    if isinstance(value, bytes) and value.isdigit() and len(value) <= _NUMBER_DIGITS:
        return int(value)
    return None


def parse_status(text: bytes) -> Status:
    """Read `[CODE arguments] text`."""
    match = _STATUS_CODE.match(text)
    if match is None:
        return Status(text=text)
    code = match[1].decode("ascii", "replace").upper()
    return Status(code, match[2] or b"", text[match.end() :])


def parse_values(
    parts: Sequence[bytes], skip: int = 0, token: re.Pattern[bytes] = _TOKEN
) -> list[Value] | None:
    """Read the data of an answer from byte `skip` of its line. None where the syntax is broken."""
    top: list[Value] = []
    stack = [top]
    if len(parts) > _MAXIMUM_PARTS:
        return None
    for index, part in enumerate(parts):
        if index % 2:
            stack[-1].append(part)
        elif not _read_text(part, skip if index == 0 else 0, stack, token):
            return None
    return top if len(stack) == 1 else None


def _read_text(text: bytes, position: int, stack: list[list[Value]], token: re.Pattern[bytes]) -> bool:
    """Add the tokens of one piece of text to the list that is open; False where the syntax is broken."""
    end = len(text.rstrip())
    for _ in range(_MAXIMUM_TOKENS):
        if position >= end:
            return True
        match = token.match(text, position)
        if match is None:
            return False
        position = match.end()
        parenthesis, quoted, atom = match.groups()
        if parenthesis == b"(":
            opened: list[Value] = []
            stack[-1].append(opened)
            stack.append(opened)
        elif parenthesis == b")":
            stack.pop()
        elif quoted is not None:
            stack[-1].append(_ESCAPED.sub(rb"\1", quoted))
        else:
            stack[-1].append(None if atom.upper() == b"NIL" else atom)
        if not 0 < len(stack) <= _MAXIMUM_DEPTH:
            return False
    return position >= end


def parse_fetches(answers: Iterable[Answer]) -> dict[int, Fetched] | None:
    """Read all FETCH answers among `answers`, merged for each UID; None where one cannot be read.

    An answer without a UID is somebody's change of flags, and left out. A later answer adds to an earlier one for
    the same message, and never takes content away: a server may send flags before and after what was asked for.
    """
    merged: dict[int, Fetched] = {}
    for answer in answers:
        words = answer.line.split(b" ", 3)
        if len(words) < 4 or words[2].upper() != b"FETCH":
            continue
        items = _read_items(answer, len(answer.line) - len(words[3]))
        if items is None:
            return None
        if "UID" not in items:
            continue
        uid = parse_number(items["UID"])
        if uid is None or not 0 < uid <= MAXIMUM_UID:
            return None
        before = merged.get(uid)
        known = {**before.items, **items} if before else items
        merged[uid] = Fetched(uid, known, before.arrived_ns if before else answer.arrived_ns)
    return merged


def _read_items(answer: Answer, skip: int) -> dict[str, Value] | None:
    values = parse_values(answer.parts, skip)
    if values is None or len(values) != 1 or not isinstance(values[0], list) or len(values[0]) % 2:
        return None
    names, contents = values[0][::2], values[0][1::2]
    items: dict[str, Value] = {}
    for name, content in zip(names, contents, strict=True):
        if not isinstance(name, bytes):
            return None
        items[name.decode("ascii", "replace").upper()] = content
    return items


def parse_folders(answers: Iterable[Answer]) -> list[FolderEntry] | None:
    """Read all LIST answers among `answers`, names as the server spells them; None where one cannot be read."""
    entries = []
    for answer in answers:
        if answer.line[2:7].upper() != b"LIST ":
            continue
        values = parse_values(answer.parts, 7, _NAME_TOKEN)
        if values is None or len(values) < 3:
            return None
        flags, name = values[0], values[2]
        if not isinstance(flags, list) or not isinstance(name, bytes):
            return None
        attributes = tuple(flag.decode("ascii", "replace") for flag in flags if isinstance(flag, bytes))
        entries.append(FolderEntry(name.decode("utf-8", "replace"), attributes))
    return entries


def parse_quotas(answers: Iterable[Answer]) -> list[QuotaUse]:
    """Read all QUOTA answers (RFC 9208 section 4.2.1); what cannot be read is left out."""
    found = []
    for answer in answers:
        if answer.line[2:8].upper() != b"QUOTA ":
            continue
        values = parse_values(answer.parts, 8) or []
        triples = values[1] if len(values) == 2 and isinstance(values[1], list) else []
        for resource, used, limit in zip(triples[::3], triples[1::3], triples[2::3], strict=False):
            counts = parse_number(used), parse_number(limit)
            if isinstance(resource, bytes) and counts[0] is not None and counts[1] is not None:
                name = sanitise(resource, 40)
                found.append(QuotaUse(resource=name, used=counts[0], limit=counts[1]))
    return found


def parse_rights(answers: Iterable[Answer]) -> str | None:
    """Read the letters of a MYRIGHTS answer (RFC 4314 section 3.8); None where there is none."""
    for answer in answers:
        if answer.line[2:11].upper() == b"MYRIGHTS ":
            values = parse_values(answer.parts, 11, _NAME_TOKEN) or []
            if len(values) == 2 and isinstance(values[1], bytes):
                return sanitise(values[1], 60)
    return None


def parse_search(answers: Iterable[Answer]) -> list[int] | None:
    """Read the UIDs of SEARCH (RFC 3501) and ESEARCH (RFC 4731) answers, ascending; None if unreadable."""
    found: set[int] = set()
    for answer in answers:
        if answer.line.count(b" ") > _MAXIMUM_UIDS:
            return None
        words = answer.line.partition(b" (MODSEQ")[0].split()  # RFC 7162 appends one to SEARCH
        kind = words[1].upper() if len(words) > 1 else b""
        if kind == b"SEARCH":
            uids = _read_uids(words[2:])
        elif kind == b"ESEARCH":
            uids = _read_extended_search(answer)
        else:
            continue
        if uids is None or len(found) + len(uids) > _MAXIMUM_UIDS:
            return None
        found.update(uids)
    return sorted(found)


def _read_uids(words: Sequence[bytes]) -> list[int] | None:
    numbers = [parse_number(word) for word in words]
    uids = [number for number in numbers if number is not None and 0 < number <= MAXIMUM_UID]
    return uids if len(uids) == len(numbers) else None


def _read_extended_search(answer: Answer) -> list[int] | None:
    """The set after ALL in `* ESEARCH (TAG "A1") UID ALL 4:6,9`; no ALL is an empty result."""
    values = parse_values(answer.parts, len(b"* ESEARCH"))
    if values is None:
        return None
    words = [value.upper() if isinstance(value, bytes) else b"" for value in values]
    if b"ALL" not in words:
        return []
    position = words.index(b"ALL") + 1
    return expand_uids(words[position]) if position < len(words) else None


def expand_uids(uid_set: bytes) -> list[int] | None:
    """Read `4:6,9` as numbers; None where it is broken or names too many messages."""
    uids: list[int] = []
    for piece in uid_set.split(b","):
        ends = [parse_number(end) for end in piece.split(b":")]
        numbers = sorted(end for end in ends if end is not None and 0 < end <= MAXIMUM_UID)
        if len(numbers) != len(ends) or len(ends) > 2:
            return None
        if len(uids) + numbers[-1] - numbers[0] >= _MAXIMUM_UIDS:
            return None
        uids.extend(range(numbers[0], numbers[-1] + 1))
    return uids


def parse_internaldate(value: Value) -> int | None:
    """Read INTERNALDATE (`17-Jul-1996 02:44:25 -0700`) as nanoseconds since the epoch, on the server's clock."""
    match = _INTERNALDATE.fullmatch(value) if isinstance(value, bytes) else None
    month = _MONTHS.get(match[2].lower()) if match else None
    if match is None or month is None:
        return None
    day, year, hour, minute, second, zone_hour, zone_minute = map(int, match.group(1, 3, 4, 5, 6, 8, 9))
    offset = timedelta(hours=zone_hour, minutes=zone_minute) * (-1 if match[7] == b"-" else 1)
    try:
        # A leap second (:60) is taken as the second before it: datetime knows none.
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone(offset))
        return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
    except (ValueError, OverflowError):
        return None


def parse_announced_number(answers: Iterable[Answer], code: str) -> int | None:
    """Read the number in a response code such as `* OK [UIDNEXT 7] ...` among `answers`; the last one counts."""
    number = None
    for answer in answers:
        kind, _, rest = answer.line[2:].partition(b" ")
        if kind.upper() == b"OK":
            status = parse_status(rest)
            if status.code == code:
                number = parse_number(status.arguments)
    return number
