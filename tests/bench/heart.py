"""A heart in an event loop: it wants to beat every two milliseconds, and tells how late it was.

Whatever holds the loop up makes it late: that is the stall which every probe and every scrape would feel. Orders come
as lines on standard input, answers go as lines of JSON to standard output. As a program of its own
(`python -m tests.bench.heart`) it beats in an empty loop, and tells how late the machine makes everybody.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

_BEAT_SECONDS = 0.002

Order = Callable[..., Any]


class Heart:
    """Beats until cancelled."""

    def __init__(self) -> None:
        self._longest = 0.0

    async def beat(self) -> None:
        """Sleep a little, and note by how much it was too long."""
        loop = asyncio.get_running_loop()
        while True:
            wanted = loop.time() + _BEAT_SECONDS
            await asyncio.sleep(_BEAT_SECONDS)
            self._longest = max(self._longest, loop.time() - wanted)

    def take(self) -> float:
        """Give the longest delay since the last time this was asked, in milliseconds."""
        longest, self._longest = self._longest, 0.0
        return longest * 1e3


async def obey(orders: Mapping[str, Order]) -> None:
    """Read orders (`name argument ...`), answer each with what it gives in the end, and return at the end of the input."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        name, *arguments = line.decode().split()
        answer = orders[name](*arguments)
        print(json.dumps(await answer if inspect.isawaitable(answer) else answer), flush=True)


async def main() -> None:
    """Beat in a loop that has nothing else to do."""
    heart = Heart()
    beating = asyncio.create_task(heart.beat())
    await obey({"take": heart.take})
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
