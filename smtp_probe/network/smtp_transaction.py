"""One SMTP transaction from the name's look-up to QUIT: which step comes when, how long it took, what it meant.

In: a sender's settings, a dialogue (`submission.SmtpDialogue`) and an envelope. Out: a `model.Submission`; whatever
the other side does is in it. Tries nothing twice: no second mechanism, no plain text after TLS has failed.

Instants are taken next to the socket: a phase ends when the last of its reply was read, not when this task came to
look at it, and the final dot has left when the kernel took the message's last byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence
from types import TracebackType

from smtp_probe.config.settings import Auth, TlsMode
from smtp_probe.errors import ProbeError
from smtp_probe.mail.reply import parse_reply, queue_id_of
from smtp_probe.model import Cause, Disposition, LoginTrial, Phase, Reply, Submission, TlsFacts
from smtp_probe.network.mechanisms import say_not_offered
from smtp_probe.network.phases import PhaseRecord
from smtp_probe.network.smtp_dialogue import Answer, Dialogue
from smtp_probe.network.smtp_encoding import (
    encode_data,
    mail_parameters,
    needs_smtputf8,
    normalise_line_ends,
    rcpt_parameters,
)
from smtp_probe.network.submission_ending import dispose, is_in_step, refusal, to_failure, translate
from smtp_probe.network.submission_terms import Terms
from smtp_probe.network.tcp import PromptSocket, connect_tcp
from smtp_probe.network.time_limit import TimeLimit
from smtp_probe.network.tls import failed_tls_facts, server_name, tls_facts
from smtp_probe.ports import Envelope

_SPARE_SECONDS = 1.0
"""How far the event loop's own handshake deadline stands behind ours."""


class _Translation:
    """A time limit whose work raises `ProbeError` in place of OSError; TimeoutError is one. A generator would cost more."""

    __slots__ = ("_limit", "_translate")

    def __init__(self, limit: TimeLimit, translate: Callable[[OSError], ProbeError]) -> None:
        self._limit = limit
        self._translate = translate

    def __enter__(self) -> None:
        self._limit.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._limit.__exit__(kind, error, trace)
        except TimeoutError as late:
            raise self._translate(late) from late
        if isinstance(error, OSError):
            raise self._translate(error) from error


