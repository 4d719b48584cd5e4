"""Mail submission through aiosmtplib, and nothing else of it anywhere.

In: a sender's settings, an envelope. Out: a `model.Submission` with every phase timed apart. Here is how each step is
said with the library; which step comes when, and what its answer means, is in `smtp_transaction`.

The library's commands, replies and AUTH dialogues are used one by one, never its `connect`, `login` or `sendmail`:
those look up names, try one mechanism after the other and secure a connection only if it happens to be offered.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from smtp_probe.config.settings import Auth, Mechanism, Sender
from smtp_probe.mail.syntax.text import show_strange_bytes
from smtp_probe.model import Cause, LoginTrial, Submission
from smtp_probe.network.concealment import Concealment
from smtp_probe.network.oauth_bearer import ACKNOWLEDGEMENT, initial_response
from smtp_probe.network.smtp_dialogue import Answer
from smtp_probe.network.smtp_transaction import Transaction
from smtp_probe.network.submission_terms import Terms
from smtp_probe.network.tcp import cut
from smtp_probe.network.tls import ContextSource
from smtp_probe.ports import Clock, Envelope, Resolver, Secret

_MOST_PIECES = 256
_CLOSING_SECONDS = 1.0
_MORE = 334


async def _auth_oauthbearer(smtp: aiosmtplib.SMTP, username: str, token: str) -> aiosmtplib.SMTPResponse:
    """RFC 7628, which the library does not have: a refusal comes after its reasons have been acknowledged."""
    words = base64.b64encode(initial_response(username, token).encode())
    answer = await smtp.execute_command(b"AUTH", b"OAUTHBEARER", words)
    if answer.code == _MORE:
        answer = await smtp.execute_command(ACKNOWLEDGEMENT)
    return answer


_AUTHENTICATIONS: dict[
    Mechanism, Callable[[aiosmtplib.SMTP, str, str], Awaitable[aiosmtplib.SMTPResponse]]
] = {
    Mechanism.PLAIN: aiosmtplib.SMTP.auth_plain,
    Mechanism.LOGIN: aiosmtplib.SMTP.auth_login,
    Mechanism.XOAUTH2: aiosmtplib.SMTP.auth_xoauth2,
    Mechanism.OAUTHBEARER: _auth_oauthbearer,
}


class SmtpSubmitter:
    """`ports.Submitter` for one endpoint. `secret` gives the password or token afresh for each submission."""

    def __init__(
        self,
        name: str,
        settings: Sender,
        resolver: Resolver,
        clock: Clock,
        secret: Secret | None = None,
    ) -> None:
        self.name = name
        self.on_refused: Callable[[], bool] = lambda: False
        """Told of a login that the server refused. True where another token is to be had: it is then tried once more."""
        self._concealment = lru_cache(maxsize=1)(Concealment)
        self.terms = Terms(
            settings=settings,
            resolver=resolver,
            clock=clock,
            contexts=ContextSource(settings.tls_options),
            read_secret=secret,
        )

    async def submit(
        self, envelope: Envelope, *, on_phase: Callable[[str], None] | None = None
    ) -> Submission:
        """Run one transaction within the settings' deadlines: of the phases, and one over all.

        Never raises for what the other side does. After the final dot only a reply of class 4 or 5 is a refusal;
        everything else that goes wrong leaves the message `uncertain`. A failing QUIT changes nothing.

        When it is cancelled, `on_phase("accept")` is the sign to go by: it is given within the very call that hands
        the final dot to the kernel, so the message may arrive if, and only if, that was told.
        """
        submission = await self._transaction(on_phase).run(envelope)
        failure = submission.failure
        if failure is not None and failure.cause == Cause.AUTH_REFUSED and self.on_refused():
            return await self._transaction(on_phase).run(envelope)
        return submission

    async def try_login(self) -> LoginTrial:
        """Connect, secure and log in, within the settings' deadlines; send nothing. Never raises for the other side."""
        return await self._transaction(None).try_login()

    def _transaction(self, on_phase: Callable[[str], None] | None) -> Transaction:
        dialogue = SmtpDialogue(self.terms.settings.ehlo_name, self.terms.clock, self._concealment)
        return Transaction(self.terms, dialogue, on_phase)


