"""How far the events of a group of mailboxes have been read, and which of its probes were open then: what makes a takeover quick.

In: what a watcher knows now and then. Out: where the next one begins. Without a bookmark the last event of every probe that
the engine still has is read; with one, only of those that were open, and what came after it.
"""

from __future__ import annotations

import json
import zlib
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
    """The bookmarks of all groups."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def read(self, key: str, group: frozenset[str]) -> Bookmark | None:
        """Give the last bookmark of a group; None where there is none that can be read, or one of other mailboxes.

        Raises EngineError.
        """
        entry = await self._bucket.get(_key(key))
        if entry is None or entry.value is None:
            return None
        try:
            data = json.loads(zlib.decompressobj().decompress(entry.value, _LARGEST_UNPACKED))
            if data.get("mailboxes", [key]) != sorted(group):
                return None
            return Bookmark(int(data["sequence"]), tuple(map(str, data["open"])))
        except (ValueError, KeyError, TypeError, AttributeError, zlib.error):
            return None

    async def write(self, key: str, group: frozenset[str], bookmark: Bookmark) -> None:
        """Lay a bookmark. One that would be too large is left out, and the older one stays true. Raises EngineError."""
        data = {"sequence": bookmark.sequence, "open": bookmark.subjects, "mailboxes": sorted(group)}
        payload = zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 1)
        if len(payload) <= _LARGEST_BYTES:
            await self._bucket.put(_key(key), payload)


def _key(key: str) -> str:
    return f"mailbox.{word(key)}"
