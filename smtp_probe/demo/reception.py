"""One SMTP or LMTP connection into a host of the demo: aiosmtpd, with what it lacks.

In: bytes from a client. Out: calls of the hooks of a host (`handle_MAIL` and so on), with an envelope that knows the
instants of each step and the sender's DSN request. Adds to aiosmtpd the parameters of RFC 3461, which it refuses,
and a way to end a connection at once. Decides nothing about a message.
"""

# ruff: noqa: N802 - aiosmtpd finds its commands by these names

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from smtp_probe.demo.dialects import TlsSession
from smtp_probe.demo.hop_clock import HopClock
from smtp_probe.demo.letter import MAIL_KEYWORDS, RCPT_KEYWORDS, DsnRequest, take_dsn_parameters
from smtp_probe.network.tcp import cut

MESSAGE_LIMIT_BYTES = 1_048_576
CONNECTION_LIMIT = 50
"""Most clients of one host at once; the next one is cut off."""
_COMMAND_LIMIT = 100
_IDLE_SECONDS = 60.0


class StampedEnvelope(Envelope):
    """An envelope with the instants of its steps, on the host's clock, and the DSN request."""

    def __init__(self) -> None:
        super().__init__()
        self.mail_ns = 0
        self.recipient_ns = 0
        self.data_ns = 0
        self.dsn = DsnRequest()


class _QuietSession(Session):
    """aiosmtpd logs a warning at each login about an attribute that nobody here uses."""

    login_data = None


class Reception(SMTP):
    """One SMTP connection."""

    def __init__(self, host: Any, clock: HopClock, open_connections: set[Reception], **options: Any) -> None:
        self._clock = clock
        self._open_connections = open_connections
        self.connected_ns = clock.now_ns()
        self.ordinal = 0
        super().__init__(
            host,
            data_size_limit=MESSAGE_LIMIT_BYTES,
            timeout=_IDLE_SECONDS,
            command_call_limit=_COMMAND_LIMIT,
            loop=asyncio.get_running_loop(),
            **options,
        )

    def _create_session(self) -> Session:
        return _QuietSession(self.loop)

    def _create_envelope(self) -> Envelope:
        return StampedEnvelope()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called for the connection, and again when it has been encrypted."""
        super().connection_made(transport)
        self._open_connections.add(self)
        if len(self._open_connections) > CONNECTION_LIMIT:
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Called once, at the end."""
        self._open_connections.discard(self)
        super().connection_lost(error)

    def abort(self) -> asyncio.Task[None] | None:
        """Cut the connection. Returns the task that has served it, and is about to end.

        It is told so: of a connection that is cut amid the TLS handshake, it would never hear.
        """
        cut(self.transport)
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
        return self._handler_coroutine

    @property
    def tls_session(self) -> TlsSession | None:
        """How the connection is encrypted, if it is."""
        ssl_object = self.transport.get_extra_info("ssl_object") if self.transport else None
        cipher = ssl_object.cipher() if isinstance(ssl_object, ssl.SSLObject) else None
        return TlsSession(version=cipher[1], cipher=cipher[0], bits=cipher[2]) if cipher else None

    async def smtp_MAIL(self, arg: str | None) -> None:
        """MAIL, with ENVID and RET."""
        await self._run_with_dsn(arg, MAIL_KEYWORDS, super().smtp_MAIL)

    async def smtp_RCPT(self, arg: str | None) -> None:
        """RCPT, with NOTIFY and ORCPT."""
        await self._run_with_dsn(arg, RCPT_KEYWORDS, super().smtp_RCPT)

    async def smtp_DATA(self, arg: str) -> None:
        """DATA; the instant is taken before its `354`."""
        if isinstance(self.envelope, StampedEnvelope):
            self.envelope.data_ns = self._clock.now_ns()
        self.ordinal += 1
        await super().smtp_DATA(arg)

    async def _run_with_dsn(
        self,
        argument: str | None,
        keywords: tuple[str, ...],
        command: Callable[[str | None], Awaitable[None]],
    ) -> None:
        """Take the DSN parameters out before aiosmtpd sees them: it would fold their case, and refuse them."""
        envelope = self.envelope
        if argument is None or not isinstance(envelope, StampedEnvelope):
            await command(argument)
            return
        before = envelope.dsn
        try:
            rest, envelope.dsn = take_dsn_parameters(argument, keywords, before)
        except ValueError as error:
            await self.push(f"501 5.5.4 {error}")
            return
        known = (envelope.mail_from, len(envelope.rcpt_tos))
        await command(rest)
        if (envelope.mail_from, len(envelope.rcpt_tos)) == known:
            envelope.dsn = before


class LmtpReception(Reception, LMTP):
    """One LMTP connection (RFC 2033): LHLO instead of EHLO. The hosts take one recipient, so one reply follows."""
