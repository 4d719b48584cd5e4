"""How many clients may be connected, and how long one may take to ask.

In: what makes aiohttp's side of a connection, and the TLS context if there is one. Out: a protocol factory that admits so many at once, from the
first packet on: a client that has not ended its TLS handshake takes a place like any other. A connection on which the head
of a request is not whole in time is cut, the first request and each later one: aiohttp has a deadline between requests only.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from aiohttp import web

MAX_CONNECTIONS = 512
HEAD_SECONDS = 15.0
"""From the connection, or the first byte of a later request, to the end of its head."""
HANDSHAKE_SECONDS = 10.0


class Connections:
    """The connections of one server, over all its addresses."""

    def __init__(
        self, converse: Callable[[], web.RequestHandler], context: ssl.SSLContext | None = None
    ) -> None:
        self.converse = converse
        self.context = context
        self.handshakes: set[asyncio.Task[None]] = set()
        self._places = 0
        self._guests: dict[int, Guest] = {}

    def accept(self) -> asyncio.BaseProtocol:
        """Give the protocol of a new connection."""
        if self._places >= MAX_CONNECTIONS:
            return _Refusal()
        self._places += 1
        return Guest(self)

    def asked(self, protocol: asyncio.BaseProtocol) -> None:
        """Learn that the head of a request has come on a connection of aiohttp's."""
        guest = self._guests.get(id(protocol))
        if guest is not None:
            guest.head_is_whole()

    def answered(self, protocol: asyncio.BaseProtocol) -> None:
        """Learn that a request has been answered: what comes now is the next one."""
        guest = self._guests.get(id(protocol))
        if guest is not None:
            guest.may_ask_again()

    def began(self, guest: Guest) -> None:
        """A connection is ready to be asked on."""
        self._guests[id(guest.inner)] = guest

    def left(self, guest: Guest) -> None:
        """A connection is gone, from whichever state."""
        self._places -= 1
        self._guests.pop(id(guest.inner), None)

    async def close(self) -> None:
        """Give up the handshakes that are under way."""
        for task in self.handshakes:
            task.cancel()
        await asyncio.gather(*self.handshakes, return_exceptions=True)


class Guest(asyncio.Protocol):
    """One connection: first secured, then aiohttp's, which `inner` is. Stands between both to see the time pass."""

    def __init__(self, connections: Connections) -> None:
        self.inner = connections.converse()
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._has_begun = False
        self._has_left = False
        self._is_asking = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Secure it, or begin at once."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._connections.context is None:
            self._begin(transport)
            return
        transport.pause_reading()  # the first words are the handshake's
        task = asyncio.get_running_loop().create_task(self._secure(transport, self._connections.context))
        self._connections.handshakes.add(task)
        task.add_done_callback(self._connections.handshakes.discard)

    async def _secure(self, transport: asyncio.Transport, context: ssl.SSLContext) -> None:
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport, self, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
        except OSError:  # the client's doing: no TLS, no certificate, no time
            secured = None
        if secured is None:
            transport.abort()
            self.connection_lost(None)  # asyncio does not say so of a handshake that has not ended
        elif not self._has_left:
            self._begin(secured)

    def _begin(self, transport: asyncio.Transport) -> None:
        self._transport, self._has_begun = transport, True
        self._connections.began(self)
        self.inner.connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Pass on what has come; a new request begins with it where none is being answered."""
        if not self._is_asking and self._timer is None:
            self._wait_for_head()
        self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        self.inner.eof_received()
        return None

    def pause_writing(self) -> None:
        """Pass it on."""
        if self._has_begun:
            self.inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        if self._has_begun:
            self.inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        """Give the place to another."""
        if self._has_left:
            return
        self._has_left = True
        self._stop_timer()
        self._connections.left(self)
        if self._has_begun:
            self.inner.connection_lost(error)

    def head_is_whole(self) -> None:
        """A request is going to be answered: however long that takes, the client is not slow."""
        self._is_asking = True
        self._stop_timer()

    def may_ask_again(self) -> None:
        """The answer is out."""
        self._is_asking = False

    def _wait_for_head(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self._cut)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut(self) -> None:
        self._timer = None
        if self._transport is not None:
            self._transport.abort()


class _Refusal(asyncio.Protocol):
    """One connection too many: closed at once, so that those that stand are served."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
