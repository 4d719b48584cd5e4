"""Long work in short pieces: whoever reads thousands of events lets everything else of the process go on meanwhile.

In: the readers of one process, which ask between two events. Out: they work in turns, all together for a few milliseconds, and
then whatever else is due comes first: leases that must be renewed in time above all.
"""

from __future__ import annotations

import asyncio
import time

_TURN_SECONDS = 0.01


class Turns:
    """The turns of all readers together."""

    def __init__(self, seconds: float = _TURN_SECONDS) -> None:
        self._seconds = seconds
        self._begun = 0.0
        self._lock = asyncio.Lock()

    async def give_way(self) -> None:
        """Let everything else go on, where the readers have had their turn."""
        if time.perf_counter() - self._begun < self._seconds:
            return
        async with self._lock:  # one reader after the other, else each of them would have a turn of its own
            await asyncio.sleep(0)
            self._begun = time.perf_counter()
