"""The protocol of Postfix's showq service, as `postqueue` itself reads it from the socket `public/showq`.

In: the stream in pieces. Out: entries. Since Postfix 3.1 the stream is a series of attributes, each a name and a value
that end in NUL; an empty name ends a list. One list is an entry or the greeting of the service (3.6 and later:
`protocol`); the last list is empty. Numbers are decimal. A recipient begins with an `original_recipient` or a
`recipient`; everything after it and before the next one is about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtp_probe.mail.queue_listing.lines import Splitter
from smtp_probe.mail.queue_listing.states import ListingError, postfix_state
from smtp_probe.model import QueuedRecipient, QueueEntry

_MOST_ATTRIBUTES = 300_000
"""Of one entry: Postfix itself takes a thousand recipients in one message by default."""


class ShowqStream:
    """Reads one listing."""

    def __init__(self) -> None:
        self._fields = Splitter(b"\0")
        self._name: str | None = None
        self._attributes: list[tuple[str, str]] = []
        self._is_over = False

    def feed(self, piece: bytes) -> Iterator[QueueEntry]:
        """Give the entries that are whole now. Raises ListingError."""
        for part in self._fields.feed(piece):
            if self._fields.was_cut or len(self._attributes) > _MOST_ATTRIBUTES:
                raise ListingError("an entry is too long to be read")
            if self._is_over:
                raise ListingError("something follows the end of the listing")
            text = part.decode("utf-8", "replace")
            if self._name is not None:
                self._attributes.append((self._name, text))
                self._name = None
            elif text:
                self._name = text
            else:
                yield from self._end_list()

    def end(self) -> Iterator[QueueEntry]:
        """Make sure that the listing is whole. Raises ListingError."""
        if not self._is_over:
            raise ListingError("the listing breaks off before its end")
        yield from ()

    def _end_list(self) -> Iterator[QueueEntry]:
        attributes, self._attributes = self._attributes, []
        if not attributes:
            self._is_over = True
        elif attributes[0][0] != "protocol":
            yield _read_entry(attributes)


def _read_entry(attributes: Sequence[tuple[str, str]]) -> QueueEntry:
    of_message = dict(attributes[:12][::-1])
    try:
        return QueueEntry(
            queue_id=of_message["queue_id"],
            state=postfix_state(of_message["queue_name"]),
            arrived_seconds=int(of_message["time"]),
            size_bytes=int(of_message["size"]),
            sender="" if of_message["sender"] == "MAILER-DAEMON" else of_message["sender"],
            recipients=tuple(_read_recipients(attributes)),
        )
    except (KeyError, ValueError) as error:
        raise ListingError("an entry lacks what showq tells of each message") from error


def _read_recipients(attributes: Sequence[tuple[str, str]]) -> Iterator[QueuedRecipient]:
    address: str | None = None
    for name, value in attributes:
        if name == "recipient":
            if address is not None:
                yield QueuedRecipient(address)
            address = value
        elif name == "reason" and address is not None:
            yield QueuedRecipient(address, value)
            address = None
    if address is not None:
        yield QueuedRecipient(address)
