"""What is to stand in a bucket soon: the newest value of each key, written one after the other, as often as it takes.

In: keys and values, without waiting. Out: nothing; what could not be written yet is replaced by what is newer.
"""

from __future__ import annotations

import asyncio
import logging

from smtp_probe.errors import EngineError
from smtp_probe.network.jetstream.bucket import Bucket

_log = logging.getLogger(__name__)
_AGAIN_SECONDS = 2.0


class Outbox:
    """What one process has to write into one bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._waiting: dict[str, bytes] = {}
        self._something = asyncio.Event()

    def put(self, key: str, value: bytes) -> None:
        """Have it written."""
        self._waiting[key] = value
        self._something.set()

    async def run(self) -> None:
        """Write, until cancelled."""
        said = ""
        while True:
            await self._something.wait()
            self._something.clear()
            while self._waiting:
                key, value = next(iter(self._waiting.items()))
                try:
                    await self._bucket.put(key, value)
                except EngineError as error:
                    if str(error) != said:
                        said = str(error)
                        _log.warning("what was seen is not told yet: %s", error)
                    await asyncio.sleep(_AGAIN_SECONDS)
                    continue
                said = ""
                if self._waiting.get(key) is value:
                    del self._waiting[key]
