"""One host of the embedded mail path, seen from the network: takes mail in, and stamps it in its dialect.

In: SMTP or LMTP connections on a free port of 127.0.0.1, and what the recipient's scenario says. Out: stamped
letters for the host's carrier. Takes mail only for the residents of the address book, one recipient at a time, so
it never relays to the world.
"""

# ruff: noqa: N802 - aiosmtpd finds its hooks by these names

from __future__ import annotations

import asyncio
import itertools
import re
from collections import OrderedDict
from contextlib import suppress
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword, Session

from smtp_probe.demo.addresses import is_well_formed
from smtp_probe.demo.carrier import Carrier
from smtp_probe.demo.certificates import LOOPBACK
from smtp_probe.demo.dialects import Facts, Instants
from smtp_probe.demo.host import Host
from smtp_probe.demo.letter import Letter
from smtp_probe.demo.path_log import Happening
from smtp_probe.demo.reception import LmtpReception, Reception, StampedEnvelope
from smtp_probe.demo.scenarios import Behaviour, HopName, Scenario

SPAM_FLAG = b"X-Spam-Flag: YES\r\n"
_MAXIMUM_HOPS = 30
_MAXIMUM_GREYLISTED = 1000
_CLOSE_SECONDS = 1.0
_HOST_NAME = re.compile(r"[A-Za-z0-9._:\[\]-]{1,253}")
_MESSAGE_ID = re.compile(rb"^message-id:\s{0,20}(<[!-;=?-~]{1,200}>)", re.IGNORECASE | re.MULTILINE)


class Relay:
    """A host at work: `start` it, `close` it. The methods named `handle_` are aiosmtpd's hooks; they return replies."""

    def __init__(self, host: Host, carrier: Carrier) -> None:
        self._host = host
        self._carrier = carrier
        self._connections: set[Reception] = set()
        self._serials = itertools.count(1)
        self._greylisted: OrderedDict[tuple[str, str, str], None] = OrderedDict()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen on a free port of 127.0.0.1 and return it."""
        self._server = await asyncio.get_running_loop().create_server(self._new_connection, LOOPBACK, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop listening, cut every connection and drop what is on its way, within three seconds at worst."""
        if self._server is not None:
            self._server.close()
        ending = [task for connection in set(self._connections) if (task := connection.abort()) is not None]
        await self._carrier.close()
        if ending:
            await asyncio.wait(ending, timeout=_CLOSE_SECONDS)
        if self._server is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), _CLOSE_SECONDS)

    def _new_connection(self) -> Reception:
        host = self._host
        kind = LmtpReception if host.hop is HopName.STORE else Reception
        return kind(
            self,
            host.clock,
            self._connections,
            hostname=host.name,
            ident=host.dialect.greeting,
            tls_context=host.tls,
            require_starttls=host.login is not None,
            auth_required=host.login is not None,
            authenticator=self._authenticate,
        )

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Any, _mechanism: str, given: Any
    ) -> AuthResult:
        wanted = tuple(word.encode() for word in self._host.login or ())
        is_right = isinstance(given, LoginPassword) and tuple(given) == wanted
        return AuthResult(success=is_right, handled=False, auth_data=given)

    async def handle_EHLO(
        self, _server: Reception, session: Session, _envelope: StampedEnvelope, name: str, lines: list[str]
    ) -> list[str]:
        """Keep the client's name, in a form that may stand in a header, and say what is offered."""
        session.host_name = name if _HOST_NAME.fullmatch(name) else "unknown"
        if self._host.login is None:
            lines = [line for line in lines if not line.startswith("250-AUTH")]
        dsn = [] if self._host.hop is HopName.STORE else ["250-DSN"]
        return [*lines[:-1], *dsn, lines[-1]]

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
        if sender and self._host.login and not self._host.addresses.is_sender(sender):
            return "553 5.7.1 Sender address is not yours"
        if self._carrier.is_full:
            return "452 4.3.1 Insufficient system storage"
        envelope.mail_from = address
        envelope.mail_ns = self._host.clock.now_ns()
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
        resident = self._host.addresses.find(address)
        if resident is None:
            return "550 5.7.1 Relay access denied"
        if refusal := self._refusal(envelope, address, resident.scenario):
            self._host.report(Happening.REFUSED, address, detail=refusal)
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.recipient_ns = self._host.clock.now_ns()
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Reception, session: Session, envelope: StampedEnvelope) -> str:
        """Stamp the message and give it to the carrier."""
        content = envelope.original_content or b""
        if content.count(b"\r\nReceived:") > _MAXIMUM_HOPS:
            return "554 5.4.6 Too many hops"
        facts = self._facts(server, session, envelope, content)
        at = Instants(
            connected_ns=server.connected_ns,
            mail_ns=envelope.mail_ns,
            recipient_ns=envelope.recipient_ns,
            data_ns=envelope.data_ns,
            received_ns=self._host.clock.now_ns(),
        )
        dialect = self._host.dialect
        queue_id = dialect.queue_id(facts, at)
        letter = Letter(
            sender=facts.sender,
            recipient=facts.recipient,
            content=self._added_on_top(facts) + dialect.received(facts, at, queue_id) + content,
            queue_id=queue_id,
            arrived_ns=at.received_ns,
            dsn=envelope.dsn,
        )
        return await self._carrier.take(letter) or dialect.accepted(facts, queue_id)

    def _facts(self, server: Reception, session: Session, envelope: StampedEnvelope, content: bytes) -> Facts:
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

    def _added_on_top(self, facts: Facts) -> bytes:
        """What a host writes above its own Received header: the store the envelope, the filter its judgement."""
        resident = self._host.addresses.find(facts.recipient)
        if resident is None:
            return b""
        if self._host.hop is HopName.STORE:
            return f"Return-Path: <{facts.sender}>\r\nDelivered-To: {resident.mailbox}\r\n".encode("ascii")
        is_spam = resident.scenario.behaviour is Behaviour.JUNK
        return SPAM_FLAG if is_spam and self._host.hop is HopName.FILTER else b""

    def _refusal(self, envelope: StampedEnvelope, recipient: str, scenario: Scenario) -> str | None:
        """The reply that refuses a recipient, where the scenario wants that at this hop."""
        match self._host.hop, scenario.behaviour:
            case HopName.RELAY, Behaviour.REFUSE:
                return f"550 5.1.1 <{recipient}>: user unknown"
            case HopName.FILTER, Behaviour.GREYLIST if not self._has_waited(envelope, recipient):
                return "451 4.7.1 Greylisted, please try again later"
        return None

    def _has_waited(self, envelope: StampedEnvelope, recipient: str) -> bool:
        """Whether this is not the first attempt. Forgotten as soon as it passes, so that each probe shows it.

        The envelope's own name (ENVID) keeps two probes apart that wait at the same time.
        """
        mail = (envelope.mail_from or "", envelope.dsn.envid or "", recipient)
        if mail in self._greylisted:
            del self._greylisted[mail]
            return True
        self._greylisted[mail] = None
        if len(self._greylisted) > _MAXIMUM_GREYLISTED:
            self._greylisted.popitem(last=False)
        return False
