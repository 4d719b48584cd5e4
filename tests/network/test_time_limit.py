"""Deadlines on one timer."""

from __future__ import annotations

import asyncio

import pytest

from smtp_probe.network.time_limit import TimeLimit


def _now() -> float:
    return asyncio.get_running_loop().time()


async def test_work_that_is_not_done_in_time_is_ended() -> None:
    limit = TimeLimit()
    with pytest.raises(TimeoutError), limit.until(_now() + 0.01):
        await asyncio.sleep(5)
    assert asyncio.current_task().cancelling() == 0


async def test_a_deadline_in_the_past_ends_the_first_wait() -> None:
    limit = TimeLimit()
    with pytest.raises(TimeoutError), limit.until(_now() - 1):
        await asyncio.sleep(5)


async def test_each_work_has_its_own_time() -> None:
    limit = TimeLimit()
    for _ in range(3):  # longer together than each may be
        with limit.until(_now() + 0.5):
            await asyncio.sleep(0.2)
    with pytest.raises(TimeoutError), limit.until(_now() + 0.01):
        await asyncio.sleep(5)
    with limit.until(_now() + 5):
        await asyncio.sleep(0.001)


async def test_a_deadline_that_comes_earlier_than_the_one_before_is_kept() -> None:
    limit = TimeLimit()
    with limit.until(_now() + 300):
        await asyncio.sleep(0)
    begun = _now()
    with pytest.raises(TimeoutError), limit.until(_now() + 0.02):
        await asyncio.sleep(5)
    assert _now() - begun < 1


async def test_a_deadline_can_be_moved_while_the_work_goes_on() -> None:
    limit = TimeLimit()
    with limit.until(_now() + 0.01) as held:
        held.until(_now() + 5)
        await asyncio.sleep(0.05)
    with pytest.raises(TimeoutError), limit.until(_now() + 5) as held:
        held.until(_now() + 0.01)
        await asyncio.sleep(5)


async def test_no_time_runs_between_two_works() -> None:
    limit = TimeLimit()
    with limit.until(_now() + 0.01):
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    with limit.until(_now() + 5):
        assert not limit.is_over
        await asyncio.sleep(0)


async def test_a_cancellation_by_somebody_else_stays_one() -> None:
    limit = TimeLimit()

    async def work() -> None:
        with limit.until(_now() + 5):
            await asyncio.sleep(5)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_is_told_as_it_is() -> None:
    with pytest.raises(ValueError, match="mine"), TimeLimit().until(_now() + 5):
        raise ValueError("mine")


async def test_two_works_at_once_are_a_mistake() -> None:
    limit = TimeLimit()
    assert not limit.is_busy
    with limit.until(_now() + 5):
        assert limit.is_busy
        with pytest.raises(RuntimeError):
            limit.__enter__()


async def test_work_within_other_work_has_a_limit_of_its_own() -> None:
    limit = TimeLimit()
    with limit.within(5):
        with pytest.raises(TimeoutError), limit.within(0.01) as inner:
            await asyncio.sleep(5)
        assert inner is not limit
        await asyncio.sleep(0.001)


async def test_nothing_of_it_is_left_after_its_end() -> None:
    limit = TimeLimit()
    with limit.until(_now() + 0.01):
        await asyncio.sleep(0)
    limit.close()
    await asyncio.sleep(0.02)
    assert not limit.is_over
