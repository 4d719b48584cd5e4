"""How a mailbox is looked at that announces nothing."""

from __future__ import annotations

import asyncio

from smtp_probe.network.looking import look_now_and_then


async def look(answers, woken, seconds=0.2):
    looks = []

    async def poll():
        looks.append(answers.pop(0) if answers else False)
        return looks[-1]

    return await look_now_and_then(poll, woken, seconds=seconds, every_seconds=0.01), len(looks)


async def test_the_first_look_that_sees_something_ends_it():
    assert await look([False, False, True], asyncio.Event()) == (True, 3)


async def test_without_news_it_ends_by_itself_after_more_than_one_look():
    is_news, looks = await look([], asyncio.Event(), seconds=0.05)
    assert not is_news
    assert looks >= 2


async def test_who_is_woken_does_not_look():
    woken = asyncio.Event()
    asyncio.get_running_loop().call_soon(woken.set)
    assert await look([], woken, seconds=5) == (True, 0)


async def test_a_call_from_before_the_wait_counts_for_nothing():
    woken = asyncio.Event()
    woken.set()
    assert (await look([True], woken))[1] == 1


async def test_no_time_is_no_look():
    assert await look([True], asyncio.Event(), seconds=0) == (False, 0)