class _StampedProtocol(SMTPProtocol):
    """The library's protocol, which also says when a reply was read, and does not read one without end."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(asyncio.get_running_loop())
        self._clock = clock
        self._pieces = 0
        self.read_ns = 0
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def expect_reply(self) -> None:
        """Begin to count the pieces of a new reply."""
        self._pieces = 0

    def data_received(self, data: bytes) -> None:
        """Take the time, then read on. A reply in very many pieces is cut: each makes the library start over."""
        self.read_ns = self._clock.now_ns()
        self._pieces += b"\n" in data
        # The library gives up a reply of more than 32 KiB: that much makes it say so of this one.
        super().data_received(data if self._pieces <= _MOST_PIECES else bytes(1 << 16))

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end of the connection."""
        super().connection_lost(exc)
        if not self.lost.done():
            self.lost.set_result(None)


class SmtpDialogue:
    """`smtp_dialogue.Dialogue` in the words of aiosmtplib."""

    def __init__(
        self, ehlo_name: str, clock: Clock, concealment: Callable[[Auth, str], Concealment] = Concealment
    ) -> None:
        self._protocol = _StampedProtocol(clock)
        self._smtp = aiosmtplib.SMTP(local_hostname=ehlo_name, start_tls=False, timeout=None)
        self._transport: asyncio.Transport | None = None
        self._new_concealment = concealment
        self._concealment: Concealment | None = None

    @property
    def is_open(self) -> bool:
        """Whether a command can be sent."""
        return self._smtp.is_connected

    @property
    def extensions(self) -> Collection[str]:
        """The keywords of the last EHLO's answer, lower case."""
        return self._smtp.esmtp_extensions

    @property
    def mechanisms(self) -> Collection[str]:
        """The SASL mechanisms of the last EHLO's answer, lower case."""
        return self._smtp.server_auth_methods

    @property
    def size_limit(self) -> int | None:
        """The size that the last EHLO's answer allows (RFC 1870); None for no limit, or none that is told."""
        words = str(self._smtp.esmtp_extensions.get("size", "")).split()
        return int(words[0]) or None if words and words[0].isdecimal() and len(words[0]) < 19 else None

    @property
    def ssl_object(self) -> ssl.SSLObject:
        """The TLS of this connection, once it has any."""
        found: ssl.SSLObject = self._smtp.get_transport_info("ssl_object")
        return found

    def conceal(self, auth: Auth, secret: str) -> None:
        """Take these credentials out of every answer from now on."""
        self._concealment = self._new_concealment(auth, secret)

    async def open(self, **arguments: object) -> None:
        """Begin on a connected socket; the client is given its connection instead of making one."""
        self._transport, _ = await asyncio.get_running_loop().create_connection(
            lambda: self._protocol,
            **arguments,  # type: ignore[call-overload]
        )
        self._smtp.protocol = self._protocol
        self._smtp.transport = self._transport

    async def read_greeting(self) -> Answer:
        """Wait for the greeting."""
        return await self._answer(self._protocol.read_response())

    async def say_hello(self) -> Answer:
        """Send EHLO, and remember what is offered."""
        return await self._answer(self._smtp.ehlo())

    async def start_tls(self, context: ssl.SSLContext, server_name: str, seconds: float) -> Answer:
        """Send STARTTLS and shake hands."""
        return await self._answer(
            self._smtp.starttls(tls_context=context, server_hostname=server_name, timeout=seconds)
        )

    async def authenticate(self, auth: Auth, secret: str) -> Answer:
        """Run one mechanism's dialogue, and conceal its credentials."""
        self.conceal(auth, secret)
        return await self._answer(_AUTHENTICATIONS[auth.mechanism](self._smtp, auth.username, secret))

    async def command(self, *words: bytes) -> Answer:
        """Send one command. Raises ValueError when a word has a control character in it."""
        return await self._answer(self._smtp.execute_command(*words))

    async def send_message(self, payload: bytes) -> Answer:
        """Send a message with its final dot, and wait for its reply."""
        # No await between writing and waiting: the library throws away what comes while no reply is waited for.
        self._protocol.write(payload)
        return await self._answer(self._protocol.read_response())

    async def close(self) -> None:
        """Close, and wait a little for the other side to do the same."""
        self._smtp.close()
        await asyncio.wait({self._protocol.lost}, timeout=_CLOSING_SECONDS)

    def abort(self) -> None:
        """End the connection now."""
        cut(self._transport)

    async def _answer(self, step: Awaitable[aiosmtplib.SMTPResponse]) -> Answer:
        """Take a step. The library raises some refusals and returns others: here all are answers."""
        self._protocol.expect_reply()
        try:
            code, text = await step
        except aiosmtplib.SMTPResponseException as error:
            code, text = error.code, error.message
        text = show_strange_bytes(text)
        if self._concealment is not None:
            text = self._concealment.mask(text)
        return Answer(code, text, self._protocol.read_ns)
