"""Reading on a real server: in order, from where one wants, and each run by one worker."""

import asyncio
from itertools import pairwise

import pytest

from smtp_probe.network.jetstream.reading import Follower, RunReader, Start

pytestmark = pytest.mark.lab


async def take(messages, count):
    found = []
    async with asyncio.timeout(10):
        async for message in messages:
            if message is not None:
                found.append(message)
            if len(found) == count:
                break
    await messages.aclose()
    return found


async def fill(stream, count=3):
    for number in range(count):
        await stream.append(stream.names.probe("default", "m", "r", f"p{number % 2}"), str(number).encode())


async def test_all_messages_come_in_order_and_then_those_that_are_new(stream):
    await fill(stream)
    follower = Follower(stream, stream.names.events, stream.names.of_vantage("default"), Start())
    messages = follower.messages()
    reading = asyncio.create_task(take(messages, 4))
    await asyncio.sleep(0.1)
    await stream.append(stream.names.seen("default", "m", "r"), b"late")

    assert [message.payload for message in await reading] == [b"0", b"1", b"2", b"late"]
    assert follower.pending == 0


async def test_reading_begins_at_a_number_or_with_the_last_of_each_subject(stream):
    await fill(stream)
    subjects = stream.names.of_mailbox("m")
    later = Follower(stream, stream.names.events, subjects, Start(sequence=2))
    last = Follower(stream, stream.names.events, subjects, Start(is_last_per_subject=True))

    assert [message.payload for message in await take(later.messages(), 2)] == [b"1", b"2"]
    assert [message.payload for message in await take(last.messages(), 2)] == [b"1", b"2"]


async def test_a_consumer_that_is_gone_is_made_again_where_it_ended(stream):
    await fill(stream)
    follower = Follower(stream, stream.names.events, stream.names.of_vantage("default"), Start())
    found, is_deleted = [], False
    async with asyncio.timeout(15):
        async for message in follower.messages():
            if message is not None:
                found.append(message.payload)
            if len(found) == 3 and not is_deleted:
                is_deleted = True
                names = (await stream.request(f"CONSUMER.NAMES.{stream.names.events}", {}))["consumers"]
                for name in names:
                    await stream.request(f"CONSUMER.DELETE.{stream.names.events}.{name}", {})
                await stream.append(stream.names.seen("default", "m", "r"), b"after")
            if len(found) == 4:
                break

    assert found == [b"0", b"1", b"2", b"after"]


async def test_a_schedule_makes_runs_and_each_is_given_once(stream):
    target = stream.names.run("default", "r")
    headers = {"Nats-Schedule": "@every 1s", "Nats-Schedule-Target": target, "Nats-Schedule-TTL": "1s"}
    await stream.append(stream.names.schedule("default", "r"), b"", headers=headers)
    found = []

    async def work():
        async for run in RunReader(stream, "default").runs():
            if run is not None:
                await run.take()
                found.append(run)

    async with asyncio.timeout(10):
        workers = [asyncio.create_task(work()) for _ in range(2)]
        while len(found) < 3:
            await asyncio.sleep(0.05)
    for worker in workers:
        worker.cancel()

    seconds = [(run.next_ns or 0) // 10**9 for run in found]
    assert {run.subject for run in found} == {target}
    assert [later - earlier for earlier, later in pairwise(seconds)] == [1, 1]
    assert all(abs((run.next_ns or 0) - 10**9 - run.came_ns) < 0.5e9 for run in found)


async def test_a_run_that_is_not_taken_comes_again(stream):
    await stream.append(stream.names.run("default", "r"), b"")
    reader = RunReader(stream, "default").runs()
    async with asyncio.timeout(10):
        first = await anext(run async for run in reader if run is not None)
        await first.give_back(0.1)
        second = await anext(run async for run in reader if run is not None)

    assert (second.subject, second.came_ns, second.next_ns) == (first.subject, first.came_ns, None)


async def test_an_end_that_comes_together_with_a_message_is_heeded(stream):
    """The library would go on: it waits by means that forget a cancellation which comes at the same moment."""

    async def read():
        async for _ in Follower(
            stream, stream.names.events, stream.names.of_vantage("default"), Start()
        ).messages():
            pass

    reading = [asyncio.create_task(read()) for _ in range(20)]
    for number in range(20):
        await fill(stream, 1)
        reading[number].cancel()
    done, pending = await asyncio.wait(reading, timeout=5)

    assert not pending
    assert all(task.cancelled() for task in done)


async def test_of_several_messages_of_a_subject_the_last_is_known_to_be_the_last(stream):
    await fill(stream, 5)  # p0 p1 p0 p1 p0
    follower = Follower(stream, stream.names.events, stream.names.of_mailbox("m"), Start())
    last = []
    async with asyncio.timeout(10):
        async for message in follower.messages():
            if message is not None:
                await asyncio.sleep(0.1)  # all of them have come
                last.append(not follower.has_later(message.subject))
            if len(last) == 5:
                break

    assert last == [False, False, False, True, True]


async def test_who_reads_what_is_empty_knows_at_once(stream):
    follower = Follower(stream, stream.names.events, stream.names.of_mailbox("nobody"), Start())
    async with asyncio.timeout(0.5):
        assert await anext(follower.messages()) is None
    assert follower.pending == 0
