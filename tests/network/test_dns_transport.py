"""A datagram or a TCP exchange with whatever answers."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from smtp_probe.network.dns_transport import NotAnAnswerError, ask_by_datagram, ask_by_tcp


class _Server(asyncio.DatagramProtocol):
    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: object) -> None:
        for answer in self.answers:
            self.transport.sendto(answer, address)


async def _ask(answers: list[bytes]) -> bytes:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Server(answers), local_addr=("127.0.0.1", 0))
    try:
        port = transport.get_extra_info("sockname")[1]
        async with asyncio.timeout(2):
            return await ask_by_datagram(b"?", "127.0.0.1", port, _read)
    finally:
        transport.close()


def _read(data: bytes) -> bytes | None:
    return data if data == b"yes" else None


async def test_what_is_no_answer_is_passed_over() -> None:
    assert await _ask([b"no", b"", b"yes"]) == b"yes"


async def test_a_flood_is_not_waded_through() -> None:
    with pytest.raises(NotAnAnswerError):
        await _ask([b"no"] * 30)


async def test_a_port_where_nobody_listens_is_known_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with asyncio.timeout(1):
        with pytest.raises(ConnectionRefusedError):
            await ask_by_datagram(b"?", "127.0.0.1", port, _read)


@pytest.mark.parametrize("answer", [b"", b"\0\x03ye", b"\0\x02no"])
async def test_a_tcp_answer_that_is_cut_or_none_is_told(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(3) == b"\0\x01?"
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, asyncio.timeout(2):
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(NotAnAnswerError):
            await ask_by_tcp(b"?", "127.0.0.1", port, _read)
