"""Attempts at what a server must refuse: one connection for each, as far as the decisive answer and not further.

In: the sender's settings and a `ports.Trespass`. Out: a `model.DrillTrial` with the reply that decided it; or why it could not be
tried: a server that cannot be reached, or that refuses us before it comes to the point, has neither accepted nor refused.
A message is sent only where everything before it was taken. Every step has a deadline, and so has the whole.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
from collections.abc import AsyncIterator

from smtp_probe.config.settings import Auth, Mechanism, TlsMode
from smtp_probe.errors import ProbeError
from smtp_probe.mail.reply import parse_reply
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.mail.trespasses import pad
from smtp_probe.model import Cause, DrillTrial, Phase, Reply
from smtp_probe.model.words import in_words
from smtp_probe.network.mechanisms import say_not_offered
from smtp_probe.network.smtp_dialogue import Answer
from smtp_probe.network.smtp_encoding import encode_data, normalise_line_ends
from smtp_probe.network.submission import SmtpDialogue
from smtp_probe.network.submission_ending import refusal, translate
from smtp_probe.network.submission_terms import Terms
from smtp_probe.network.tcp import PromptSocket, connect_tcp
from smtp_probe.network.tls import server_name
from smtp_probe.ports import Trespass

_SPARE_SECONDS = 1.0
_QUIT_SECONDS = 2.0
_STEP_SECONDS = 60.0
"""At most for one answer, where the sender's own deadlines are longer."""


class SmtpTrespasser:
    """`ports.Trespasser` against the server of one sender."""

    def __init__(self, terms: Terms, wrong_username: str) -> None:
        self._terms = terms
        self._wrong_username = wrong_username

    async def attempt(self, trespass: Trespass) -> DrillTrial:
        """Make one connection. Never raises for what the other side does."""
        return await _Attempt(self._terms, trespass, self._wrong_username).run()


class _Decided(Exception):  # noqa: N818  # no error: the answer that was asked for
    """The server has answered what was tried."""

    def __init__(self, step: str, reply: Reply) -> None:
        self.step = step
        self.reply = reply
        super().__init__(step)


