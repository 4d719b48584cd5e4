"""Waiting for news of a mailbox whose server announces none: it is looked at now and then.

In: how to look, and an event by which the wait is cut short. Out: whether there may be something new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress


async def look_now_and_then(
    poll: Callable[[], Awaitable[bool]], woken: asyncio.Event, *, seconds: float, every_seconds: float
) -> bool:
    """Look each `every_seconds`, at most for `seconds`. True when there is something new, or `woken` was set meanwhile."""
    woken.clear()
    now = asyncio.get_running_loop().time
    ends = now() + seconds
    while (left := ends - now()) > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(min(every_seconds, left)):
                await woken.wait()
        if woken.is_set() or await poll():
            return True
    return False
