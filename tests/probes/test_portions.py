"""Portions are done one after the other, and what is in one beside each other."""

import asyncio

import pytest

from smtp_probe.probes.portions import do_together, portions


def test_portions_have_everything_in_its_order():
    assert [list(each) for each in portions(range(7), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(portions((), 3)) == []


@pytest.mark.parametrize("count", [1, 3])
async def test_all_of_a_portion_are_at_work_at_once_and_begin_in_their_order(count):
    begun, gate = [], asyncio.Event()

    async def work(number):
        begun.append(number)
        if len(begun) == count:
            gate.set()
        await gate.wait()

    async with asyncio.timeout(1):
        await do_together(work, range(count))

    assert begun == list(range(count))


async def test_what_one_raises_is_raised_when_none_is_at_work_any_more():
    done = []

    async def work(number):
        if number == 1:
            raise LookupError(number)
        await asyncio.sleep(0.01)
        done.append(number)

    with pytest.raises(LookupError):
        await do_together(work, range(3))
    assert done == [0, 2]


async def test_who_is_cancelled_leaves_nothing_at_work():
    ended = []

    async def work(number):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(number)

    task = asyncio.create_task(do_together(work, range(2)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [0, 1]
