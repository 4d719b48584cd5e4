"""Live updates."""

import asyncio
import re
import time

import aiohttp
import pytest

from smtp_probe.model import OutcomeKind
from smtp_probe.report.web import live
from smtp_probe.report.web.live import name_of_now
from tests.report.web.stage import Stage, ending, lives

NAMED = re.compile(rb"event: change\ndata: ([0-9a-f]+)\n\n")


@pytest.fixture
async def stage(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "_LOOK_SECONDS", 0.05)
    return await Stage.build("empty", tmp_path)


@pytest.fixture
async def client(stage):
    async with stage.serve() as address, aiohttp.ClientSession(f"http://{address}") as session:
        yield session


async def test_a_change_is_told_and_no_more_than_that(stage, client):
    async with client.get("/live") as response:
        assert response.content_type == "text/event-stream"
        retry, _, first = (await response.content.readuntil(b"\n\n")).partition(b"\n")
        assert retry == b"retry: 3000"
        await stage.tell(*lives([ending(OutcomeKind.REFUSED, 1)]))
        async with asyncio.timeout(5):
            second = await response.content.readuntil(b"\n\n")
    assert NAMED.fullmatch(first)
    assert NAMED.fullmatch(second)
    assert first != second


async def test_a_page_is_told_what_it_shows_so_that_nothing_is_missed_while_it_was_loaded(stage, client):
    for path in ("/", "/routes/example", "/drills"):
        async with client.get(path) as page, client.get("/live") as stream:
            told = NAMED.search(await stream.content.readuntil(b"\n\n"))
            assert told is not None
            assert f'data-seen="{told[1].decode()}"' in await page.text()


async def test_what_is_shown_has_another_name_when_a_probe_starts_or_ends_or_the_program_does(
    stage, tmp_path
):
    names = [name_of_now(stage.application)]
    for event in lives([ending(OutcomeKind.REFUSED, 1)])[:1]:
        await stage.tell(event)
        names.append(name_of_now(stage.application))
    stage.telemetry.observations.started_ns += 1
    names.append(name_of_now(stage.application))

    assert len(set(names)) == len(names) == 3


async def test_a_quiet_stream_gives_signs_of_life(client, monkeypatch):
    monkeypatch.setattr(live, "_SIGN_OF_LIFE_SECONDS", 0.1)
    async with client.get("/live") as response, asyncio.timeout(5):
        await response.content.readuntil(b"\n\n")
        assert await response.content.readuntil(b"\n\n") == b": alive\n\n"


async def test_so_many_streams_and_no_more(client, monkeypatch):
    monkeypatch.setattr(live, "MAX_STREAMS", 2)
    async with client.get("/live"), client.get("/live"), client.get("/live") as third:
        assert third.status == 503
    async with asyncio.timeout(5):
        while True:
            async with client.get("/live") as again:
                if again.status == 200:
                    break
            await asyncio.sleep(0.05)


async def test_streams_end_after_their_time(client, monkeypatch):
    monkeypatch.setattr(live, "_LONGEST_SECONDS", 0.2)
    async with client.get("/live") as response, asyncio.timeout(5):
        assert b"retry" in await response.read()


async def test_streams_do_not_hold_up_the_end(stage):
    async with aiohttp.ClientSession() as session:
        async with stage.serve() as address:
            response = await session.get(f"http://{address}/live")
            await response.content.readuntil(b"\n\n")
            begun = time.perf_counter()
        assert time.perf_counter() - begun < 1.5
        response.close()
