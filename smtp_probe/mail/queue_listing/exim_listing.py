"""`exim -bp`: a line for each message, and one for each recipient, for people to read.

In: the output in pieces. Out: entries. Ages and sizes are rounded (`25m`, `2.9K`), so the arrival is taken from the
message id, whose first six characters are the second in base 62. Tells frozen messages from others and nothing else: no
reason, and not whether a message has been tried. A recipient with a D before it has been reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from smtp_probe.mail.queue_listing.lines import Splitter
from smtp_probe.mail.queue_listing.states import ListingError
from smtp_probe.model import QueuedRecipient, QueueEntry, QueueState

EXIM_ID = r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}"
_MESSAGE = re.compile(
    rf" *(?P<age>\d+[mhdw]) +(?P<size>[0-9.]+[KMG]?|\*+)? *(?P<id>{EXIM_ID})"
    r"(?:(?: \([^)]*\))? <(?P<sender>[^>]*)>)?(?P<rest> .*|)"
)
_DAMAGED = re.compile(r" *\*\*\* spool (?:format|read) error.*\*\*\*.*")
"""Below a message whose files Exim cannot read: one that a full disk left empty must not hide the others."""
_RECIPIENT = re.compile(r"(?: {6,10}(?P<mark>\+?[D ]) | {8,12})(?P<address>\S.*)")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}
_MOST_RECIPIENTS = 100_000


def arrival_of(message_id: str) -> int:
    """Give the second, since the epoch, in which Exim made a message id (base 62)."""
    seconds = 0
    for character in message_id[:6]:
        seconds = seconds * 62 + _DIGITS.index(character)
    return seconds


class EximListing:
    """Reads one listing."""

    def __init__(self) -> None:
        self._lines = Splitter(b"\n")
        self._entry: QueueEntry | None = None
        self._recipients: list[QueuedRecipient] = []

    def feed(self, piece: bytes) -> Iterator[QueueEntry]:
        """Give the entries that are whole now. Raises ListingError."""
        for line in self._lines.feed(piece):
            if self._lines.was_cut:
                raise ListingError("a line is too long to be read")
            yield from self._take(line.decode("utf-8", "replace").rstrip("\r"))

    def end(self) -> Iterator[QueueEntry]:
        """Give the last entry. Raises ListingError where the listing is not whole."""
        if self._lines.rest.strip():
            raise ListingError("the listing breaks off in the middle of a line")
        yield from self._finish()

    def _take(self, line: str) -> Iterator[QueueEntry]:
        if not line.strip():
            yield from self._finish()
        elif (message := _MESSAGE.fullmatch(line)) is not None:
            yield from self._finish()
            self._entry = _read_message(message)
        elif self._entry is not None and (recipient := _RECIPIENT.fullmatch(line)) is not None:
            if "D" not in (recipient["mark"] or "") and len(self._recipients) < _MOST_RECIPIENTS:
                self._recipients.append(QueuedRecipient(recipient["address"]))
        elif self._entry is None or _DAMAGED.fullmatch(line) is None:
            raise ListingError("a line is not as exim -bp writes it")

    def _finish(self) -> Iterator[QueueEntry]:
        entry, self._entry = self._entry, None
        recipients, self._recipients = tuple(self._recipients), []
        if entry is not None:
            yield replace(entry, recipients=recipients)


def _read_message(message: re.Match[str]) -> QueueEntry:
    size = message["size"] or "0"
    unit = _UNITS.get(size[-1], 1)
    try:
        size_bytes = round(float(size.rstrip("KMG*") or 0) * unit)
    except ValueError as error:
        raise ListingError("a size is not as exim -bp writes it") from error
    return QueueEntry(
        queue_id=message["id"],
        state=QueueState.HOLD if "*** frozen ***" in message["rest"] else QueueState.QUEUED,
        arrived_seconds=arrival_of(message["id"]),
        size_bytes=size_bytes,
        sender=message["sender"] or "",
    )
