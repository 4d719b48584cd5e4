"""One host of the embedded mail path: takes mail in, stamps it in its dialect, keeps it a while, hands it on.

In: SMTP or LMTP connections on a free port of 127.0.0.1, and what the recipient's scenario says. Out: letters for
the next host, or bounces to the sender. Takes mail only for the residents of the address book, so it never relays
to the world. Knows neither the next host's protocol nor the mailboxes: `onward` does.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword, Session

from smtp_probe.demo.addresses import AddressBook, is_well_formed
from smtp_probe.demo.certificates import LOOPBACK
from smtp_probe.demo.dialects import Dialect, Instants
from smtp_probe.demo.dialects import Reception as Facts
from smtp_probe.demo.forwarding import Attempt
from smtp_probe.demo.hop_clock import HopClock
from smtp_probe.demo.letter import Letter, decode_xtext
from smtp_probe.demo.notification import FailedDelivery, build_bounce
from smtp_probe.demo.path_log import Happening, PathLog
from smtp_probe.demo.queue_ids import postfix_long_id
from smtp_probe.demo.reception import LmtpReception, Reception, StampedEnvelope
from smtp_probe.demo.scenarios import Behaviour, HopName, Scenario
from smtp_probe.demo.spool import Spool

SPAM_FLAG = b"X-Spam-Flag: YES\r\n"
_SPOOL_CAPACITY = 200
_MAXIMUM_ATTEMPTS = 5
_MAXIMUM_HOPS = 30
_MAXIMUM_GREYLISTED = 1000
_CLOSE_SECONDS = 1.0
_HOST_NAME = re.compile(r"[A-Za-z0-9._:\[\]-]{1,253}")
_MESSAGE_ID = re.compile(rb"^message-id:\s{0,20}(<[!-;=?-~]{1,200}>)", re.IGNORECASE | re.MULTILINE)

Onward = Callable[[Letter], Awaitable[Attempt]]
"""Hands a letter to the next host, or into a mailbox, and says how that ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Who a host is, and what it asks of those who connect."""

    hop: HopName
    name: str
    dialect: Dialect
    login: tuple[str, str] | None = None
    """User name and password, where the host takes mail from authenticated users only."""
    tls: ssl.SSLContext | None = None


class Relay:
    """A host at work. `start` it, `close` it."""

    def __init__(
        self,
        host: Host,
        *,
        clock: HopClock,
        addresses: AddressBook,
        log: PathLog,
        onward: Onward,
        on_forge: Callable[[Letter], None] | None = None,
    ) -> None:
        self._host = host
        self._clock = clock
        self._addresses = addresses
        self._log = log
        self._onward = onward
        self._on_forge = on_forge
        self._spool = Spool(host.name, _SPOOL_CAPACITY)
        self._connections: set[Reception] = set()
        self._serials = itertools.count(1)
        self._greylisted: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen on a free port of 127.0.0.1 and return it."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._new_connection, LOOPBACK, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop listening, cut every connection and drop what is on its way. Takes two seconds at most."""
        if self._server is not None:
            self._server.close()
        ending = [task for connection in set(self._connections) if (task := connection.abort()) is not None]
        await self._spool.close()
        if ending:
            await asyncio.wait(ending, timeout=_CLOSE_SECONDS)
        if self._server is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), _CLOSE_SECONDS)

    def _new_connection(self) -> Reception:
        kind = LmtpReception if self._host.hop is HopName.STORE else Reception
        return kind(
            self,
            self._clock,
            self._connections,
            hostname=self._host.name,
            ident=self._host.dialect.greeting,
            tls_context=self._host.tls,
            require_starttls=self._host.login is not None,
            auth_required=self._host.login is not None,
            authenticator=self._authenticate,
        )

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Any, _mechanism: str, given: Any
    ) -> AuthResult:
        wanted = tuple(word.encode() for word in self._host.login or ())
        is_right = isinstance(given, LoginPassword) and tuple(given) == wanted
        return AuthResult(success=is_right, handled=False, auth_data=given)

    # The hooks of aiosmtpd, named by it. Each returns the reply.

    async def handle_EHLO(
        self, _server: Reception, session: Session, _envelope: StampedEnvelope, name: str, lines: list[str]
    ) -> list[str]:
        """Keep the client's name, in a form that may stand in a header, and offer DSN (not over LMTP)."""
        session.host_name = name if _HOST_NAME.fullmatch(name) else "unknown"
        offer = [] if self._host.hop is HopName.STORE else ["250-DSN"]
        return [*lines[:-1], *offer, lines[-1]]

    async def handle_MAIL(
        self,
        _server: Reception,
        _session: Session,
        envelope: StampedEnvelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take a sender of plain form; from users who log in, only the prober's own address or none."""
        sender = "" if address == "<>" else address
        if sender and not is_well_formed(sender):
            return "553 5.1.7 Sender address is not of a form that is accepted here"
        if sender and self._host.login and not self._addresses.is_sender(sender):
            return "553 5.7.1 Sender address is not yours"
        if self._spool.is_full:
            return "452 4.3.1 Insufficient system storage"
        envelope.mail_from = address
        envelope.mail_ns = self._clock.now_ns()
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self,
        _server: Reception,
        _session: Session,
        envelope: StampedEnvelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take one recipient, if it lives here and its scenario lets it pass."""
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time"
        resident = self._addresses.find(address)
        if resident is None:
            return "550 5.7.1 Relay access denied"
        if refusal := self._refusal(envelope.mail_from or "", address, resident.scenario):
            self._log.record(self._host.name, Happening.REFUSED, address, detail=refusal)
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.recipient_ns = self._clock.now_ns()
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Reception, session: Session, envelope: StampedEnvelope) -> str:
        """Stamp the message and queue it; the store files it before it answers, as an LMTP server does."""
        content = envelope.original_content or b""
        if content.count(b"\r\nReceived:") > _MAXIMUM_HOPS:
            return "554 5.4.6 Too many hops"
        facts = self._facts(server, session, envelope, content)
        at = Instants(
            connected_ns=server.connected_ns,
            mail_ns=envelope.mail_ns,
            recipient_ns=envelope.recipient_ns,
            data_ns=envelope.data_ns,
            received_ns=self._clock.now_ns(),
        )
        dialect = self._host.dialect
        queue_id = dialect.queue_id(facts, at)
        letter = Letter(
            sender=facts.sender,
            recipient=facts.recipient,
            content=self._stamped(facts, content, dialect.received(facts, at, queue_id)),
            queue_id=queue_id,
            arrived_ns=at.received_ns,
            dsn=envelope.dsn,
        )
        return await self._take(letter) or dialect.accepted(facts, queue_id)

    def _facts(
        self, server: Reception, session: Session, envelope: StampedEnvelope, content: bytes
    ) -> Facts:
        message_id = _MESSAGE_ID.search(content.partition(b"\r\n\r\n")[0])
        sender = envelope.mail_from or ""
        return Facts(
            by=self._host.name,
            helo=session.host_name or "unknown",
            peer_name="localhost",
            peer_address=LOOPBACK,
            sender="" if sender == "<>" else sender,
            recipient=envelope.rcpt_tos[0],
            message_id=message_id[1].decode("ascii") if message_id else "",
            tls=server.tls_session,
            user=self._host.login[0] if self._host.login and session.authenticated else None,
            ordinal=server.ordinal,
            serial=next(self._serials),
        )

    def _stamped(self, facts: Facts, content: bytes, received: bytes) -> bytes:
        resident = self._addresses.find(facts.recipient)
        if self._host.hop is HopName.STORE:
            mailbox = resident.mailbox if resident else ""
            received = f"Return-Path: <{facts.sender}>\r\nDelivered-To: {mailbox}\r\n".encode() + received
        if self._host.hop is HopName.FILTER and resident and resident.scenario.behaviour is Behaviour.JUNK:
            received = SPAM_FLAG + received
        return received + content

    def _refusal(self, sender: str, recipient: str, scenario: Scenario) -> str | None:
        """The reply that refuses a recipient, where the scenario wants that at this hop."""
        match self._host.hop, scenario.behaviour:
            case HopName.RELAY, Behaviour.REFUSE:
                return f"550 5.1.1 <{recipient}>: user unknown"
            case HopName.FILTER, Behaviour.GREYLIST if not self._has_waited(sender, recipient):
                return "451 4.7.1 Greylisted, please try again later"
        return None

    def _has_waited(self, sender: str, recipient: str) -> bool:
        """Whether this is not the first attempt. Forgotten as soon as it passes, so that each probe shows it."""
        pair = (sender, recipient)
        if pair in self._greylisted:
            del self._greylisted[pair]
            return True
        self._greylisted[pair] = None
        if len(self._greylisted) > _MAXIMUM_GREYLISTED:
            self._greylisted.popitem(last=False)
        return False

    async def _take(self, letter: Letter) -> str | None:
        """Make a letter ours. Returns the reply that refuses it, or None."""
        resident = self._addresses.find(letter.recipient)
        if resident is None:  # a bounce for somebody outside
            return "550 5.7.1 Relay access denied"
        self._log.record(self._host.name, Happening.RECEIVED, letter.recipient, queue_id=letter.queue_id)
        if self._host.hop is HopName.STORE:
            await asyncio.sleep(resident.scenario.hop(self._host.hop).delay_seconds)
            attempt = await self._onward(letter)
            self._log.record(self._host.name, Happening.STORED, letter.recipient, queue_id=letter.queue_id)
            return None if attempt.is_accepted else str(attempt.reply)
        if not self._spool.add(self._carry(letter, resident.scenario)):
            return "452 4.3.1 Insufficient system storage"
        return None

    async def _carry(self, letter: Letter, scenario: Scenario) -> None:
        """Keep one letter for its delay, then hand it on, drop it, or send it back."""
        await asyncio.sleep(scenario.hop(self._host.hop).delay_seconds)
        if self._host.hop is HopName.FILTER and scenario.behaviour is Behaviour.DISCARD:
            self._log.record(self._host.name, Happening.DISCARDED, letter.recipient, queue_id=letter.queue_id)
            return
        if self._on_forge is not None and scenario.behaviour is Behaviour.FORGE:
            self._on_forge(letter)
        attempt = await self._hand_on(letter, scenario)
        if not attempt.is_accepted:
            await self._bounce(letter, attempt)

    async def _hand_on(self, letter: Letter, scenario: Scenario) -> Attempt:
        """Try until the next host says yes or never, at most five times."""
        for number in range(1, _MAXIMUM_ATTEMPTS + 1):
            attempt = await self._onward(letter)
            if attempt.is_accepted:
                self._log.record(
                    self._host.name, Happening.FORWARDED, letter.recipient, queue_id=letter.queue_id
                )
                break
            if attempt.reply.is_permanent or number == _MAXIMUM_ATTEMPTS:
                break
            self._log.record(
                self._host.name,
                Happening.DEFERRED,
                letter.recipient,
                queue_id=letter.queue_id,
                detail=str(attempt.reply),
            )
            await asyncio.sleep(scenario.retry_seconds)
        return attempt

    async def _bounce(self, letter: Letter, attempt: Attempt) -> None:
        """Tell the sender, unless there is none or it does not want to know (RFC 3461 section 5.2)."""
        self._log.record(
            self._host.name,
            Happening.BOUNCED,
            letter.recipient,
            queue_id=letter.queue_id,
            detail=str(attempt.reply),
        )
        if not letter.sender or not letter.dsn.wants_failures:
            return
        now_ns = self._clock.now_ns()
        notification_id = postfix_long_id(now_ns, 0x20000 + next(self._serials))
        dsn = letter.dsn
        failed = FailedDelivery(
            reporting_host=self._host.name,
            remote_host="the next host",
            queue_id=letter.queue_id,
            notification_id=notification_id,
            sender=letter.sender,
            recipient=letter.recipient,
            content=letter.content,
            reply=attempt.reply,
            stage=attempt.stage,
            arrived_ns=letter.arrived_ns,
            now_ns=now_ns,
            envid=decode_xtext(dsn.envid) if dsn.envid else None,
            original_recipient=decode_xtext(dsn.orcpt) if dsn.orcpt else None,
            return_full=(dsn.ret or "").upper() == "FULL",
        )
        await self._take(
            Letter(
                sender="",
                recipient=letter.sender,
                content=build_bounce(failed),
                queue_id=notification_id,
                arrived_ns=now_ns,
            )
        )
