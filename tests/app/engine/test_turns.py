"""Readers work in turns, and everything else has its turn too."""

import asyncio

import pytest

from smtp_probe.app.engine.turns import Turns

STEP, TURN = 0.002, 0.01


@pytest.mark.parametrize("readers", [1, 2, 20])
async def test_nothing_waits_for_longer_than_one_turn_however_many_read(monkeypatch, readers):
    now = 0.0
    monkeypatch.setattr("time.perf_counter", lambda: now)
    turns, gaps, read = Turns(TURN), [], 0

    async def work():
        nonlocal now, read
        for _ in range(50):
            await turns.give_way()
            now += STEP
            read += 1

    async def renew(working):
        last = now
        while not working.done():
            await asyncio.sleep(0)
            gaps.append(now - last)
            last = now

    working = asyncio.gather(*(work() for _ in range(readers)))
    await renew(working)

    assert read == 50 * readers
    assert max(gaps) <= TURN + STEP
    assert len(gaps) >= 50 * readers * STEP / (TURN + STEP)


async def test_a_single_event_waits_for_nobody():
    turns = Turns(3600)
    await turns.give_way()  # the first one begins the turn
    coroutine = turns.give_way()
    with pytest.raises(StopIteration):
        coroutine.send(None)
