"""Bytes in pieces to whole lines or fields, in bounded memory.

In: pieces of any size. Out: what stands between two separators. One that is longer than the bound is given cut, so
that a listing without end costs no memory. Used by every reader of a listing.
"""

from __future__ import annotations

from collections.abc import Iterator

LONGEST_BYTES = 1_048_576
"""A message with thousands of recipients is one long line of `postqueue -j`."""


class Splitter:
    """Splits at one separating byte."""

    def __init__(self, separator: bytes, longest_bytes: int = LONGEST_BYTES) -> None:
        self._separator = separator
        self._longest = longest_bytes
        self._rest = bytearray()
        self.was_cut = False
        """Whether anything was too long."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Give what is whole now."""
        first, *others = piece.split(self._separator)
        self._add(first)
        for following in others:
            whole = bytes(self._rest)
            self._rest.clear()
            self._add(following)
            yield whole

    @property
    def rest(self) -> bytes:
        """What has no separator after it yet."""
        return bytes(self._rest)

    def _add(self, part: bytes) -> None:
        room = self._longest - len(self._rest)
        self.was_cut = self.was_cut or len(part) > room
        self._rest += part[:room]
