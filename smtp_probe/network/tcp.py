"""TCP connections that measure the peer and not us.

In: addresses to try in turn, the port, our source address, a deadline. Out: a connected `PromptSocket`, or a
`ProbeError` with the cause. It looks up no names and speaks no protocol.

A `PromptSocket` works against two waits that would be ours and would be read as the server's: Nagle's algorithm is
off (TCP_NODELAY), and the delayed acknowledgement is off where the platform can (TCP_QUICKACK). The kernel
forgets the latter by itself, so it is set again after each read and each write. Without it a server that writes a
session ticket and then its reply waits up to 40 ms for our acknowledgement between the two.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from smtp_probe.errors import ProbeError
from smtp_probe.model import Cause, Phase

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_MOST_ADDRESSES = 10

_CAUSES = {
    errno.ECONNREFUSED: Cause.CONNECT_REFUSED,
    errno.ECONNRESET: Cause.CONNECTION_LOST,
    errno.ETIMEDOUT: Cause.CONNECT_TIMEOUT,
    errno.EADDRNOTAVAIL: Cause.LOCAL_ADDRESS,
    errno.EADDRINUSE: Cause.LOCAL_ADDRESS,
    errno.EAFNOSUPPORT: Cause.LOCAL_ADDRESS,
    errno.EACCES: Cause.LOCAL_ADDRESS,
    errno.EPERM: Cause.LOCAL_ADDRESS,
    errno.EINVAL: Cause.LOCAL_ADDRESS,
    errno.EMFILE: Cause.INTERNAL,
    errno.ENFILE: Cause.INTERNAL,
    errno.ENOBUFS: Cause.INTERNAL,
    errno.ENOMEM: Cause.INTERNAL,
}

_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})
"""What connect(2) says at once, before it sends anything, where our own routing table has no way."""

_TELLING = (
    Cause.CONNECTION_LOST,
    Cause.CONNECT_REFUSED,
    Cause.CONNECT_TIMEOUT,
    Cause.NETWORK_UNREACHABLE,
    Cause.NO_ROUTE,
    Cause.LOCAL_ADDRESS,
    Cause.INTERNAL,
)
"""Of several addresses that failed, the one whose failure stands first here is reported: it got farthest."""


def cut(transport: asyncio.BaseTransport | None) -> None:
    """End a connection now, without a farewell. Does nothing where it has ended already.

    Python 3.11 before 3.11.5 raises AttributeError when a TLS connection that has ended is aborted.
    """
    if isinstance(transport, asyncio.WriteTransport):
        with suppress(AttributeError):
            transport.abort()


class PromptSocket(socket.socket):
    """A TCP socket that delays nothing, and tells when the kernel has taken all it was given."""

    def __init__(self, family: socket.AddressFamily) -> None:
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.on_handed_over: Callable[[], None] | None = None
        """Called once, after the next send that leaves nothing over, before anything else can happen."""
        self.setblocking(False)
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def acknowledge_at_once(self) -> None:
        """Have the kernel acknowledge without delay, for as long as it remembers."""
        if _QUICKACK is not None:
            try:
                self.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
            except OSError:  # a connection that is dead by now needs no acknowledgements
                return

    def recv(self, *arguments: Any) -> bytes:
        """Read, and acknowledge what was read."""
        data = super().recv(*arguments)
        self.acknowledge_at_once()
        return data

    def recv_into(self, *arguments: Any) -> int:
        """Read into a buffer, and acknowledge what was read."""
        count = super().recv_into(*arguments)
        self.acknowledge_at_once()
        return count

    def send(self, data: Any, *arguments: Any) -> int:
        """Hand over what the kernel takes."""
        count = super().send(data, *arguments)
        self._sent(count, memoryview(data).nbytes)
        return count

    def sendmsg(self, buffers: Any, *arguments: Any) -> int:
        """Hand over what the kernel takes of several buffers (asyncio does so from Python 3.12)."""
        pieces = list(buffers)
        count = super().sendmsg(pieces, *arguments)
        self._sent(count, sum(memoryview(piece).nbytes for piece in pieces))
        return count

    def _sent(self, count: int, offered: int) -> None:
        if count == offered and self.on_handed_over is not None:
            told, self.on_handed_over = self.on_handed_over, None
            told()
        self.acknowledge_at_once()


class _NoRouteError(OSError):
    """Our own machine has no way to an address."""


async def connect_tcp(
    addresses: Sequence[str], port: int, *, source_address: str | None, deadline: float
) -> PromptSocket:
    """Connect to the first of the addresses that answers.

    `deadline` is in the event loop's time and is for all addresses together: each try gets an equal share of what
    is left. Raises `ProbeError` at stage `connect` with the most telling cause.
    """
    candidates = _usable(addresses, source_address)
    failures: list[ProbeError] = []
    for position, address in enumerate(candidates):
        now = asyncio.get_running_loop().time()
        share = max(deadline - now, 0.0) / (len(candidates) - position)
        try:
            return await _connect_one(address, port, source_address, now + share)
        except OSError as error:
            failures.append(_to_probe_error(address, error))
    raise min(failures, key=lambda failure: _TELLING.index(failure.cause))


async def _connect_one(address: str, port: int, source: str | None, deadline: float) -> PromptSocket:
    """One try. Raises OSError; TimeoutError is one."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = PromptSocket(family)
    try:
        if source is not None:
            _bind(connection, source)
        # Said at once, it is our own kernel's word; said later, that of a router on the way.
        _begin_connecting(connection, address, port)
        async with asyncio.timeout_at(deadline):
            await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    connection.acknowledge_at_once()
    return connection


