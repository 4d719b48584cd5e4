"""The receiver of the drills: a small SMTP server on aiosmtpd that listens during a drill, and takes next to nothing.

In: a place, a manner, and a `ports.Reception` that answers for every recipient and every message. It relays nothing, has no
AUTH and no accounts, and keeps nothing. It offers STARTTLS, with a certificate of its own making, and demands it of nobody. Bounded: connections at once and by the minute, commands and seconds of a session,
bytes of a line and of a message. What is beyond is answered 421, or cut.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from smtp_probe.errors import ReceiverError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Manner
from smtp_probe.network.drill_certificate import make_tls_context
from smtp_probe.ports import Clock, Reception, Visit

_log = logging.getLogger(__name__)
# The library logs every command at INFO, and with it the tags, which prove a message to be ours.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)

_MOST_MESSAGE_BYTES = 65_536
_MOST_COMMANDS = 20
"""Of each kind in one session."""
_NS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a receiver lets happen."""

    most_connections: int = 20
    most_per_minute: int = 120
    session_seconds: float = 60.0
    """A session is cut then, whatever it does."""
    hold_seconds: float = 600.0
    """The same of one that is held: silent, or in the tarpit."""


_LAST_TURNS_SECONDS = 0.005
"""For the transports to tell their protocols, and for who was just let in to be cut."""


class DrillReceiver:
    """`ports.MailReceiver` at one place."""

    def __init__(  # noqa: PLR0913  # a place, a name, and how to behave there
        self,
        address: str,
        port: int,
        hostname: str,
        reception: Reception,
        clock: Clock,
        *,
        manner: Manner = Manner.SERVE,
        limits: Limits | None = None,
    ) -> None:
        self._place = address, port
        self._hostname = hostname
        self._reception = reception
        self._clock = clock
        self._manner = manner
        self._limits = limits or Limits()
        self._server: asyncio.Server | None = None
        self._is_closed = False
        self._tls: ssl.SSLContext | None = None
        self._open: dict[asyncio.BaseTransport, asyncio.TimerHandle] = {}
        self._recent: deque[int] = deque()

    async def open(self) -> None:
        """Begin to listen. Raises ReceiverError."""
        address, port = self._place
        self._is_closed = False
        loop = asyncio.get_running_loop()
        try:
            self._tls = make_tls_context(self._hostname, self._clock.now_ns())
            self._server = await loop.create_server(self._protocol, address, port, backlog=16)
        except OSError as error:
            reason = error.strerror or str(error)
            message = sanitise(f"nothing can listen on {address} port {port}: {reason}")
            raise ReceiverError(message) from error

    async def close(self) -> None:
        """Stop, and cut whatever is connected."""
        self._is_closed = True
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport, timer in list(self._open.items()):
            timer.cancel()
            _cut(transport)
        self._open.clear()
        await asyncio.sleep(_LAST_TURNS_SECONDS)

    # Connections.

    def _protocol(self) -> asyncio.Protocol:
        if not self._has_room():
            return _Brief(self, b"421 4.3.2 Too many connections, try again later\r\n")
        if self._manner is Manner.UNAVAILABLE:
            return _Brief(self, b"421 4.3.2 Not available, on purpose: this is a drill\r\n", counts=True)
        if self._manner is Manner.SERVE:
            return _Session(self, self._hostname, self._tls)
        return _Held(self, drips=self._manner is Manner.TARPIT)

    def _has_room(self) -> bool:
        now_ns = self._clock.now_ns()
        while self._recent and now_ns - self._recent[0] > 60 * _NS:
            self._recent.popleft()
        self._recent.append(now_ns)
        limits = self._limits
        if len(self._recent) > limits.most_per_minute:
            self._recent.pop()
            return False
        return len(self._open) < limits.most_connections

    def came(self, transport: asyncio.BaseTransport, *, counts: bool = True) -> Visit:
        """Note a connection, and when it is to be cut."""
        peer = transport.get_extra_info("peername")
        visit = Visit(peer=sanitise(str(peer[0]), 60) if peer else "", came_ns=self._clock.now_ns())
        is_held = self._manner in (Manner.SILENT, Manner.TARPIT)
        seconds = self._limits.hold_seconds if is_held else self._limits.session_seconds
        if (
            self._is_closed
        ):  # the loop had taken the connection before that, and gives it to its protocol only now
            seconds = 0
        loop = asyncio.get_running_loop()
        self._open[transport] = loop.call_later(seconds, _cut, transport)
        if counts:
            self._reception.came(visit)
        return visit

    def gone(self, transport: asyncio.BaseTransport | None) -> None:
        """Forget a connection that has ended."""
        timer = None if transport is None else self._open.pop(transport, None)
        if timer is not None:
            timer.cancel()

    @property
    def reception(self) -> Reception:
        """Who answers."""
        return self._reception

    @property
    def hold_seconds(self) -> float:
        """How long a held connection lasts."""
        return self._limits.hold_seconds


