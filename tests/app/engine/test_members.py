"""A process says that it is alive; that its events are refused is told though its sign of life is taken."""

import asyncio
from contextlib import suppress

import pytest

from smtp_probe.app.engine.members import Members
from smtp_probe.network.jetstream.bucket import Bucket


class Taking(Bucket):
    """A bucket that takes every word."""

    def __init__(self) -> None:
        """Is of no engine."""

    async def put(self, key: str, value: bytes) -> int:
        return 1


async def test_refused_events_are_told_until_they_are_taken(caplog):
    told = []
    members = Members(Taking(), "us", {"worker"}, 0.04, told.append)
    refusals = ["", "maximum bytes exceeded", "maximum bytes exceeded", ""]
    members.refusal = lambda: refusals[min(len(told), 3)]
    with suppress(TimeoutError), caplog.at_level("INFO"):
        async with asyncio.timeout(5):
            renewing = asyncio.create_task(members.renew())
            while len(told) < 5:
                await asyncio.sleep(0.005)
    renewing.cancel()

    assert told[:5] == [True, False, False, True, True]
    assert members.is_heard
    said = [record.message for record in caplog.records]
    assert said == [
        "the engine takes our word",
        "the engine takes no events: nothing is sent until it does: maximum bytes exceeded",
        "the engine takes events again",
    ]


@pytest.mark.parametrize(
    ("lease", "is_ours"), [(b'{"by": "us"}', True), (b'{"by": "them"}', False), (b"[]", False), (b"x", False)]
)
def test_our_own_lease_is_known(lease, is_ours):
    assert Members(Taking(), "us", (), 1.0).is_ours(lease) is is_ours
