"""How many clients, and how long they may take to ask."""

import asyncio
import ssl
import time
from contextlib import suppress

import aiohttp
import pytest
import trustme

from smtp_probe.report import http
from smtp_probe.report.doors import connections
from tests.report.web.stage import Stage

pytestmark = pytest.mark.slow


@pytest.fixture
async def stage(tmp_path):
    return await Stage.build("healthy", tmp_path)


async def connect(address):
    host, port = address.rsplit(":", 1)
    return await asyncio.open_connection(host, int(port))


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_who_does_not_ask_in_time_is_cut_off(stage, monkeypatch, said):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    async with stage.serve() as address:
        reader, writer = await connect(address)
        begun = time.perf_counter()
        writer.write(said)
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        assert time.perf_counter() - begun < 3
        writer.close()


async def test_who_has_asked_may_stay(stage, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    async with stage.serve() as address, aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.get(f"http://{address}/-/healthy") as response:
                assert response.status == 200
            await asyncio.sleep(0.15)
        assert len(session.connector._conns) == 1


async def test_a_later_request_has_its_time_as_well(stage, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    async with stage.serve() as address:
        reader, writer = await connect(address)
        for _ in range(2):
            writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.wait_for(reader.readuntil(b"is healthy.\n"), 5)
            await asyncio.sleep(0.4)  # who rests is not slow
        writer.write(b"GET /-/healthy HTTP/1.1\r\nHo")
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


@pytest.fixture
def secured(tmp_path):
    """A web configuration with TLS, and a context that trusts it."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert")
    issued.private_key_pem.write_to_path(tmp_path / "key")
    path = tmp_path / "web.yml"
    path.write_text("tls_server_config: {cert_file: cert, key_file: key}\n")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return path, context


async def healthy(address, context):
    connector = aiohttp.TCPConnector(ssl=context)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"https://{address}/-/healthy") as response,
    ):
        return response.status


async def test_a_handshake_without_end_takes_a_place_and_loses_it(stage, monkeypatch, secured):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 2)
    monkeypatch.setattr(connections, "HANDSHAKE_SECONDS", 1.0)
    path, context = secured
    async with stage.serve(web_config_file=path) as address:
        silent = [await connect(address) for _ in range(2)]
        await asyncio.sleep(0.1)
        with pytest.raises(aiohttp.ClientError):
            await healthy(address, context)
        for reader, writer in silent:
            with suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        assert await healthy(address, context) == 200


async def test_a_handshake_that_fails_gives_its_place_back(stage, monkeypatch, secured):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 2)
    path, context = secured
    async with stage.serve(web_config_file=path) as address:
        for _ in range(5):
            reader, writer = await connect(address)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with suppress(ConnectionResetError):
                await asyncio.wait_for(reader.read(), 5)
            writer.close()
        assert await healthy(address, context) == 200


async def test_a_server_that_ends_waits_for_no_handshake(stage, secured):
    async with stage.serve(web_config_file=secured[0]) as address:
        _, writer = await connect(address)
        await asyncio.sleep(0.1)
        begun = time.perf_counter()
    assert time.perf_counter() - begun < 3
    writer.close()


async def test_so_many_connections_and_no_more(stage, monkeypatch):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 3)
    async with stage.serve() as address:
        standing = [await connect(address) for _ in range(3)]
        await asyncio.sleep(0.1)
        reader, writer = await connect(address)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        for _, each in standing:
            each.close()
        await asyncio.sleep(0.1)
        async with aiohttp.ClientSession() as session, session.get(f"http://{address}/-/healthy") as response:
            assert response.status == 200


async def test_who_does_not_read_is_cut_off(stage, monkeypatch):
    monkeypatch.setattr(http, "_SEND_SECONDS", 0.3)
    async with stage.serve() as address:
        reader, writer = await connect(address)
        reader._transport.pause_reading()
        writer.write(b"GET /api/v1/routes/internal HTTP/1.1\r\nHost: x\r\n\r\n" * 400)
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(15):
                while True:
                    writer.write(b"\r\n")
                    await asyncio.sleep(0.1)
                    await writer.drain()
                    if reader._transport.is_closing():
                        raise ConnectionResetError


async def test_a_body_is_not_waited_for(stage):
    async with stage.serve() as address:
        reader, writer = await connect(address)
        writer.write(b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        assert b" 200 " in (await asyncio.wait_for(reader.readline(), 5))
        writer.close()


async def test_too_many_headers_are_refused(stage):
    async with stage.serve() as address:
        reader, writer = await connect(address)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(5000)) + b"\r\n"
        )
        assert b" 400 " in (await asyncio.wait_for(reader.readline(), 5))
        writer.close()