class _Session(SMTP):
    """One SMTP session of the library, with our answers."""

    def __init__(self, receiver: DrillReceiver, hostname: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(
            _Answers(receiver.reception, lambda: self.visit),
            data_size_limit=_MOST_MESSAGE_BYTES,
            hostname=hostname,
            ident="ESMTP smtp-probe drill",
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            command_call_limit=_MOST_COMMANDS,
            tls_context=tls,
            loop=asyncio.get_running_loop(),
        )
        self._receiver = receiver
        self._own_transport: asyncio.BaseTransport | None = None
        self.visit = Visit(peer="", came_ns=0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._own_transport is None:  # STARTTLS makes a second transport of the same connection
            self._own_transport = transport
            self.visit = self._receiver.came(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._receiver.gone(self._own_transport)
        super().connection_lost(error)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802  # the library calls it so
        """Begin TLS once: inside of TLS the library would begin it again."""
        if self.session is not None and self.session.ssl is not None:
            await self.push("503 5.5.1 TLS is in use already")
        else:
            await super().smtp_STARTTLS(arg)


class _Answers:
    """The library's hooks, answered by a reception."""

    def __init__(self, reception: Reception, visit: Callable[[], Visit]) -> None:
        self._reception = reception
        self._visit = visit

    async def handle_RCPT(  # noqa: N802  # the library calls it so
        self, _server: Any, session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        reply = self._reception.take_recipient(self._named(session), address)
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, _server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        return self._reception.take_message(self._named(session), tuple(envelope.rcpt_tos), content)

    async def handle_VRFY(self, *_: Any) -> str:  # noqa: N802
        return "252 2.5.1 Nobody is verified here"

    async def handle_exception(self, error: Exception) -> str:
        """Log a fault of ours, and tell the stranger nothing of it."""
        _log.error("a session of the receiver failed by our own fault", exc_info=error)
        return "451 4.3.0 Internal error"

    def _named(self, session: Session) -> Visit:
        channel = session.ssl.get("ssl_object") if session.ssl else None
        version = None if channel is None else channel.version()
        return replace(self._visit(), ehlo_name=str(session.host_name or "")[:255], tls=version or "")


class _Brief(asyncio.Protocol):
    """Says one line and hangs up."""

    def __init__(self, receiver: DrillReceiver, line: bytes, *, counts: bool = False) -> None:
        self._receiver = receiver
        self._line = line
        self._counts = counts
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._counts:
            self._receiver.came(transport)
        transport.write(self._line)
        transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        self._receiver.gone(self._transport)


class _Held(asyncio.Protocol):
    """Holds a connection without a word, or with a greeting that never ends, and reads nothing of what comes."""

    def __init__(self, receiver: DrillReceiver, *, drips: bool) -> None:
        self._receiver = receiver
        self._drips = drips
        self._transport: asyncio.Transport | None = None
        self._next: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._receiver.came(transport)
        if self._drips:
            self._drip()

    def connection_lost(self, _error: Exception | None) -> None:
        if self._next is not None:
            self._next.cancel()
        self._receiver.gone(self._transport)

    def _drip(self) -> None:
        assert self._transport is not None
        self._transport.write(b"220-one moment, please\r\n")
        wait = max(self._receiver.hold_seconds / 20, 0.05)
        self._next = asyncio.get_running_loop().call_later(wait, self._drip)


def _cut(transport: asyncio.BaseTransport) -> None:
    """End a connection now, whatever is still to be sent."""
    if isinstance(transport, asyncio.Transport):
        transport.abort()
