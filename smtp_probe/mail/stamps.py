"""When a message was stored: from the best stamp that the mailbox offers and that can be believed.

In: a message as the mailbox shows it, and when its last byte left us. Out: an instant, where it came from, and how
finely it is known. The stamps are of a foreign clock. What our own clock knows for certain is that a message was
stored after its final dot and before we saw it; a stamp outside that window shows that the two clocks disagree,
and is not believed. Estimates no clock's offset: a stamp inside the window may still be wrong by less than its width
(`clocks` puts that right, where the whole way of the message is known).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from smtp_probe.model import MailboxMessage, Stamp

_SECOND_NS = 1_000_000_000
_MICROSECOND_SECONDS = 1e-6
_MILLISECOND_SECONDS = 1e-3
_FILE_TIME_SECONDS = 1e-2
"""The kernel dates files by its ticks: a hundred a second at least."""
_WRITING_NS = 60 * 1_000_000_000
"""A file whose last change is further from the second in its name was not dated by the delivery."""
_CLOCK_SECONDS = 1e-9
"""How finely our own clock reads. The instant of seeing is an upper bound of the storing all the same."""
_EARLIEST_NS = int(datetime(2005, 1, 1, tzinfo=UTC).timestamp()) * _SECOND_NS
_LATEST_NS = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * _SECOND_NS

_DOVECOT_GUID = re.compile(r"[0-9A-Fa-f]{32}")
_MAILDIR_NAME = re.compile(
    r"([0-9]{9,10})\.(?:(?:[#XRPQVI][0-9A-Fa-f]{1,20}){0,8}M([0-9]{1,6})(?=[#XRPQVI_.])|H([0-9]{1,6})P(?=[0-9]))\S{1,300}"
)
"""`seconds.unique.host`: the microseconds stand behind the M of the unique part, before or after its other letters. Exim
writes them behind an H, and its process behind a P."""


def guid_instant_ns(guid: str) -> tuple[int, float] | None:
    """Read the instant in Dovecot's X-GUID: (nanoseconds on the server's clock, resolution in seconds).

    There are two forms: 16 bytes in hexadecimal, which begin with the nanoseconds and the seconds as little-endian
    32-bit numbers, and the base name of a maildir file (`seconds.MmicrosecondsPpid.host`; Postfix puts the M last). None
    for any other form, and for an instant outside the years 2005 to 2099: the GUID is random then.
    """
    if _DOVECOT_GUID.fullmatch(guid):
        raw = bytes.fromhex(guid)
        seconds, fraction_ns = int.from_bytes(raw[4:8], "little"), int.from_bytes(raw[:4], "little")
    elif match := _MAILDIR_NAME.fullmatch(guid):
        seconds, fraction_ns = int(match[1]), int(match[2] or match[3]) * 1000
    else:
        return None
    instant_ns = seconds * _SECOND_NS + fraction_ns
    if fraction_ns >= _SECOND_NS or not _is_sane(instant_ns):
        return None
    return instant_ns, _MICROSECOND_SECONDS


def gmail_instant_ns(msgid: int) -> int | None:
    """Read the instant in Gmail's X-GM-MSGID, whose upper 44 bits are milliseconds since the epoch.

    Google does not document this; ids of known mails bear it out. None outside the years 2005 to 2099.
    """
    instant_ns = (msgid >> 20) * 1_000_000
    return instant_ns if _is_sane(instant_ns) else None


def choose_stored(message: MailboxMessage, final_dot_ns: int | None) -> tuple[int, Stamp, float]:
    """Choose when the message was stored: (nanoseconds, source, resolution in seconds).

    1. X-GUID, the name or the time of a Maildir's file, or X-GM-MSGID, where it lies between the final dot and our seeing the message, and not long before our
       last look at the folder without it: a server stamps a message before it shows it, but not a second before.
    2. INTERNALDATE, where its whole second ended before we saw the message and did not end before the final dot:
       the middle of what the window leaves of the second. Not where a finer stamp lies outside the window: the same
       clock wrote both, and it has just been found wrong. And not where we had looked within the second before and
       the message was not there: then we know better than a stamp of whole seconds.
    3. Our seeing the message, which is never too early.

    Without a final dot there is no window, and only the third is left.
    """
    seen = (message.seen_ns, Stamp.SEEN, _CLOCK_SECONDS)
    if final_dot_ns is None:
        return seen
    precise = _read_precise(message)
    if precise is not None:
        earliest_ns = max(final_dot_ns, (message.absent_ns or 0) - _SECOND_NS)
        return precise if earliest_ns <= precise[0] <= message.seen_ns else seen
    if message.internaldate_ns is None or _was_absent_just_before(message):
        return seen
    end_ns = message.internaldate_ns + _SECOND_NS
    if not final_dot_ns < end_ns < message.seen_ns:
        return seen
    start_ns = max(message.internaldate_ns, final_dot_ns)
    return (start_ns + end_ns) // 2, Stamp.INTERNALDATE, 1.0


def read_clock(message: MailboxMessage) -> tuple[int, Stamp, float] | None:
    """Give what the mailbox's clock showed when it stored the message, believed or not, by what, and how finely."""
    precise = _read_precise(message)
    if precise is not None:
        return precise
    return None if message.internaldate_ns is None else (message.internaldate_ns, Stamp.INTERNALDATE, 1.0)


def _was_absent_just_before(message: MailboxMessage) -> bool:
    return message.absent_ns is not None and message.seen_ns - message.absent_ns <= _SECOND_NS


def _read_precise(message: MailboxMessage) -> tuple[int, Stamp, float] | None:
    guid = guid_instant_ns(message.guid) if message.guid is not None else None
    if guid is not None:
        return guid[0], Stamp.GUID if message.file_time_ns is None else Stamp.FILE_NAME, guid[1]
    if _is_dated_by_delivery(message):
        assert message.file_time_ns is not None
        return message.file_time_ns, Stamp.FILE_TIME, _FILE_TIME_SECONDS
    gmail_ns = gmail_instant_ns(message.gmail_msgid) if message.gmail_msgid is not None else None
    if gmail_ns is not None:
        return gmail_ns, Stamp.GMAIL, _MILLISECOND_SECONDS
    return None


def _is_dated_by_delivery(message: MailboxMessage) -> bool:
    """Whether a file's time is finer than the second in its name, and goes with it."""
    written_ns, named_ns = message.file_time_ns, message.internaldate_ns
    if written_ns is None or named_ns is None or written_ns % _SECOND_NS == 0:
        return False
    return 0 <= written_ns - named_ns <= _WRITING_NS


def _is_sane(instant_ns: int) -> bool:
    return _EARLIEST_NS <= instant_ns < _LATEST_NS
