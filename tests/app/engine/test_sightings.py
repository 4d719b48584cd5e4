"""What a watcher sees of a domain's mail reaches whoever checks the domain, on a real server, and says once what does not change."""

import asyncio

import pytest

from smtp_probe.app.engine.sightings import Sightings, read_sightings
from smtp_probe.model import SeenMail
from smtp_probe.network.jetstream.bucket import Bucket
from tests.network.jetstream.conftest import cluster, stream

__all__ = ["cluster", "stream"]
pytestmark = pytest.mark.lab
HOME = SeenMail(address="192.0.2.1", ehlo_name="a.example.org", sender="p@example.org", selectors=("s1",))
AWAY = SeenMail(address="192.0.2.2")


async def take(bucket, count):
    found, reading = [], read_sightings(bucket)
    async with asyncio.timeout(10):
        async for each in reading:
            found.append(each)
            if len(found) == count:
                break
    await reading.aclose()  # type: ignore[attr-defined]
    return found


async def test_what_is_seen_is_told_and_kept_for_the_next_checker(stream):
    bucket = Bucket(stream, stream.names.marks)
    await bucket.put("mailbox.m", b"a bookmark")
    await bucket.put("seen.example=org.broken", b"{}")
    sightings = Sightings(bucket, lambda domain: domain == "example.org")
    telling = asyncio.create_task(sightings.run())
    for _ in range(3):
        sightings.note("a.b", "example.org", HOME)
    sightings.note("a.b", "elsewhere.org", HOME)
    first = await take(bucket, 1)
    sightings.note("a.b", "example.org", AWAY)
    both = await take(bucket, 2)
    telling.cancel()

    assert first == [("a.b", "example.org", HOME)]
    assert both == [("a.b", "example.org", HOME), ("a.b", "example.org", AWAY)]
    state = await stream.request(f"STREAM.INFO.KV_{stream.names.marks}", {})
    assert state["state"]["last_seq"] == 4  # two that were there, and two that said something new


async def test_what_is_seen_no_more_is_told_no_more():
    sightings = Sightings(None, lambda _: True)  # type: ignore[arg-type]
    sightings.note("r", "example.org", HOME)
    for _ in range(24):
        sightings.note("r", "example.org", AWAY)

    assert b"192.0.2.1" not in sightings._told["r", "example.org"]
    assert b"192.0.2.2" in sightings._told["r", "example.org"]
