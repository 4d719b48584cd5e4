"""Waiting for an event, but not for longer than some time of a `ports.Clock`."""

from __future__ import annotations

import asyncio

from smtp_probe.ports import Clock


async def wait_for_event(event: asyncio.Event, clock: Clock, seconds: float) -> bool:
    """Wait for the event at most so long. False when the time was over first; the event is set then, too.

    So it is for events that tell somebody to look again, which is right after the time as well. One task for the clock is
    all that it makes: every probe brings several of these waits.
    """
    if event.is_set():
        return True
    sleeper = asyncio.create_task(clock.sleep(seconds))

    def wake(_: asyncio.Task[None]) -> None:
        event.set()

    sleeper.add_done_callback(wake)
    try:
        await event.wait()
    finally:
        sleeper.remove_done_callback(wake)
        is_over = sleeper.done()
        sleeper.cancel()
    return not is_over
