"""One message in Exim's spool: the file `input/ID-H`, the size of its `ID-D`, and the end of `msglog/ID`.

In: the bytes. Out: an entry, with what `exim -bp` does not tell: whether the message has been tried, and why it waits.
Only the envelope is read; the header of the message, which follows it, is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from smtp_probe.mail.queue_listing.exim_listing import EXIM_ID, arrival_of
from smtp_probe.mail.queue_listing.states import ListingError
from smtp_probe.model import QueuedRecipient, QueueEntry, QueueState

HEADER_FILE = re.compile(rf"({EXIM_ID})-H")
READ_BYTES = 1_048_576
"""Of the -H file: its envelope comes first."""
_MOST_RECIPIENTS = 50_000
_TREE_LINE = re.compile(r"[YN]{2} (?P<address>.+)")


def read_spool_header(
    content: bytes, message_id: str, data_bytes: int, message_log: bytes = b""
) -> QueueEntry:
    """Read the envelope of one message. Raises ListingError where it is not as Exim writes it."""
    lines = iter(content.decode("utf-8", "replace").split("\n"))
    try:
        if next(lines) != f"{message_id}-H":
            raise ListingError("a spool file does not begin with its own name")
        next(lines)  # the user who handed it in
        sender = next(lines).removeprefix("<").removesuffix(">")
        next(lines)  # the time of arrival; it is in the id as well
        is_frozen, is_new, first = _read_options(lines)
        done = _read_tree(lines, first)
        recipients = list(_read_recipients(lines))
    except (StopIteration, ValueError, RuntimeError) as error:
        raise ListingError("a spool file breaks off in its envelope") from error
    reason = last_deferral(message_log)
    state = QueueState.HOLD if is_frozen else QueueState.INCOMING if is_new else QueueState.DEFERRED
    return QueueEntry(
        queue_id=message_id,
        state=state,
        arrived_seconds=arrival_of(message_id),
        size_bytes=data_bytes,
        sender=sender,
        recipients=tuple(QueuedRecipient(each, reason) for each in recipients if each.lower() not in done),
    )


def last_deferral(message_log: bytes) -> str:
    """Give the reason of the last attempt that failed for now, from the end of a message's own log."""
    for line in reversed(message_log.decode("utf-8", "replace").splitlines()):
        _, found, reason = line.partition(" defer (")
        if found:
            return reason.partition("): ")[2] or reason
    return ""


def _read_options(lines: Iterator[str]) -> tuple[bool, bool, str]:
    """Give whether it is frozen, whether it was never tried, and the first line after the options."""
    is_frozen = is_new = False
    for line in lines:
        if not line.startswith("-"):
            return is_frozen, is_new, line
        is_frozen = is_frozen or line.startswith("-frozen")
        is_new = is_new or line == "-deliver_firsttime"
    raise ListingError("a spool file breaks off in its envelope")


def _read_tree(lines: Iterator[str], first: str) -> set[str]:
    """Read the addresses that were reached already: `XX` for none, or a tree in preorder, whose marks say which
    branches follow.
    """
    done: set[str] = set()
    if first == "XX":
        return done
    waiting, line = 1, first
    while True:
        found = _TREE_LINE.fullmatch(line)
        if found is None or len(done) > _MOST_RECIPIENTS:
            raise ListingError("the list of reached addresses is not as Exim writes it")
        done.add(found["address"].lower())
        waiting += line[:2].count("Y") - 1
        if waiting == 0:
            return done
        line = next(lines)


def _read_recipients(lines: Iterator[str]) -> Iterator[str]:
    count = int(next(lines))
    if not 0 <= count <= _MOST_RECIPIENTS:
        raise ListingError("a spool file names too many recipients")
    for _ in range(count):
        # One that an alias made has numbers after it.
        yield next(lines).partition(" ")[0]
