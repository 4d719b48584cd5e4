"""Visits to MX hosts: one connection to one address, as far as a sender would go without sending a message.

In: the host's name, an address of it, and what may be asked. Out: a `model.ExchangerVisit`; whatever the other side does
is in it. The certificate is verified against the name of the host, in the same handshake (see `network.tls`); a failure
ends the visit there. Nothing is tried twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

from smtp_probe.config.settings import TlsOptions
from smtp_probe.errors import ProbeError
from smtp_probe.mail.reply import parse_reply
from smtp_probe.model import Cause, ExchangerVisit, Failure, Phase, Reply, TlsFacts
from smtp_probe.network.phases import PhaseRecord
from smtp_probe.network.smtp_dialogue import Answer
from smtp_probe.network.submission import SmtpDialogue
from smtp_probe.network.submission_ending import refusal, to_failure, translate
from smtp_probe.network.tcp import PromptSocket, connect_tcp
from smtp_probe.network.tls import ContextSource, failed_tls_facts, presented_chain, tls_facts
from smtp_probe.ports import Clock

_NO_SUCH_COMMAND = (500, 502)
_SPARE_SECONDS = 1.0
_QUIT_SECONDS = 2.0
_FOREIGN_RECIPIENT = b"relay-test@example.org"
"""An address that no host but IANA's would take mail for (RFC 2606)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitTerms:
    """What may be asked of an exchanger, and how long it may take to answer."""

    ehlo_name: str = "localhost.localdomain"
    port: int = 25
    recipient: str | None = None
    """Somebody for whom it should take mail: RCPT is asked, and no message follows."""
    sender: str = ""
    tests_relay: bool = False
    """Whether RCPT of another's domain, and VRFY, may be asked. Only with the consent of whoever runs the host."""
    connect_seconds: float = 10.0
    answer_seconds: float = 20.0
    total_seconds: float = 60.0
    source_address: str | None = None


class ExchangerVisitor:
    """Visits exchangers; one for a program. At most `most_at_once` connections are open."""

    def __init__(self, clock: Clock, tls: TlsOptions | None = None, *, most_at_once: int = 8) -> None:
        self._clock = clock
        self._contexts = ContextSource(tls or TlsOptions())
        self._turns = asyncio.Semaphore(most_at_once)

    async def visit(self, host: str, address: str, terms: VisitTerms) -> ExchangerVisit:
        """Make one visit. Never raises for what the other side does; bounded by `total_seconds`."""
        async with self._turns:
            return await _Visit(host, address, terms, self._clock, self._contexts).run()