class _Attempt:
    """One connection. Used once."""

    def __init__(self, terms: Terms, trespass: Trespass, wrong_username: str) -> None:
        self._terms = terms
        self._settings = terms.settings
        self._limits = terms.settings.timeouts
        self._trespass = trespass
        self._wrong_username = wrong_username
        self._dialogue = SmtpDialogue(terms.settings.ehlo_name, terms.clock)
        self._socket: PromptSocket | None = None
        self._loop = asyncio.get_running_loop()
        self._ends_at = self._loop.time() + self._limits.total
        self._detail = ""

    async def run(self) -> DrillTrial:
        """Go as far as the answer that decides."""
        check = self._trespass.check
        try:
            await self._perform()
        except _Decided as decided:
            await self._quit()
            return DrillTrial(check=check, step=decided.step, reply=decided.reply, detail=self._detail)
        except ProbeError as error:
            said = error.reply or error.detail or in_words(error.cause)
            unobserved = sanitise(f"It could not be tried, for {error.stage} failed: {said}.")
            return DrillTrial(check=check, unobserved=unobserved, detail=self._detail)
        finally:
            self._dialogue.abort()
            if self._socket is not None:
                self._socket.close()
        raise AssertionError("an attempt ends with an answer")

    async def _perform(self) -> None:
        own, secret = self._settings.auth, ""
        if own is not None and self._wants_own_login:
            secret = await self._terms.secret()
            self._dialogue.conceal(own, secret)
        await self._connect()
        trespass = self._trespass
        if trespass.login == "wrong":
            await self._log_in_wrongly()
        if self._wants_own_login:
            auth = self._settings.auth
            assert auth is not None
            async with self._step(Phase.AUTH):
                self._require(Phase.AUTH, await self._dialogue.authenticate(auth, secret))
        await self._send()

    @property
    def _wants_own_login(self) -> bool:
        return self._trespass.login == "own" and self._settings.auth is not None

    # The connection.

    async def _connect(self) -> None:
        settings, mode = self._settings, self._settings.tls
        if not self._trespass.is_secured and mode is TlsMode.IMPLICIT:
            raise ProbeError(Phase.TLS, Cause.INTERNAL, detail="tls is implicit: there is nothing before it")
        context = None
        if mode is not TlsMode.NONE and self._trespass.is_secured:
            context = await self._terms.tls_context(self._deadline(self._limits.tls))
        async with self._step(Phase.RESOLVE, self._limits.resolve):
            addresses = await self._terms.resolver.addresses(settings.host, settings.address_family)
        self._socket = await connect_tcp(
            addresses,
            settings.effective_port,
            source_address=settings.source_address,
            deadline=self._deadline(self._limits.connect),
        )
        name = server_name(settings.tls_options, settings.host)
        async with self._step(Phase.GREETING):
            if context is not None and mode is TlsMode.IMPLICIT:
                await self._dialogue.open(
                    sock=self._socket,
                    ssl=context,
                    server_hostname=name,
                    ssl_handshake_timeout=self._limits.tls + _SPARE_SECONDS,
                )
            else:
                await self._dialogue.open(sock=self._socket)
            self._require(Phase.GREETING, await self._dialogue.read_greeting())
        await self._say_hello()
        if context is not None and mode is TlsMode.STARTTLS:
            async with self._step(Phase.STARTTLS):
                answer = await self._dialogue.start_tls(context, name, self._limits.tls + _SPARE_SECONDS)
                self._require(Phase.STARTTLS, answer)
            await self._say_hello()

    async def _say_hello(self) -> None:
        async with self._step(Phase.EHLO):
            self._require(Phase.EHLO, await self._dialogue.say_hello())

    # What is tried.

    async def _log_in_wrongly(self) -> None:
        """Log in as nobody. What is sent is no secret of anybody's."""
        password = secrets.token_urlsafe(18)
        if not self._trespass.is_secured:
            if self._dialogue.mechanisms:
                self._detail = "AUTH is offered"
            sent = base64.b64encode(f"\0{self._wrong_username}\0{password}".encode())
            async with self._step(Phase.AUTH):
                answer = await self._dialogue.command(b"AUTH", b"PLAIN", sent)
            raise _Decided("AUTH", parse_reply(answer.code, answer.text))
        own = self._settings.auth
        wanted = Mechanism.PLAIN if own is None or own.mechanism is Mechanism.XOAUTH2 else own.mechanism
        if wanted.value not in self._dialogue.mechanisms:
            detail = say_not_offered(wanted, self._dialogue.mechanisms)
            raise ProbeError(Phase.AUTH, Cause.AUTH_NOT_OFFERED, detail=detail)
        login = Auth(mechanism=wanted, username=self._wrong_username, password_env="UNUSED")  # noqa: S106
        async with self._step(Phase.AUTH):
            answer = await self._dialogue.authenticate(login, password)
        raise _Decided("AUTH", parse_reply(answer.code, answer.text))

    async def _send(self) -> None:
        """MAIL, RCPT and, where there is one, the message: the first refusal decides, or else the last answer."""
        trespass = self._trespass
        words, message = self._sizes(trespass.message)
        mail = (b"FROM:<%b>" % trespass.sender.encode("ascii", "replace"), *words)
        reply = await self._ask("MAIL", *mail)
        self._decide_unless_taken("MAIL", reply)
        reply = await self._ask("RCPT", b"TO:<%b>" % trespass.recipient.encode("ascii", "replace"))
        self._decide_unless_taken("RCPT", reply)
        if not message:
            raise _Decided("RCPT", reply)
        reply = await self._ask("DATA")
        if reply.code != 354:
            raise _Decided("DATA", reply)
        seconds = min(self._limits.data + self._limits.accept, self._limits.total)
        async with self._step(Phase.DATA, seconds):
            answer = await self._dialogue.send_message(encode_data(normalise_line_ends(message)))
        raise _Decided("the message", self._reply(Phase.DATA, answer))

    def _sizes(self, message: bytes) -> tuple[tuple[bytes, ...], bytes]:
        """What to say of the size, and what to send. A size that is only said needs no message (RFC 1870 section 6.1)."""
        trespass = self._trespass
        if not trespass.is_oversized:
            return (), message
        limit = self._dialogue.size_limit
        if limit is not None:
            size = trespass.oversized_bytes or limit + 1
            self._detail = f"the server announces {limit} bytes"
            return (b"SIZE=%d" % size,), b""
        if trespass.oversized_bytes is None:
            detail = "the server announces no limit, and oversized_bytes is not set"
            raise ProbeError(Phase.MAIL, Cause.INTERNAL, detail=detail)
        self._detail = f"the server announces no limit; {trespass.oversized_bytes} bytes were to be sent"
        return (), pad(message, trespass.oversized_bytes)

    async def _ask(self, verb: str, *words: bytes) -> Reply:
        phase = Phase(verb.lower())
        async with self._step(phase):
            answer = await self._dialogue.command(verb.encode("ascii"), *words)
        return self._reply(phase, answer)

    def _decide_unless_taken(self, step: str, reply: Reply) -> None:
        if reply.code // 100 != 2:
            raise _Decided(step, reply)

    async def _quit(self) -> None:
        """Take leave, and take back what was begun; how that goes changes nothing."""
        if not self._dialogue.is_open:
            return
        with contextlib.suppress(ProbeError):
            async with self._step(Phase.QUIT, _QUIT_SECONDS):
                await self._dialogue.command(b"RSET")
                await self._dialogue.command(b"QUIT")

    # What every step uses.

    def _deadline(self, seconds: float) -> float:
        return min(self._loop.time() + seconds, self._ends_at)

    @contextlib.asynccontextmanager
    async def _step(self, phase: Phase, seconds: float | None = None) -> AsyncIterator[None]:
        """Run one step within its deadline, and translate what goes wrong in it to `ProbeError`."""
        own = getattr(self._limits, phase.value, _STEP_SECONDS)
        try:
            async with asyncio.timeout_at(self._deadline(seconds or min(own, _STEP_SECONDS))):
                yield
        except OSError as error:
            raise translate(phase, error) from error

    @staticmethod
    def _reply(phase: Phase, answer: Answer) -> Reply:
        """An answer as a reply; what is no SMTP decides nothing."""
        reply = parse_reply(answer.code, answer.text)
        if not 200 <= reply.code < 600:
            raise refusal(phase, reply)
        return reply

    def _require(self, phase: Phase, answer: Answer) -> None:
        """Go on only with a reply of class 2: what is refused here is not what was to be tried."""
        reply = self._reply(phase, answer)
        if reply.code // 100 != 2:
            raise refusal(phase, reply)
