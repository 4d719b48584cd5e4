"""`postqueue -j` of Postfix 3.1 and later: one JSON object a line.

In: the output in pieces. Out: entries. What is no such object ends the reading with `ListingError`: a listing that is
understood in part would be a count that is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from smtp_probe.mail.queue_listing.lines import Splitter
from smtp_probe.mail.queue_listing.states import ListingError, postfix_state
from smtp_probe.model import QueuedRecipient, QueueEntry


class PostqueueJson:
    """Reads one listing."""

    def __init__(self) -> None:
        self._lines = Splitter(b"\n")

    def feed(self, piece: bytes) -> Iterator[QueueEntry]:
        """Give the entries that are whole now. Raises ListingError."""
        for line in self._lines.feed(piece):
            if self._lines.was_cut:
                raise ListingError("an entry is too long to be read")
            if line.strip():
                yield _read_entry(line)

    def end(self) -> Iterator[QueueEntry]:
        """Make sure that the listing is whole. Raises ListingError."""
        if self._lines.rest.strip():
            raise ListingError("the listing breaks off in the middle of an entry")
        yield from ()


def _read_entry(line: bytes) -> QueueEntry:
    try:
        # Postfix writes addresses as they are: they need not be UTF-8.
        found: dict[str, Any] = json.loads(line.decode("utf-8", "replace"))
        return QueueEntry(
            queue_id=str(found["queue_id"]),
            state=postfix_state(str(found["queue_name"])),
            arrived_seconds=int(found["arrival_time"]),
            size_bytes=int(found["message_size"]),
            sender=_sender(str(found["sender"])),
            recipients=tuple(
                QueuedRecipient(str(each["address"]), str(each.get("delay_reason", "")))
                for each in found.get("recipients", ())
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ListingError("a line is not an entry as postqueue -j writes it") from error


def _sender(sender: str) -> str:
    """Give the envelope sender; Postfix calls the empty one by a name."""
    return "" if sender == "MAILER-DAEMON" else sender
