"""The steps that open an IMAP connection: TLS, greeting, STARTTLS, login.

In: an `ImapConnection` and a connected socket. Out: the connection, ready for commands, or `errors.MailboxError` with
the step as its stage. What was said before TLS, or before the login, is forgotten after it.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable
from typing import Any

from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause
from smtp_probe.network.imap_connection import ImapConnection
from smtp_probe.network.imap_login import Dialogue
from smtp_probe.network.tls import failed_tls_facts, say_tls_error, tls_facts

_KEEPALIVE_SECONDS = 60
"""A connection that idles for minutes must be seen by the NAT on its way, and its death by us."""


async def attach(connection: ImapConnection, connected: socket.socket) -> None:
    """Take over a connected socket, without TLS for now."""
    _keep_alive(connected)
    loop = connection.protocol.loop
    await connection.run("connect", loop.create_connection(lambda: connection.protocol, sock=connected))


async def attach_securely(
    connection: ImapConnection, connected: socket.socket, context: ssl.SSLContext, name: str
) -> None:
    """Take over a connected socket and shake hands at once (implicit TLS, RFC 8314)."""
    _keep_alive(connected)
    opening = connection.protocol.loop.create_connection(
        lambda: connection.protocol, sock=connected, ssl=context, server_hostname=name
    )
    transport, _ = await _shake_hands(connection, "tls", opening)
    _insist_on_tls(connection, "tls", transport)


async def greet(connection: ImapConnection) -> None:
    """Wait for the server's first word, and know its capabilities."""
    told = connection.protocol.told
    await connection.run("greeting", connection.protocol.wait_until(lambda: told.greeting is not None))
    if not told.capabilities:
        await _ask_capabilities(connection, "greeting")


async def start_tls(connection: ImapConnection, context: ssl.SSLContext, name: str) -> None:
    """Secure the connection, and forget what the server said before (RFC 3501 section 6.2.1)."""
    protocol = connection.protocol
    if connection.is_authenticated:  # RFC 3501 section 7.1.4: too late for TLS, whoever arranged it
        detail = "the server greeted with PREAUTH: TLS is not possible any more"
        raise connection.doubt("starttls", detail, Cause.STARTTLS_NOT_OFFERED)
    if "STARTTLS" not in connection.protocol.told.capabilities:
        detail = "the server does not offer STARTTLS"
        raise connection.doubt("starttls", detail, Cause.STARTTLS_NOT_OFFERED)
    await connection.ask("starttls", protocol.simple_command("STARTTLS"))
    protocol.told.capabilities = set()
    upgrade = protocol.loop.start_tls(protocol.transport, protocol, context, server_hostname=name)
    _insist_on_tls(connection, "starttls", await _shake_hands(connection, "starttls", upgrade))
    await _ask_capabilities(connection, "starttls")


async def log_in(connection: ImapConnection, dialogue: Dialogue) -> None:
    """Authenticate, and learn the capabilities anew: they may be others for a known user."""
    connection.protocol.told.capabilities = set()
    await connection.ask("login", connection.protocol.log_in(dialogue), refused=Cause.AUTH_REFUSED)
    if not connection.protocol.told.capabilities:
        await _ask_capabilities(connection, "login")


async def _ask_capabilities(connection: ImapConnection, stage: str) -> None:
    await connection.ask(stage, connection.protocol.simple_command("CAPABILITY"))


async def _shake_hands(connection: ImapConnection, stage: str, work: Awaitable[Any]) -> Any:
    try:
        return await connection.run(stage, work)
    except BaseException as error:
        connection.protocol.closed.set()  # asyncio does not tell the protocol of a handshake that failed
        if isinstance(error, OSError):
            raise _handshake_error(connection, stage, error) from None
        raise


def _handshake_error(connection: ImapConnection, stage: str, error: OSError) -> MailboxError:
    shown = connection.protocol.shown
    if not isinstance(error, ssl.SSLError):
        return MailboxError(stage, Cause.CONNECTION_LOST, detail=shown(str(error)))
    connection.tls_facts = facts = failed_tls_facts(error)
    return MailboxError(
        stage, Cause.TLS_FAILED, tls_failure=facts.failure, detail=shown(say_tls_error(error))
    )


def _insist_on_tls(connection: ImapConnection, stage: str, transport: Any) -> None:
    """Look at what the handshake gave: asyncio reports one that was cut off as done, without TLS."""
    ssl_object = None if transport is None else transport.get_extra_info("ssl_object")
    if ssl_object is None:
        raise connection.doubt(
            stage, "the connection was cut during the TLS handshake", Cause.CONNECTION_LOST
        )
    connection.protocol.transport = transport
    connection.tls_facts = tls_facts(ssl_object)


def _keep_alive(connected: socket.socket) -> None:
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_SECONDS)