class _Visit:
    """One connection. Used once."""

    def __init__(
        self, host: str, address: str, terms: VisitTerms, clock: Clock, contexts: ContextSource
    ) -> None:
        self._host = host
        self._address = address
        self._terms = terms
        self._clock = clock
        self._contexts = contexts
        self._dialogue = SmtpDialogue(terms.ehlo_name, clock)
        self._phases = PhaseRecord(clock, None)
        self._loop = asyncio.get_running_loop()
        self._ends_at = self._loop.time() + terms.total_seconds
        self._socket: PromptSocket | None = None
        self._extensions: tuple[str, ...] = ()
        self._tls: TlsFacts | None = None
        self._chain: tuple[bytes, ...] = ()
        self._asked: dict[str, Reply] = {}

    async def run(self) -> ExchangerVisit:
        """Go through the dialogue and tell how far it got."""
        failure: Failure | None = None
        try:
            try:
                await self._perform()
            except ProbeError as error:
                self._phases.end()
                failure = to_failure(error)
            await self._quit(in_step=failure is None or failure.reply is not None)
        finally:
            self._dialogue.abort()
            if self._socket is not None:
                self._socket.close()
        return ExchangerVisit(
            host=self._host,
            address=self._address,
            phases=self._phases.timings(),
            failure=failure,
            extensions=self._extensions,
            tls=self._tls,
            chain=self._chain,
            recipient=self._asked.get("recipient"),
            relay=self._asked.get("relay"),
            vrfy=self._asked.get("vrfy"),
        )

    async def _perform(self) -> None:
        self._phases.enter(Phase.CONNECT)
        self._socket = await connect_tcp(
            [self._address],
            self._terms.port,
            source_address=self._terms.source_address,
            deadline=self._deadline(self._terms.connect_seconds),
        )
        async with self._phase(Phase.GREETING):
            await self._dialogue.open(sock=self._socket)
            self._expect(await self._dialogue.read_greeting())
        await self._say_hello()
        self._extensions = tuple(sorted(self._dialogue.extensions))
        if "starttls" in self._extensions:
            await self._start_tls()
            await self._say_hello()
        await self._ask_about_recipients()

    async def _say_hello(self) -> None:
        """EHLO, and HELO where the server does not know that (RFC 5321 section 3.2)."""
        async with self._phase(Phase.EHLO):
            answer = await self._dialogue.say_hello()
            if answer.code in _NO_SUCH_COMMAND:
                answer = await self._dialogue.command(
                    b"HELO", self._terms.ehlo_name.encode("ascii", "replace")
                )
            self._expect(answer)

    async def _start_tls(self) -> None:
        try:
            context = await self._contexts.context()
        except OSError as error:
            detail = f"the authorities to trust cannot be read: {error.strerror or error}"
            raise ProbeError(Phase.STARTTLS, Cause.INTERNAL, detail=detail) from error
        seconds = self._terms.answer_seconds + _SPARE_SECONDS
        async with self._phase(Phase.STARTTLS):
            answer = await self._dialogue.start_tls(context, self._host, seconds)
            self._expect(answer._replace(read_ns=self._clock.now_ns()))  # the handshake is part of it
            self._tls = tls_facts(self._dialogue.ssl_object)
            self._chain = presented_chain(self._dialogue.ssl_object)

    async def _ask_about_recipients(self) -> None:
        """Ask RCPT, and take it back. A refusal is an answer, and no failure of the visit."""
        terms = self._terms
        if terms.recipient is not None:
            await self._ask_rcpt("recipient", terms.recipient.encode("ascii", "replace"))
        if terms.tests_relay:
            await self._ask_rcpt("relay", _FOREIGN_RECIPIENT)
            async with self._phase(Phase.RCPT):
                self._note("vrfy", await self._dialogue.command(b"VRFY", b"postmaster"))

    async def _ask_rcpt(self, what: str, recipient: bytes) -> None:
        async with self._phase(Phase.MAIL):
            sender = self._terms.sender.encode("ascii", "replace")
            answer = await self._dialogue.command(b"MAIL", b"FROM:<%b>" % sender)
            reply = self._note("mail", answer)
        if reply.code // 100 != 2:
            self._asked[what] = reply
            return
        async with self._phase(Phase.RCPT):
            self._note(what, await self._dialogue.command(b"RCPT", b"TO:<%b>" % recipient))
        async with self._phase(Phase.MAIL):
            await self._dialogue.command(b"RSET")

    async def _quit(self, *, in_step: bool) -> None:
        """Take leave where the dialogue is in step; how that goes changes nothing."""
        if not in_step or not self._dialogue.is_open:
            return
        with contextlib.suppress(ProbeError):
            async with self._phase(Phase.QUIT, _QUIT_SECONDS):
                await self._dialogue.command(b"QUIT")
        self._phases.end()

    # What every step uses.

    def _deadline(self, seconds: float) -> float:
        return min(self._loop.time() + seconds, self._ends_at)

    @contextlib.asynccontextmanager
    async def _phase(self, phase: Phase, seconds: float | None = None) -> AsyncIterator[None]:
        """Run one phase within its deadline, and translate what goes wrong in it to `ProbeError`."""
        self._phases.enter(phase)
        try:
            async with asyncio.timeout_at(self._deadline(seconds or self._terms.answer_seconds)):
                yield
        except OSError as error:
            if isinstance(error, ssl.SSLError):
                self._tls = failed_tls_facts(error)
                self._chain = presented_chain(error)
            raise translate(self._phases.current, error) from error

    def _note(self, what: str, answer: Answer) -> Reply:
        """Keep an answer with its phase and under its name."""
        reply = parse_reply(answer.code, answer.text)
        if 200 <= reply.code < 600:
            self._phases.note(reply)
        self._phases.end(answer.read_ns)
        self._asked[what] = reply
        return reply

    def _expect(self, answer: Answer) -> None:
        """Keep an answer with its phase, which ends when it was read; raise ProbeError unless it is well."""
        reply = self._note("", answer)
        if reply.code // 100 != 2:
            raise refusal(self._phases.current, reply)
