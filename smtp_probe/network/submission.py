"""One message handed to one SMTP endpoint, through aiosmtplib and nothing else of it anywhere.

In: a sender's settings, an envelope. Out: a `model.Submission` with every phase timed apart; whatever the other side
does is in it, and nothing of that is raised. It tries nothing twice: no second mechanism, no plain text after
TLS failed, no second submission. It uses the library's commands, replies and AUTH dialogues one by one, never its
`connect`, `login` or `sendmail`, which look up names, choose mechanisms and secure connections by themselves.

Instants are taken next to the socket: a phase ends when the last of its reply was read, not when this task came to
look at it, and the final dot has left when the kernel took its last byte.

`submit` may be cancelled. `on_phase("accept")` is then the sign to go by: it is given within the very call that
hands the final dot to the kernel, so a message whose submission was cancelled may arrive if, and only if, it was.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from smtp_probe.config.settings import Auth, Mechanism, Sender, TlsMode
from smtp_probe.errors import ConfigError, ProbeError
from smtp_probe.mail.reply import parse_reply, queue_id_of
from smtp_probe.mail.text import sanitise
from smtp_probe.model import Cause, Disposition, Failure, Phase, Reply, Submission, TlsFacts
from smtp_probe.network.phases import PhaseRecord
from smtp_probe.network.smtp_encoding import (
    encode_data,
    mail_parameters,
    needs_smtputf8,
    normalise_line_ends,
    rcpt_parameters,
)
from smtp_probe.network.submission_ending import dispose, refusal, translate
from smtp_probe.network.tcp import PromptSocket, connect_tcp
from smtp_probe.network.tls import ContextSource, failed_tls_facts, server_name, tls_facts
from smtp_probe.ports import Clock, Envelope, Resolver

_MOST_PIECES = 256
_CLOSING_SECONDS = 1.0

_AUTHENTICATIONS = {
    Mechanism.PLAIN: aiosmtplib.SMTP.auth_plain,
    Mechanism.LOGIN: aiosmtplib.SMTP.auth_login,
    Mechanism.XOAUTH2: aiosmtplib.SMTP.auth_xoauth2,
}

_POLITE_ENDS = frozenset(
    {
        Cause.REPLY_PERMANENT,
        Cause.REPLY_TEMPORARY,
        Cause.AUTH_REFUSED,
        Cause.AUTH_NOT_OFFERED,
        Cause.STARTTLS_NOT_OFFERED,
    }
)
"""After these the dialogue is still in step, and is owed a QUIT (RFC 5321 section 4.1.1.10)."""


class SmtpSubmitter:
    """`ports.Submitter` for one endpoint. `secret` gives the password or token afresh for each submission."""

    def __init__(
        self,
        name: str,
        settings: Sender,
        resolver: Resolver,
        clock: Clock,
        secret: Callable[[], str] | None = None,
    ) -> None:
        self.name = name
        self.settings = settings
        self.resolver = resolver
        self.clock = clock
        self.secret = secret
        self.contexts = ContextSource(settings.tls_options)

    async def submit(
        self, envelope: Envelope, *, on_phase: Callable[[str], None] | None = None
    ) -> Submission:
        """Run one transaction within the settings' deadlines, of the phases and over all.

        A failing QUIT changes nothing. After the final dot only a reply of class 4 or 5 is a refusal: everything
        else that goes wrong leaves the message `uncertain`.
        """
        return await _Transaction(self, envelope, on_phase).run()


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


class _Transaction:
    """One run of the dialogue. Used once."""

    def __init__(
        self, submitter: SmtpSubmitter, envelope: Envelope, on_phase: Callable[[str], None] | None
    ) -> None:
        self._submitter = submitter
        self._settings = submitter.settings
        self._limits = submitter.settings.timeouts
        self._clock = submitter.clock
        self._envelope = envelope
        self._phases = PhaseRecord(submitter.clock, on_phase)
        self._loop = asyncio.get_running_loop()
        self._ends_at = self._loop.time() + self._limits.total
        self._started_ns = submitter.clock.now_ns()
        self._protocol = _StampedProtocol(submitter.clock)
        self._smtp = aiosmtplib.SMTP(
            local_hostname=self._settings.ehlo_name, start_tls=False, timeout=None
        )  # its own time-outs are off: each phase has ours
        self._socket: PromptSocket | None = None
        self._transport: asyncio.Transport | None = None
        self._peer_address: str | None = None
        self._local_address: str | None = None
        self._tls: TlsFacts | None = None
        self._dsn_requested = False
        self._final_dot_ns: int | None = None
        self._accepted_ns: int | None = None
        self._queue_id: str | None = None

    async def run(self) -> Submission:
        """Perform the dialogue and tell its end."""
        failure: ProbeError | None = None
        try:
            try:
                await self._perform()
            except ProbeError as error:
                failure = error
                self._phases.end()
            if self._owes_quit(failure):
                await self._quit()
        finally:
            self._drop_connection()
        return self._submission(failure)

    async def _perform(self) -> None:
        secret = self._read_secret()
        context = await self._tls_context()
        addresses = await self._resolve()
        await self._connect(addresses)
        if self._settings.tls is TlsMode.IMPLICIT:
            await self._shake_hands(context)
        await self._greet()
        await self._say_hello()
        if self._settings.tls is TlsMode.STARTTLS:
            await self._start_tls(context)
            await self._say_hello()
        if self._settings.auth is not None:
            await self._authenticate(self._settings.auth, secret)
        await self._hand_over()

    # Our own side first: what fails here is not the path's fault, and the server is not bothered.

    def _read_secret(self) -> str:
        if self._settings.auth is None:
            return ""
        try:
            secret = self._submitter.secret() if self._submitter.secret is not None else ""
        except (OSError, ValueError, ConfigError, ProbeError) as error:
            raise ProbeError(Phase.AUTH, Cause.CREDENTIAL, detail=sanitise(str(error))) from None
        if not secret:
            raise ProbeError(Phase.AUTH, Cause.CREDENTIAL, detail="the secret is empty")
        return secret

    async def _tls_context(self) -> ssl.SSLContext | None:
        if self._settings.tls is TlsMode.NONE:
            return None
        try:
            return await self._submitter.contexts.context()
        except OSError as error:
            stage = Phase.TLS if self._settings.tls is TlsMode.IMPLICIT else Phase.STARTTLS
            detail = sanitise(f"the authorities cannot be read: {error}")
            raise ProbeError(stage, Cause.CREDENTIAL, detail=detail) from error

    # The connection.

    async def _resolve(self) -> Sequence[str]:
        async with self._phase(Phase.RESOLVE, self._limits.resolve):
            addresses = await self._submitter.resolver.addresses(
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
        self._peer_address = self._socket.getpeername()[0]
        self._local_address = self._socket.getsockname()[0]

    async def _shake_hands(self, context: ssl.SSLContext | None) -> None:
        """The handshake of implicit TLS (RFC 8314), apart from the greeting that follows it."""
        async with self._phase(Phase.TLS, self._limits.tls):
            await self._open_transport(
                ssl=context,
                server_hostname=server_name(self._settings.tls_options, self._settings.host),
                ssl_handshake_timeout=self._limits.tls + 1,  # ours comes first
            )
        self._phases.end()
        self._tls = tls_facts(self._smtp.get_transport_info("ssl_object"))

    async def _open_transport(self, **tls: object) -> None:
        """Tie the socket to the protocol, and both to the library's client."""
        self._transport, _ = await self._loop.create_connection(
            lambda: self._protocol,
            sock=self._socket,
            **tls,  # type: ignore[call-overload]
        )
        self._smtp.protocol = self._protocol
        self._smtp.transport = self._transport

    async def _greet(self) -> None:
        async with self._phase(Phase.GREETING, self._limits.greeting):
            if self._transport is None:
                await self._open_transport()
            self._expect(2, await self._protocol.read_response())

    async def _say_hello(self) -> None:
        async with self._phase(Phase.EHLO, self._limits.ehlo):
            self._protocol.expect_reply()
            self._expect(2, await self._smtp.ehlo())

    async def _start_tls(self, context: ssl.SSLContext | None) -> None:
        if not self._smtp.supports_extension("starttls"):
            raise ProbeError(Phase.STARTTLS, Cause.STARTTLS_NOT_OFFERED)
        async with self._phase(Phase.STARTTLS, self._limits.tls):
            self._protocol.expect_reply()
            response = await self._smtp.starttls(
                server_hostname=server_name(self._settings.tls_options, self._settings.host),
                tls_context=context,
                timeout=self._limits.tls + 1,  # ours comes first
            )
            self._phases.note(parse_reply(response.code, response.message))
        self._phases.end()
        self._tls = tls_facts(self._smtp.get_transport_info("ssl_object"))

    async def _authenticate(self, auth: Auth, secret: str) -> None:
        if auth.mechanism.value not in self._smtp.server_auth_methods:
            detail = f"{auth.mechanism.value} is not offered"
            raise ProbeError(Phase.AUTH, Cause.AUTH_NOT_OFFERED, detail=detail)
        async with self._phase(Phase.AUTH, self._limits.auth):
            self._protocol.expect_reply()
            try:
                response = await _AUTHENTICATIONS[auth.mechanism](self._smtp, auth.username, secret)
            except aiosmtplib.SMTPResponseException as error:
                response = aiosmtplib.SMTPResponse(error.code, error.message)
            text = _without_secret(response.message, auth, secret)
            self._expect(2, aiosmtplib.SMTPResponse(response.code, text))

    # The message.

    async def _hand_over(self) -> None:
        message = normalise_line_ends(self._envelope.message)
        payload = encode_data(message)
        offered = self._smtp.esmtp_extensions
        encoding = "utf-8" if needs_smtputf8(self._envelope) else "ascii"
        if encoding == "utf-8" and "smtputf8" not in offered:
            detail = "an address needs SMTPUTF8, which is not offered"
            raise ProbeError(Phase.MAIL, Cause.REPLY_PERMANENT, detail=detail)
        self._dsn_requested = "dsn" in offered
        sender = b"FROM:<%b>" % self._envelope.sender.encode(encoding)
        recipient = b"TO:<%b>" % self._envelope.recipient.encode(encoding)
        async with self._phase(Phase.MAIL, self._limits.mail):
            await self._command(2, b"MAIL", sender, *mail_parameters(self._envelope, message, offered))
        async with self._phase(Phase.RCPT, self._limits.rcpt):
            await self._command(2, b"RCPT", recipient, *rcpt_parameters(self._envelope, offered))
        async with self._phase(Phase.DATA, self._limits.data) as limit:
            await self._send_data(payload, limit)

    async def _send_data(self, payload: bytes, limit: asyncio.Timeout) -> None:
        """Send the message and read its reply; DATA becomes ACCEPT when the kernel has the last byte."""
        assert self._socket is not None
        self._phases.note(await self._command(3, b"DATA", ends_phase=False))
        self._socket.on_handed_over = lambda: self._dot_has_left(limit)
        self._protocol.expect_reply()
        # No await between the two: the library throws away what comes while no reply is waited for.
        self._protocol.write(payload)
        response = await self._protocol.read_response()
        reply = self._expect(2, response)
        if self._final_dot_ns is None:
            raise refusal(Phase.DATA, reply)  # a thank-you for a message that it cannot have
        self._accepted_ns = self._protocol.read_ns
        self._queue_id = queue_id_of(response.message)

    def _dot_has_left(self, limit: asyncio.Timeout) -> None:
        """From here on the message may arrive. Called from within the socket's `send`."""
        self._final_dot_ns = self._clock.now_ns()
        self._phases.enter(Phase.ACCEPT, self._final_dot_ns)
        if not limit.expired():
            limit.reschedule(self._deadline(self._limits.accept))

    # The end.

    def _owes_quit(self, failure: ProbeError | None) -> bool:
        if not self._smtp.is_connected or self._socket is None:
            return False
        if self._socket.on_handed_over is not None:  # in the midst of a message there is no QUIT
            return False
        if failure is None:
            return True
        was_hung_up = failure.reply is not None and failure.reply.code == 421
        return failure.cause in _POLITE_ENDS and not was_hung_up

    async def _quit(self) -> None:
        with contextlib.suppress(ProbeError):  # the message's fate is settled: a failing QUIT changes nothing
            async with self._phase(Phase.QUIT, self._limits.quit):
                await self._command(2, b"QUIT")
        self._phases.end()
        self._smtp.close()
        await asyncio.wait({self._protocol.lost}, timeout=min(self._limits.quit, _CLOSING_SECONDS))

    def _drop_connection(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        elif self._socket is not None:
            self._socket.close()

    def _submission(self, failure: ProbeError | None) -> Submission:
        dot_sent = self._final_dot_ns is not None
        return Submission(
            disposition=Disposition.ACCEPTED if failure is None else dispose(failure, dot_sent=dot_sent),
            started_ns=self._started_ns,
            phases=self._phases.timings(),
            failure=None if failure is None else _to_failure(failure),
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

    @contextlib.asynccontextmanager
    async def _phase(self, phase: Phase, seconds: float) -> AsyncIterator[asyncio.Timeout]:
        """Run one phase within its deadline, and translate what goes wrong in it to `ProbeError`."""
        self._phases.enter(phase)
        try:
            async with asyncio.timeout_at(self._deadline(seconds)) as limit:
                yield limit
        except aiosmtplib.SMTPResponseException as error:
            raise refusal(self._phases.current, self._read(error.code, error.message)) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            if isinstance(error, ssl.SSLError):
                self._tls = failed_tls_facts(error)
            raise translate(self._phases.current, error) from error

    async def _command(self, digit: int, *words: bytes, ends_phase: bool = True) -> Reply:
        """Send one command and read its reply, which must begin with `digit` (RFC 5321 section 4.2.1)."""
        self._protocol.expect_reply()
        return self._expect(digit, await self._smtp.execute_command(*words), ends_phase=ends_phase)

    def _expect(self, digit: int, response: aiosmtplib.SMTPResponse, *, ends_phase: bool = True) -> Reply:
        reply = self._read(response.code, response.message, ends_phase=ends_phase)
        if reply.code // 100 != digit:
            raise refusal(self._phases.current, reply)
        return reply

    def _read(self, code: int, text: str, *, ends_phase: bool = True) -> Reply:
        """Keep a reply with its phase, which ends when the reply was read."""
        reply = parse_reply(code, text)
        if 200 <= code < 600:
            self._phases.note(reply)
        if ends_phase:
            self._phases.end(self._protocol.read_ns)
        return reply


def _to_failure(error: ProbeError) -> Failure:
    return Failure(
        stage=str(error.stage),
        cause=str(error.cause),
        reply=error.reply,
        tls_failure=error.tls_failure,
        detail=error.detail,
    )


def _without_secret(text: str, auth: Auth, secret: str) -> str:
    """Take our credentials out of a reply that quotes the command it refuses."""
    user, token = auth.username.encode(), secret.encode()
    sent = (b"\0%b\0%b" % (user, token), token, b"user=%b\1auth=Bearer %b\1\1" % (user, token))
    for form in (*(base64.b64encode(part).decode() for part in sent), secret):
        text = text.replace(form, "***")
    return text
