"""Keys on a real server: claimed by one, renewed by him, free again when they were given up or have passed away."""

import asyncio

import pytest

from smtp_probe.network.jetstream.bucket import Bucket

pytestmark = pytest.mark.lab


async def test_a_key_is_claimed_by_one_and_renewed_by_him_alone(stream):
    bucket = Bucket(stream, stream.names.leases)
    revision = await bucket.claim("mailbox.m", b"one")
    assert revision is not None

    assert await bucket.claim("mailbox.m", b"two") is None
    assert await bucket.renew("mailbox.m", b"two", revision + 1) is None
    renewed = await bucket.renew("mailbox.m", b"one", revision)
    assert renewed is not None
    assert renewed > revision
    assert (await bucket.get("mailbox.m")).value == b"one"


async def test_a_key_that_was_given_up_is_free_at_once(stream):
    bucket = Bucket(stream, stream.names.leases)
    revision = await bucket.claim("mailbox.m", b"one")
    await bucket.give_up("mailbox.m", revision)

    assert (await bucket.get("mailbox.m")).value is None
    assert await bucket.claim("mailbox.m", b"two") is not None
    await bucket.give_up("mailbox.m", revision)  # it is another's now
    assert (await bucket.get("mailbox.m")).value == b"two"


async def test_a_key_that_is_not_renewed_passes_away(stream):
    bucket = Bucket(stream, stream.names.leases)
    await bucket.claim("mailbox.m", b"one")
    async with asyncio.timeout(8):
        while await bucket.claim("mailbox.m", b"two") is None:
            await asyncio.sleep(0.2)


async def test_every_change_is_told(stream):
    bucket = Bucket(stream, stream.names.leases)
    await bucket.put("member.a", b"1")
    told = []
    async with asyncio.timeout(8):
        async for entry in bucket.entries():
            if entry is None:
                continue
            told.append((entry.key, entry.value))
            if len(told) == 1:
                await bucket.give_up("member.a")
            if len(told) == 2:
                break

    assert told == [("member.a", b"1"), ("member.a", None)]


async def test_our_own_word_that_was_not_answered_is_no_others(stream):
    bucket = Bucket(stream, stream.names.leases)
    revision = await bucket.claim("mailbox.m", b"ours")
    assert revision is not None
    unheard = await bucket.put("mailbox.m", b"ours")

    renewed = await bucket.renew("mailbox.m", b"ours", revision, lambda value: value == b"ours")
    assert renewed == unheard + 1
    claimed = await bucket.claim("mailbox.m", b"ours", lambda value: value == b"ours")
    assert claimed == renewed + 1
    assert await bucket.renew("mailbox.m", b"x", revision, lambda value: value == b"x") is None
    assert await bucket.claim("mailbox.m", b"x", lambda value: value == b"x") is None
