"""How many clients may be connected, and how long one may take to ask.

In: aiohttp's server. Out: a protocol factory that admits so many at once, and cuts a connection on which no whole request
has come in time: aiohttp has a deadline between requests, and none before the first. A TLS handshake has its own deadline
and is not counted before it has ended.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

MAX_CONNECTIONS = 512
FIRST_REQUEST_SECONDS = 15.0


class Connections:
    """The connections of one server, over all its addresses."""

    def __init__(self, server: web.Server) -> None:
        self._server = server
        self._silent: set[int] = set()

    def accept(self) -> asyncio.BaseProtocol:
        """Give the protocol of a new connection."""
        if len(self._server.connections) >= MAX_CONNECTIONS:
            return _Refusal()
        protocol = self._server()
        self._silent.add(id(protocol))
        asyncio.get_running_loop().call_later(FIRST_REQUEST_SECONDS, self._cut_if_silent, protocol)
        return protocol

    def asked(self, protocol: asyncio.BaseProtocol) -> None:
        """Learn that a whole request has come on a connection."""
        self._silent.discard(id(protocol))

    def _cut_if_silent(self, protocol: asyncio.BaseProtocol) -> None:
        # The timer holds the protocol, so that its id is nobody else's meanwhile.
        is_silent = id(protocol) in self._silent
        self._silent.discard(id(protocol))
        transport = getattr(protocol, "transport", None)
        if is_silent and isinstance(transport, asyncio.Transport):
            transport.abort()


class _Refusal(asyncio.Protocol):
    """One connection too many: closed at once, so that those that stand are served."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