class Transaction:
    """One run of the dialogue. Used once."""

    def __init__(self, terms: Terms, dialogue: Dialogue, on_phase: Callable[[str], None] | None) -> None:
        self._terms = terms
        self._settings = terms.settings
        self._limits = terms.settings.timeouts
        self._clock = terms.clock
        self._dialogue = dialogue
        self._phases = PhaseRecord(terms.clock, on_phase)
        self._started_ns = terms.clock.now_ns()
        self._loop = asyncio.get_running_loop()
        self._ends_at = self._loop.time() + self._limits.total
        self._limit = TimeLimit()
        self._socket: PromptSocket | None = None
        self._peer_address: str | None = None
        self._local_address: str | None = None
        self._tls: TlsFacts | None = None
        self._dsn_requested = False
        self._final_dot_ns: int | None = None
        self._accepted_ns: int | None = None
        self._queue_id: str | None = None

    async def run(self, envelope: Envelope) -> Submission:
        """Perform the dialogue and tell its end."""
        return self._submission(await self._attempt(envelope))

    async def try_login(self) -> LoginTrial:
        """Perform the dialogue up to the login, and take leave."""
        failure = await self._attempt(None)
        return LoginTrial(
            phases=self._phases.timings(),
            failure=None if failure is None else to_failure(failure),
            peer_address=self._peer_address,
            tls=self._tls,
        )

    async def _attempt(self, envelope: Envelope | None) -> ProbeError | None:
        failure: ProbeError | None = None
        try:
            try:
                await self._perform(envelope)
            except ProbeError as error:
                failure = error
                self._phases.end()
            if self._owes_quit(failure):
                await self._quit()
        finally:
            self._limit.close()
            self._drop_connection()
        return failure

    async def _perform(self, envelope: Envelope | None) -> None:
        # Our own side first: what fails here is not the path's fault, and the server is not bothered.
        auth = self._settings.auth
        secret = ""
        if auth is not None:
            secret = await self._terms.secret()
            self._dialogue.conceal(auth, secret)
        context: ssl.SSLContext | None = None
        if self._settings.tls is not TlsMode.NONE:
            context = await self._terms.tls_context(self._deadline(self._limits.tls))
        await self._connect(await self._resolve())
        if context is not None and self._settings.tls is TlsMode.IMPLICIT:
            await self._shake_hands(context)
        await self._greet()
        await self._say_hello()
        if context is not None and self._settings.tls is TlsMode.STARTTLS:
            await self._start_tls(context)
            await self._say_hello()
        if auth is not None:
            await self._authenticate(auth, secret)
        if envelope is not None:
            await self._hand_over(envelope)

    # The connection.

    async def _resolve(self) -> Sequence[str]:
        with self._phase(Phase.RESOLVE, self._limits.resolve):
            addresses = await self._terms.resolver.addresses(
                self._settings.host, self._settings.address_family
            )
        self._phases.end()
        return addresses

    async def _connect(self, addresses: Sequence[str]) -> None:
        self._phases.enter(Phase.CONNECT)
        self._socket = await connect_tcp(
            addresses,
            self._settings.effective_port,
            source_address=self._settings.source_address,
            deadline=self._deadline(self._limits.connect),
        )
        self._phases.end()
        with contextlib.suppress(OSError):  # a peer that hung up at once has no address any more
            self._local_address = self._socket.getsockname()[0]
            self._peer_address = self._socket.getpeername()[0]

    async def _shake_hands(self, context: ssl.SSLContext) -> None:
        """The handshake of implicit TLS (RFC 8314), apart from the greeting that follows it."""
        with self._phase(Phase.TLS, self._limits.tls):
            await self._dialogue.open(
                sock=self._socket,
                ssl=context,
                server_hostname=server_name(self._settings.tls_options, self._settings.host),
                ssl_handshake_timeout=self._limits.tls + _SPARE_SECONDS,
            )
            self._phases.end()
            self._tls = tls_facts(self._dialogue.ssl_object)

    async def _greet(self) -> None:
        with self._phase(Phase.GREETING, self._limits.greeting):
            if self._settings.tls is not TlsMode.IMPLICIT:
                await self._dialogue.open(sock=self._socket)
            self._expect(2, await self._dialogue.read_greeting())

    async def _say_hello(self) -> None:
        with self._phase(Phase.EHLO, self._limits.ehlo):
            self._expect(2, await self._dialogue.say_hello())

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        if "starttls" not in self._dialogue.extensions:
            raise ProbeError(Phase.STARTTLS, Cause.STARTTLS_NOT_OFFERED)
        name = server_name(self._settings.tls_options, self._settings.host)
        with self._phase(Phase.STARTTLS, self._limits.tls):
            answer = await self._dialogue.start_tls(context, name, self._limits.tls + _SPARE_SECONDS)
            self._expect(2, answer._replace(read_ns=self._clock.now_ns()))  # the handshake is part of it
            self._tls = tls_facts(self._dialogue.ssl_object)

    async def _authenticate(self, auth: Auth, secret: str) -> None:
        if auth.mechanism.value not in self._dialogue.mechanisms:
            detail = say_not_offered(auth.mechanism, self._dialogue.mechanisms)
            raise ProbeError(Phase.AUTH, Cause.AUTH_NOT_OFFERED, detail=detail)
        with self._phase(Phase.AUTH, self._limits.auth):
            self._expect(2, await self._dialogue.authenticate(auth, secret))

    # The message.

    async def _hand_over(self, envelope: Envelope) -> None:
        message = normalise_line_ends(envelope.message)
        payload = encode_data(message)
        offered = self._dialogue.extensions
        encoding = "utf-8" if needs_smtputf8(envelope) else "ascii"
        if encoding == "utf-8" and "smtputf8" not in offered:
            detail = "an address needs SMTPUTF8, which is not offered"
            raise ProbeError(Phase.MAIL, Cause.REPLY_PERMANENT, detail=detail)
        self._dsn_requested = "dsn" in offered
        sender = b"FROM:<%b>" % envelope.sender.encode(encoding)
        recipient = b"TO:<%b>" % envelope.recipient.encode(encoding)
        with self._phase(Phase.MAIL, self._limits.mail):
            parameters = mail_parameters(envelope, message, offered)
            self._expect(2, await self._dialogue.command(b"MAIL", sender, *parameters))
        with self._phase(Phase.RCPT, self._limits.rcpt):
            parameters = rcpt_parameters(envelope, offered)
            self._expect(2, await self._dialogue.command(b"RCPT", recipient, *parameters))
        with self._phase(Phase.DATA, self._limits.data):
            await self._send_data(payload)

    async def _send_data(self, payload: bytes) -> None:
        """Send the message and read its reply; DATA becomes ACCEPT when the kernel has the last byte."""
        assert self._socket is not None
        self._expect(3, await self._dialogue.command(b"DATA"), ends_phase=False)
        self._socket.on_handed_over = self._dot_has_left
        answer = await self._dialogue.send_message(payload)
        reply = self._expect(2, answer)
        if self._final_dot_ns is None:
            raise refusal(Phase.DATA, reply)  # thanks for a message that it cannot have
        self._accepted_ns = answer.read_ns
        self._queue_id = queue_id_of(answer.text)

    def _dot_has_left(self) -> None:
        """From here on the message may arrive. Called from within the socket's `send`."""
        self._final_dot_ns = self._clock.now_ns()
        self._phases.enter(Phase.ACCEPT, self._final_dot_ns)
        self._limit.until(self._deadline(self._limits.accept))

    # The end.

    def _owes_quit(self, failure: ProbeError | None) -> bool:
        """Whether the dialogue is still in step, so that the server is owed a QUIT (RFC 5321 section 4.1.1.10)."""
        is_amid_message = self._socket is not None and self._socket.on_handed_over is not None
        return self._dialogue.is_open and not is_amid_message and (failure is None or is_in_step(failure))

    async def _quit(self) -> None:
        with contextlib.suppress(ProbeError):  # the message's fate is settled: a failing QUIT changes nothing
            with self._phase(Phase.QUIT, self._limits.quit):
                self._expect(2, await self._dialogue.command(b"QUIT"))
            await self._dialogue.close()
        self._phases.end()

    def _drop_connection(self) -> None:
        self._dialogue.abort()
        if self._socket is not None:
            self._socket.close()

    def _submission(self, failure: ProbeError | None) -> Submission:
        dot_sent = self._final_dot_ns is not None
        return Submission(
            disposition=Disposition.ACCEPTED if failure is None else dispose(failure, dot_sent=dot_sent),
            started_ns=self._started_ns,
            phases=self._phases.timings(),
            failure=None if failure is None else to_failure(failure),
            final_dot_ns=self._final_dot_ns,
            accepted_ns=self._accepted_ns,
            queue_id=self._queue_id,
            peer_address=self._peer_address,
            local_address=self._local_address,
            tls=self._tls,
            dsn_requested=self._dsn_requested,
        )

    # What every step uses.

    def _deadline(self, seconds: float) -> float:
        """So many seconds from now, but not after the deadline over all; in the event loop's time."""
        return min(self._loop.time() + seconds, self._ends_at)

    def _phase(self, phase: Phase, seconds: float) -> _Translation:
        """Run one phase within its deadline, and translate what goes wrong in it to `ProbeError`."""
        self._phases.enter(phase)
        return _Translation(self._limit.until(self._deadline(seconds)), self._translate)

    def _translate(self, error: OSError) -> ProbeError:
        if isinstance(error, ssl.SSLError):
            self._tls = failed_tls_facts(error)
        return translate(self._phases.current, error)

    def _expect(self, digit: int, answer: Answer, *, ends_phase: bool = True) -> Reply:
        """Keep an answer with its phase, which ends when it was read, and hold it to its first digit."""
        reply = parse_reply(answer.code, answer.text)
        if 200 <= reply.code < 600:
            self._phases.note(reply)
        if ends_phase:
            self._phases.end(answer.read_ns)
        if reply.code // 100 != digit:
            raise refusal(self._phases.current, reply)
        return reply