def _begin_connecting(connection: PromptSocket, address: str, port: int) -> None:
    """Have the kernel send its SYN. Raises _NoRouteError where it knows no way; other errors show later."""
    refusal = connection.connect_ex((address, port))
    if refusal in _NO_ROUTE:
        raise _NoRouteError(refusal, os.strerror(refusal))


def _bind(connection: PromptSocket, source: str) -> None:
    """Bind to our source address. Whatever hinders it is our side's, so it is given as EADDRNOTAVAIL."""
    try:
        connection.bind((source, 0))
    except OSError as error:
        message = f"source address {source}: {error.strerror}"
        raise OSError(errno.EADDRNOTAVAIL, message) from error


def _usable(addresses: Sequence[str], source: str | None) -> list[str]:
    """The addresses that can be reached from the source address: those of its family."""
    if source is None:
        return list(addresses[:_MOST_ADDRESSES])
    try:
        is_six = ipaddress.ip_address(source).version == 6
    except ValueError:
        detail = "source_address is not an IP address"
        raise ProbeError(Phase.CONNECT, Cause.LOCAL_ADDRESS, detail=detail) from None
    usable = [address for address in addresses if (":" in address) == is_six]
    if not usable:
        detail = "the host has no address of the family of source_address"
        raise ProbeError(Phase.CONNECT, Cause.LOCAL_ADDRESS, detail=detail)
    return usable[:_MOST_ADDRESSES]


def _to_probe_error(address: str, error: OSError) -> ProbeError:
    """Say why one address could not be connected to."""
    if isinstance(error, TimeoutError):
        return ProbeError(Phase.CONNECT, Cause.CONNECT_TIMEOUT, detail=f"{address}: no answer")
    if isinstance(error, _NoRouteError):
        return ProbeError(
            Phase.CONNECT, Cause.NO_ROUTE, detail=f"{address}: {error.strerror}, on this machine"
        )
    cause = _CAUSES.get(error.errno or 0, Cause.NETWORK_UNREACHABLE)
    return ProbeError(Phase.CONNECT, cause, detail=f"{address}: {error.strerror or 'cannot connect'}")
