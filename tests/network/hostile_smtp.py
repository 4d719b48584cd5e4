"""An SMTP server that does at each step what a test says: answer anything, wait, hang, cut, reset, never end.

Without instructions it is a well-behaved server, so a test names only the step that it is about. The steps are the
verbs, and GREETING, HANDSHAKE (after the answer to STARTTLS), CREDENTIALS (a line within AUTH), BODY (amid the
message) and DOT (after its end).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Mapping
from enum import Enum, auto


class Deed(Enum):
    """What a server may do instead of answering."""

    HANG = auto()
    CUT = auto()
    """Close the connection in good order."""
    RESET = auto()
    ENDLESS_LINES = auto()
    """Continuation lines for ever."""
    ENDLESS_LINE = auto()
    """One line for ever."""
    MANY_PIECES = auto()
    """Continuation lines for ever, each in its own segment."""


Behaviour = bytes | float | Deed | tuple[bytes | float | Deed, ...]
"""Bytes are sent, a number of seconds is waited, several are done in turn."""

_GOOD: dict[str, Behaviour] = {
    "GREETING": b"220 hostile.test ESMTP\r\n",
    "HANDSHAKE": b"",
    "BODY": b"",
    "STARTTLS": b"220 2.0.0 Ready\r\n",
    "AUTH": b"235 2.7.0 Welcome\r\n",
    "CREDENTIALS": b"235 2.7.0 Welcome\r\n",
    "MAIL": b"250 2.1.0 Ok\r\n",
    "RCPT": b"250 2.1.5 Ok\r\n",
    "DATA": b"354 Go on\r\n",
    "DOT": b"250 2.0.0 Ok: queued as 4bVw2Q1yT8z1234\r\n",
    "QUIT": b"221 2.0.0 Bye\r\n",
}


class _Over(Exception):
    """The session is at its end."""


class HostileSmtp:
    """One such server on a loopback port, with what it heard."""

    def __init__(
        self,
        answers: Mapping[str, Behaviour] | None = None,
        *,
        offers: tuple[str, ...] = (),
        offers_in_tls: tuple[str, ...] | None = None,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        stop_reading_after: int | None = None,
        receive_buffer: int | None = None,
        nagle: bool = False,
    ) -> None:
        self.answers = {**_GOOD, **(answers or {})}
        self.offers = offers
        self.offers_in_tls = offers_in_tls
        self.tls = tls
        self.implicit = implicit
        self.stop_reading_after = stop_reading_after
        self.receive_buffer = receive_buffer
        self.nagle = nagle
        self.port = 0
        self.commands: list[bytes] = []
        self.messages: list[bytes] = []
        self.sessions = 0
        self.got_message = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self, address: str = "127.0.0.1", port: int = 0) -> AsyncIterator[HostileSmtp]:
        """Serve while the block runs."""
        listener = socket.create_server((address, port))
        if self.receive_buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.port = listener.getsockname()[1]
        tls = self.tls if self.implicit else None
        server = await asyncio.start_server(self._serve, sock=listener, ssl=tls)
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.sleep(0)  # the aborted transports close

    @property
    def verbs(self) -> list[bytes]:
        """The commands heard, without their words."""
        return [line.split(b" ")[0] for line in self.commands]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.sessions += 1
        if self.nagle:
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        try:
            await self._talk(reader, writer)
        except (_Over, ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secured = self.implicit
        await self._do("GREETING", writer)
        while True:
            line = (await reader.readuntil(b"\r\n")).removesuffix(b"\r\n")
            self.commands.append(line)
            verb = line.split(b" ")[0].decode().upper()
            if verb == "EHLO":
                await self._hello(writer, secured=secured)
            elif verb == "STARTTLS":
                await self._do("STARTTLS", writer)
                await self._do("HANDSHAKE", writer)
                assert self.tls is not None
                await writer.start_tls(self.tls)
                secured = True
            elif verb == "DATA":
                await self._do("DATA", writer)
                if _is_go_ahead(self.answers["DATA"]):
                    await self._take_message(reader, writer)
            elif verb in self.answers:
                await self._do(verb, writer)
            else:
                await self._do("CREDENTIALS", writer)
            if verb == "QUIT":
                writer.close()
                raise _Over

    async def _hello(self, writer: asyncio.StreamWriter, *, secured: bool) -> None:
        if "EHLO" in self.answers and (secured or self.tls is None):
            await self._do("EHLO", writer)
            return
        offers = self.offers
        if self.tls is not None and not secured:
            offers = (*offers, "STARTTLS")
        elif secured and self.offers_in_tls is not None:
            offers = self.offers_in_tls
        lines = ["hostile.test", *offers]
        text = [f"250{'-' if number < len(lines) else ' '}{line}\r\n" for number, line in enumerate(lines, 1)]
        writer.write("".join(text).encode())
        await writer.drain()

    async def _take_message(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.stop_reading_after is not None:
            await reader.readexactly(self.stop_reading_after)
            await self._do("BODY", writer)
        message = bytearray()
        while not message.endswith(b"\r\n.\r\n"):
            message += await reader.read(65536) or _end()
        self.messages.append(bytes(message))
        self.got_message.set()
        await self._do("DOT", writer)

    async def _do(self, step: str, writer: asyncio.StreamWriter) -> None:
        behaviour = self.answers[step]
        for part in behaviour if isinstance(behaviour, tuple) else (behaviour,):
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            elif isinstance(part, float):
                await asyncio.sleep(part)
            else:
                await self._misbehave(part, writer)

    async def _misbehave(self, deed: Deed, writer: asyncio.StreamWriter) -> None:
        if deed is Deed.HANG:
            await asyncio.Event().wait()
        if deed is Deed.RESET:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if deed in (Deed.CUT, Deed.RESET):
            raise _Over
        await _write_for_ever(deed, writer)


def _end() -> bytes:
    raise _Over


def _is_go_ahead(behaviour: Behaviour) -> bool:
    return isinstance(behaviour, bytes) and behaviour.startswith(b"3")


async def _write_for_ever(deed: Deed, writer: asyncio.StreamWriter) -> None:
    piece = b"x" * 512 if deed is Deed.ENDLESS_LINE else b"250-more\r\n"
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
