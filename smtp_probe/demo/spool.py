"""The queue of one host: every message on its way is one task, and there are only so many.

In: coroutines that carry a message. Out: nothing; a task that fails is logged with its traceback, because that is a
bug of the demo and no event of the mail path. Knows nothing of mail.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger(__name__)
_CLOSE_SECONDS = 1.0


class Spool:
    """Tasks in the keeping of one host, at most `capacity` of them."""

    def __init__(self, name: str, capacity: int) -> None:
        self._name = name
        self._capacity = capacity
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be added now."""
        return len(self._tasks) >= self._capacity

    def add(self, work: Coroutine[Any, Any, None]) -> bool:
        """Start to carry one message. Returns False, and drops the work, when the spool is full."""
        if self.is_full:
            work.close()
            return False
        task = asyncio.create_task(work, name=f"spool of {self._name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a message of %s was dropped by a bug", self._name, exc_info=error)

    async def close(self) -> None:
        """Drop everything that is still on its way, within a second."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)
