"""Opening the TCP connection to one of a server's addresses, from the local address that was configured.

In: addresses in the order to be tried. Out: a connected socket, or `errors.MailboxError` with the cause that says
most. It looks up nothing and speaks no protocol.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from smtp_probe.errors import MailboxError
from smtp_probe.mail.text import sanitise
from smtp_probe.model import Cause

_KEEPALIVE_SECONDS = 60
_CAUSES = {
    errno.ECONNREFUSED: Cause.CONNECT_REFUSED,
    errno.ECONNRESET: Cause.CONNECT_REFUSED,
    errno.ETIMEDOUT: Cause.CONNECT_TIMEOUT,
    errno.EADDRNOTAVAIL: Cause.LOCAL_ADDRESS,
    errno.EADDRINUSE: Cause.LOCAL_ADDRESS,
    errno.EAFNOSUPPORT: Cause.LOCAL_ADDRESS,
}
_TELLING = (
    Cause.CONNECT_REFUSED,
    Cause.CONNECT_TIMEOUT,
    Cause.NETWORK_UNREACHABLE,
    Cause.LOCAL_ADDRESS,
)
"""Which cause stands for all, where the addresses fail differently: the one nearest to the server."""


async def dial(
    addresses: Sequence[str], port: int, *, source_address: str | None, seconds: float
) -> socket.socket:
    """Connect to the first address that answers; non-blocking socket, TCP keep-alive on.

    `seconds` are for all addresses: each gets an equal part of what is left, so that a silent first one does not
    use up the time of the others. Raises `errors.MailboxError` of stage `connect`.
    """
    clock = asyncio.get_running_loop().time
    ends = clock() + seconds
    failures: list[tuple[Cause, str]] = []
    for position, address in enumerate(addresses):
        share = max(ends - clock(), 0.0) / (len(addresses) - position)
        try:
            async with asyncio.timeout(share):
                return await _connect(address, port, source_address)
        except TimeoutError:
            failures.append((Cause.CONNECT_TIMEOUT, f"{address}: no answer within {share:.3g} s"))
        except OSError as error:
            cause = _CAUSES.get(error.errno or 0, Cause.NETWORK_UNREACHABLE)
            failures.append((cause, f"{address}: {error.strerror or error}"))
    if not failures:
        raise MailboxError("connect", Cause.NO_SUCH_HOST, detail="the host has no address")
    cause = min((cause for cause, _ in failures), key=_TELLING.index)
    detail = sanitise("; ".join(text for _, text in failures))
    raise MailboxError("connect", cause, detail=detail)


async def _connect(address: str, port: int, source_address: str | None) -> socket.socket:
    family = _family(address)
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_SECONDS)
        if source_address is not None:
            if _family(source_address) != family:
                raise OSError(errno.EAFNOSUPPORT, f"not of the family of {source_address}")
            connection.bind((source_address, 0))
        await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return connection


def _family(address: str) -> socket.AddressFamily:
    try:
        version = ip_address(address).version
    except ValueError as error:
        raise OSError(errno.EAFNOSUPPORT, f"{address!r} is not an IP address") from error
    return socket.AF_INET6 if version == 6 else socket.AF_INET
