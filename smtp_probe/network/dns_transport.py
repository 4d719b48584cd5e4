"""Bytes to a name server and back: one datagram or one TCP exchange, and nothing of what they mean.

In: a query as bytes, an address and port, and a reader that tells an answer to it from anything else. Out: what the
reader made of the answer. The datagram socket is connected and lives for one question: the kernel drops what comes
from elsewhere, and a port that nobody listens on is known at once. Deadlines are the caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from smtp_probe.network.tcp import cut

Found = TypeVar("Found")
Reader = Callable[[bytes], Found | None]
"""Makes something of the bytes, or says None: this is not an answer to our question."""

_MOST_STRANGERS = 20
"""Datagrams that are no answer and are passed over; more is somebody's flood."""


class NotAnAnswerError(OSError):
    """What came back was not an answer to the question, or no DNS at all."""


class _OneAnswer(asyncio.DatagramProtocol):
    """Waits for the first datagram that the reader accepts."""

    def __init__(self, read: Callable[[bytes], object | None]) -> None:
        self._read = read
        self._strangers = 0
        self.answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _: object) -> None:
        """Take it, or pass it over: it may be a late answer, or a forged one."""
        if self.answer.done():
            return
        found = self._read(data)
        if found is not None:
            self.answer.set_result(found)
            return
        self._strangers += 1
        if self._strangers > _MOST_STRANGERS:
            self.answer.set_exception(NotAnAnswerError("many datagrams came, and none was an answer"))

    def error_received(self, exc: Exception) -> None:
        """The kernel heard that nobody is there."""
        if not self.answer.done():
            self.answer.set_exception(exc)

    def connection_lost(self, _: Exception | None) -> None:
        """Nobody waits any more."""
        self.answer.cancel()


async def ask_by_datagram(query: bytes, address: str, port: int, read: Reader[Found]) -> Found:
    """Send one datagram and wait for its answer. Raises OSError; the caller's deadline ends the waiting."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: _OneAnswer(read), remote_addr=(address, port)
    )
    try:
        transport.sendto(query)
        return await protocol.answer  # type: ignore[return-value]  # what `read` gave
    finally:
        transport.close()


async def ask_by_tcp(query: bytes, address: str, port: int, read: Reader[Found]) -> Found:
    """Ask over TCP (RFC 7766): a length of two octets before each message. Raises OSError."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(len(query).to_bytes(2, "big") + query)
        length = int.from_bytes(await reader.readexactly(2), "big")
        found = read(await reader.readexactly(length))
    except asyncio.IncompleteReadError:
        raise NotAnAnswerError("the connection ended before the answer") from None
    finally:
        cut(writer.transport)
        with suppress(OSError):
            await writer.wait_closed()
    if found is None:
        raise NotAnAnswerError("what came over TCP was not an answer to the question")
    return found
