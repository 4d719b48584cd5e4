"""Objects on a real server: larger than a message, replaced as a whole."""

import os

import pytest

from smtp_probe.network.jetstream.objects import Objects

pytestmark = pytest.mark.lab


async def test_an_object_comes_back_and_is_replaced(stream):
    objects = Objects(stream, stream.names.totals)
    assert await objects.get("fra.0.1") is None
    first, second = os.urandom(3_000_000), b"small"

    await objects.put("fra.0.1", first)
    assert await objects.get("fra.0.1") == first
    await objects.put("fra.0.1", second)
    assert await objects.get("fra.0.1") == second
