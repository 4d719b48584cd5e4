"""How far the events of a mailbox have been read, and which of its probes were open then: what makes a takeover quick.

In: what a watcher knows now and then. Out: where the next one begins. Without a bookmark the last event of every probe that
the engine still has is read; with one, only of those that were open, and what came after it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from smtp_probe.network.jetstream.bucket import Bucket
from smtp_probe.network.jetstream.names import word

_LARGEST_BYTES = 400_000
_LARGEST_UNPACKED = 67_108_864


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Everything up to `sequence` has been read, and these subjects were of open probes."""

    sequence: int
    subjects: tuple[str, ...]


class Bookmarks:
    """The bookmarks of all mailboxes."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def read(self, mailbox: str) -> Bookmark | None:
        """Give the last bookmark of a mailbox; None where there is none that can be read. Raises EngineError."""
        entry = await self._bucket.get(_key(mailbox))
        if entry is None or entry.value is None:
            return None
        try:
            data = json.loads(zlib.decompressobj().decompress(entry.value, _LARGEST_UNPACKED))
            return Bookmark(int(data["sequence"]), tuple(map(str, data["open"])))
        except (ValueError, KeyError, TypeError, zlib.error):
            return None

    async def write(self, mailbox: str, sequence: int, subjects: Sequence[str]) -> None:
        """Lay a bookmark. One that would be too large is left out, and the older one stays true. Raises EngineError."""
        data = json.dumps({"sequence": sequence, "open": list(subjects)}, separators=(",", ":"))
        payload = zlib.compress(data.encode(), 1)
        if len(payload) <= _LARGEST_BYTES:
            await self._bucket.put(_key(mailbox), payload)


def _key(mailbox: str) -> str:
    return f"mailbox.{word(mailbox)}"
