"""Waiting for an event with a clock beside it."""

from __future__ import annotations

import asyncio

import pytest

from smtp_probe.network.clock import ReferenceClock
from smtp_probe.probes.waiting import wait_for_event


async def test_an_event_ends_the_wait_and_leaves_no_sleeper() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, event.set)
    assert await wait_for_event(event, ReferenceClock(), 60)
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1


async def test_the_end_of_the_time_ends_the_wait() -> None:
    event = asyncio.Event()
    assert not await wait_for_event(event, ReferenceClock(), 0.01)
    assert event.is_set()


async def test_what_is_set_already_is_not_waited_for() -> None:
    event = asyncio.Event()
    event.set()
    assert await wait_for_event(event, ReferenceClock(), 60)


async def test_a_cancelled_wait_leaves_event_and_loop_as_they_were() -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(wait_for_event(event, ReferenceClock(), 60))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0.01)
    assert not event.is_set()
    assert len(asyncio.all_tasks()) == 1
