"""Appending on a real server: only after the message that the writer knows, once for a nonce, and never without an answer."""

import pytest

from smtp_probe.config.engine import Engine
from smtp_probe.errors import EngineConflict, EngineError
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.streams import prepare, streams

pytestmark = pytest.mark.lab


async def test_a_subject_is_begun_by_one_writer_only(stream):
    subject = stream.names.probe("default", "m", "r", "p")
    first = await stream.append(subject, b"one", expected=0)

    with pytest.raises(EngineConflict):
        await stream.append(subject, b"two", expected=0)

    assert await stream.append(subject, b"three", expected=first) == first + 1
    found = await stream.last(stream.names.events, subject)
    assert (found.sequence, found.payload) == (first + 1, b"three")


async def test_the_same_nonce_is_stored_once(stream):
    subject = stream.names.probe("default", "m", "r", "p")

    assert await stream.append(subject, b"x", nonce="n") == await stream.append(subject, b"x", nonce="n")


async def test_a_probe_is_found_without_knowing_its_route(stream):
    await stream.append(stream.names.probe("default", "m", "r", "known"), b"x")

    assert (await stream.last(stream.names.events, stream.names.any_probe("known"))).payload == b"x"
    assert await stream.last(stream.names.events, stream.names.any_probe("other")) is None


async def test_what_no_stream_takes_is_an_error(stream):
    with pytest.raises(EngineError):
        await stream.append("elsewhere.x", b"x")
    with pytest.raises(EngineError):
        await stream.request("STREAM.INFO.NONE", {})


async def test_without_a_connection_nothing_waits_to_be_sent_later():
    closed = JetStream(Engine(servers=("nats://127.0.0.1:1",)), lambda: "", "test")

    assert not closed.is_connected
    with pytest.raises(EngineError):
        await closed.append("smtp-probe.seen.x", b"x")
    await closed.close()


async def test_a_full_stream_is_a_refusal_until_it_takes_events_again(stream):
    definition = next(each for each in streams(stream.settings) if each["name"] == stream.names.events)
    update = f"STREAM.UPDATE.{stream.names.events}"
    await stream.request(update, {**definition, "discard": "new", "max_bytes": 500})
    subject = stream.names.probe("default", "m", "r", "p")

    with pytest.raises(EngineError, match="maximum bytes exceeded"):
        await stream.append(subject, bytes(600))
    assert stream.refusal == "maximum bytes exceeded"
    await stream.append(stream.names.schedule("default", "r"), b"")  # another stream
    assert stream.refusal == "maximum bytes exceeded"

    await stream.request(update, definition)
    await stream.append(subject, bytes(600))
    assert stream.refusal == ""


async def test_events_that_no_stream_takes_are_a_refusal(stream):
    await stream.request(f"STREAM.DELETE.{stream.names.events}", {})

    with pytest.raises(EngineError):
        await stream.append(stream.names.probe("default", "m", "r", "p"), b"x")
    assert "no stream for them" in stream.refusal
    await prepare(stream)
