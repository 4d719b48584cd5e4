"""One IMAP connection, on aioimaplib: the only file that imports it, and the fence around it.

Duty: send one command at a time and give its whole answer; keep count of what is in the selected folder; end every
wait. In: a connected socket and commands. Out: answers, or `errors.MailboxError`. It does not know what is looked
for, when to look or when to connect again.

aioimaplib 2.0.3 brings the commands, their states and their tags. What is wrong with it for us, and where it is
repaired (the numbers are used in the tests):

1. It reads by recursion: a few hundred lines at once end it. -> `data_received` cuts answers with `imap_wire`.
2. A lost connection wakes nobody. -> `connection_lost` and `give_up` fail every waiter with the reason.
3. `idle_start` hangs when BYE comes instead of `+`. -> `idle` waits for either, within a deadline.
4. After a timeout the command stays pending and blocks all others. -> any timeout or cancellation closes.
5. EXISTS inside another command's answer is dropped. -> `_take_untagged` counts it, whoever is waiting.
6. It deletes every `* ` in a line, and takes any text that ends in `{3}` for a literal. -> answers stay whole.
7. It does not answer the challenge of a refused XOAUTH2, has no AUTHENTICATE PLAIN, and does not quote user names.
   -> `imap_login` plans each dialogue, `_take_continuation` leads it.
8. A greeting of BYE, and a tag that nobody sent, hang the caller. -> both end the connection, with the reason.
9. EXAMINE leaves it in a state without FETCH, a refused SELECT in one with it; SEARCH sends a CHARSET that servers
   refuse. -> `execute` sets the state; `search` sends none.
10. No STARTTLS, no ESEARCH, folder names unquoted, capabilities polluted, literals and answers without bound, a timer
    that each line winds up again, no close. -> here and in `imap_answers`.
11. Secrets in its debug lines, and in the `repr` of commands, which asyncio logs. -> nothing received or sent is
    logged, a login's `repr` is empty, and server texts that echo a secret are masked.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import aioimaplib
from aioimaplib import aioimaplib as library

from smtp_probe.errors import MailboxError
from smtp_probe.mail.text import sanitise
from smtp_probe.model import Cause, TlsFacts
from smtp_probe.network.imap_answers import Status, parse_number, parse_status
from smtp_probe.network.imap_login import Dialogue
from smtp_probe.network.imap_wire import Answer, AnswerReader, WireError
from smtp_probe.network.tls import failed_tls_facts, tls_facts

T = TypeVar("T")

ANSWER_BYTES = 8 * 2**20
"""The most that one command's answer may hold: a hundred messages with 64 KiB of header each, and some."""
_CLOSE_SECONDS = 1.0
_MAXIMUM_EXISTS = 2**32 - 1
_MAXIMUM_CAPABILITIES = 300
_TAGGED = re.compile(rb"([^ ]+) (OK|NO|BAD)(?: (.*))?", re.DOTALL | re.IGNORECASE)
_TEMPORARY_CODES = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"})
_CAPABILITY_WORD = re.compile(r"[!-~]{1,64}")


class _Broken(Exception):  # noqa: N818 - a signal to the waiters; the reason is `FencedProtocol.fault`
    """The connection has been given up."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a connection was given up. `detail` is sanitised and masked."""

    cause: Cause
    detail: str


class _LoginCommand(aioimaplib.Command):  # type: ignore[misc]
    """A login. Its `repr`, which the library sends and asyncio may log, shows no argument."""

    def __init__(self, tag: str, dialogue: Dialogue, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(dialogue.command, tag, loop=loop)
        self._ending = dialogue.ending
        self._replies = iter(dialogue.replies)
        self._has_acknowledged = False

    def first_line(self) -> bytes:
        """What opens the dialogue."""
        return self.tag.encode() + b" " + self._ending

    def next_line(self) -> bytes | None:
        """The answer to the next `+`: what was planned, then one empty line (a refusal of XOAUTH2), then nothing."""
        line = next(self._replies, None)
        if line is None and not self._has_acknowledged:
            self._has_acknowledged = True
            return b""
        return line


class FencedProtocol(aioimaplib.IMAP4ClientProtocol):  # type: ignore[misc]
    """The library's protocol with its reading, its waiting and its logging replaced.

    Every method that waits ends when `give_up` is called, and `give_up` is called for whatever is not expected.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]) -> None:
        super().__init__(loop)
        self.reader = AnswerReader(ANSWER_BYTES)
        self.folder = FolderView()
        self.greeting: Status | None = None
        self.fault: Fault | None = None
        self.secrets: tuple[str, ...] = ()
        self.closed = asyncio.Event()
        self._stirred = asyncio.Event()
        self._farewell: str | None = None
        self._uidvalidity: bytes | None = None
        self._now_ns = now_ns

    # Reading.

    def data_received(self, d: bytes) -> None:
        """Cut what came into answers and take each. Never raises for what a server sends."""
        try:
            self.reader.feed(d, self._now_ns())
            while self.fault is None and (answer := self.reader.next_answer()) is not None:
                self._take(answer)
        except WireError as error:
            self.give_up(Cause.PROTOCOL_ERROR, str(error))
        if self._farewell is not None:
            self.give_up(Cause.CONNECTION_LOST, self._farewell)
        elif self.state == library.CONNECTED and self.reader.start[:1] not in (b"", b"*"):
            self.give_up(Cause.PROTOCOL_ERROR, f"the greeting is not IMAP: {self.shown(self.reader.start)}")

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits."""
        reason = "the connection was cut" if exc is None else f"the connection was cut: {exc}"
        self.give_up(Cause.CONNECTION_LOST, self.shown(reason))
        self.closed.set()

    def give_up(self, cause: Cause, detail: str) -> None:
        """End the connection and every wait on it. The first reason counts."""
        if self.fault is None:
            self.fault = Fault(cause, detail)
        command, self.pending_sync_command = self.pending_sync_command, None
        if command is not None:
            command._exception = _Broken()  # noqa: SLF001 - the library has no public way to fail a command
            command._event.set()  # noqa: SLF001
        self._stirred.set()
        if self.transport is not None:
            self.transport.abort()

    def shown(self, text: bytes | str) -> str:
        """A server's words, fit to be shown: secrets masked, one bounded line."""
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        return self._mask(sanitise(self._mask(words)))

    def _mask(self, words: str) -> str:
        for secret in self.secrets:
            words = re.sub(re.escape(secret), "***", words, flags=re.IGNORECASE)
        return words

    def _take(self, answer: Answer) -> None:
        line = answer.line
        if self.state == library.CONNECTED:
            self._take_greeting(line)
        elif line.startswith(b"* "):
            self._untagged_response(answer)
        elif line.startswith(b"+"):
            self._continuation(line)
        elif line:
            self._response_done(line)

    def _take_greeting(self, line: bytes) -> None:
        kind, _, text = line[2:].partition(b" ")
        if line.startswith(b"* ") and kind.upper() == b"BYE":
            self._farewell = self.shown(line[2:])
        elif line.startswith(b"* ") and kind.upper() in (b"OK", b"PREAUTH"):
            self.state = library.NONAUTH if kind.upper() == b"OK" else library.AUTH
            self.greeting = self._note_status(text)
            self._stirred.set()
        else:
            self.give_up(Cause.PROTOCOL_ERROR, f"the greeting is not IMAP: {self.shown(line)}")

    def _untagged_response(self, line: Answer) -> None:
        """Count what concerns the folder, whoever is waiting, and keep the rest for the command under way."""
        word, _, rest = line.line[2:].partition(b" ")
        kind = word.upper()
        if word.isdigit():
            self._note_message(word, rest[:8].upper())
        elif kind == b"CAPABILITY":
            self._note_capabilities(rest)
        elif kind == b"OK":
            self._note_status(rest)
        elif kind == b"BYE" and self._pending_name() != "LOGOUT":
            self._farewell = self.shown(line.line[2:])
        command = self.pending_sync_command
        if command is not None and command.name != "IDLE":
            command.append_to_resp(line)

    def _note_message(self, number: bytes, kind: bytes) -> None:
        count = parse_number(number)
        if count is None or count > _MAXIMUM_EXISTS:
            self.give_up(Cause.PROTOCOL_ERROR, "the server counts more messages than can be")
        elif kind.rstrip() == b"EXISTS":
            self.folder.note_exists(count)
        elif kind.rstrip() == b"EXPUNGE":
            self.folder.note_expunge()
        if self.folder.may_have_news:
            self._stirred.set()

    def _note_status(self, text: bytes) -> Status:
        """Read a response code for what it says of the connection."""
        status = parse_status(text)
        if status.code == "CAPABILITY":
            self._note_capabilities(status.arguments)
        elif status.code == "UIDVALIDITY":
            if self._pending_name() in ("SELECT", "EXAMINE"):
                self._uidvalidity = status.arguments
            elif self._uidvalidity != status.arguments:
                self.give_up(Cause.PROTOCOL_ERROR, "the folder's UIDVALIDITY changed while it was open")
        return status

    def _note_capabilities(self, words: bytes) -> None:
        listed = words.decode("ascii", "replace").upper().split()[:_MAXIMUM_CAPABILITIES]
        self.capabilities = {word for word in listed if _CAPABILITY_WORD.fullmatch(word)}

    def _continuation(self, line: bytes) -> None:
        """Lead a login's dialogue, or note that IDLE began. Nothing else is ever asked to go on."""
        command = self.pending_sync_command
        reply = command.next_line() if isinstance(command, _LoginCommand) else None
        if reply is not None:
            self.transport.write(reply + b"\r\n")
        elif self._pending_name() == "IDLE":
            self._idle_event.set()
            self._stirred.set()
        else:
            self.give_up(
                Cause.PROTOCOL_ERROR, f"the server waits for what was not announced: {self.shown(line)}"
            )

    def _response_done(self, line: bytes) -> None:
        """End the command under way. Any other tag means that we and the server disagree on what was said."""
        command = self.pending_sync_command
        match = _TAGGED.fullmatch(line)
        if match is None or command is None or match[1] != command.tag.encode():
            self.give_up(Cause.PROTOCOL_ERROR, f"an answer that was not asked for: {self.shown(line)}")
            return
        result, text = match[2].decode().upper(), match[3] or b""
        if command.name == "STARTTLS" and result == "OK":
            self.transport.pause_reading()
            if (
                self.reader.unread_bytes
            ):  # RFC 3501 section 6.2.1: would be taken for the server's secured words
                self.give_up(
                    Cause.PROTOCOL_ERROR, "the server sent more in the clear after it agreed to STARTTLS"
                )
                return
        self.pending_sync_command = None
        self._note_status(text)
        if command.name in ("SELECT", "EXAMINE"):
            self.folder.looked()  # here, not when the waiter runs: news may follow in the same read
        command.close(text, result)
        self._stirred.set()

    def _pending_name(self) -> str | None:
        command = self.pending_sync_command
        return None if command is None else str(command.name)

    # Sending.

    def send(self, line: str, scrub: str | None = None) -> None:
        """Send one line. Unlike the library's, it logs nothing."""
        self.transport.write(line.encode() + b"\r\n")

    def start(self, command: Any) -> None:
        """Send a command, and make it the one that is answered next."""
        if self.fault is not None:
            raise _Broken
        if self.pending_sync_command is not None:
            message = f"{command.name} while {self._pending_name()} is under way: one command at a time"
            raise RuntimeError(message)
        if self.state not in library.Commands[command.name].valid_states:
            message = f"{command.name} is not possible in state {self.state}"
            raise library.Abort(message)
        self.pending_sync_command = command
        self.reader.budget_bytes = ANSWER_BYTES
        if isinstance(command, _LoginCommand):
            self.transport.write(command.first_line() + b"\r\n")
        else:
            self.send(str(command))

    async def execute(self, command: Any, scrub: str | None = None) -> Any:
        """Send a command and wait for its end. The caller brings the deadline."""
        self.start(command)
        await command.wait()
        self._follow(command.name, command.response.result)
        return command.response

    def _follow(self, name: str, result: str) -> None:
        """Set the state that a command leads to (RFC 3501 section 3)."""
        if name in ("SELECT", "EXAMINE"):
            self.state = library.SELECTED if result == "OK" else library.AUTH
        elif name in ("LOGIN", "AUTHENTICATE") and result == "OK":
            self.state = library.AUTH

    async def wait_until(self, claim: Callable[[], bool]) -> None:
        """Wait until something makes `claim` true. The caller brings the deadline."""
        while self.fault is None and not claim():
            self._stirred.clear()
            await self._stirred.wait()
        if self.fault is not None:
            raise _Broken

    def stir(self) -> None:
        """Have `wait_until` look again."""
        self._stirred.set()

    # Idling, in three steps: the library's own way waits for a `+` that may never come.

    async def begin_idle(self, command: Any) -> None:
        """Send IDLE and wait until the server idles, or has refused to."""
        self._idle_event.clear()
        self.start(command)
        await self.wait_until(lambda: self._idle_event.is_set() or self.has_ended(command))

    async def end_idle(self, command: Any) -> Any:
        """Send DONE, unless the server has ended IDLE itself, and give its answer."""
        if not self.has_ended(command):
            self.idle_done()
        await command.wait()
        return command.response

    def has_ended(self, command: Any) -> bool:
        """Whether a command has had its answer, or will have none."""
        return self.pending_sync_command is not command


class ImapConnection(aioimaplib.IMAP4):  # type: ignore[misc]
    """The library's client over the fenced protocol. Every method ends within its deadline.

    `errors.MailboxError` for whatever the other side does. After it, `is_open` says whether the connection may still
    be used: after a plain NO it may, after anything else it is closed.
    """

    def __init__(self, now_ns: Callable[[], int], command_seconds: float) -> None:
        self._now_ns = now_ns
        self._is_woken = False
        self.tls_facts: TlsFacts | None = None
        self.opening_ends: float | None = None
        """While the connection is being opened: when that must be over, on the event loop's clock."""
        super().__init__(timeout=command_seconds)

    def create_client(
        self, host: str, port: int, loop: Any, conn_lost_cb: Any = None, ssl_context: Any = None
    ) -> None:
        """Make the protocol. Unlike the library's, it does not connect: `connect` is given a socket."""
        self.protocol = FencedProtocol(loop or asyncio.get_running_loop(), self._now_ns)

    @property
    def is_open(self) -> bool:
        """Whether commands may be sent."""
        return self.protocol.transport is not None and self.protocol.fault is None

    @property
    def folder(self) -> FolderView:
        """What is known of the selected folder."""
        view: FolderView = self.protocol.folder
        return view

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server announced last, upper case."""
        return frozenset(self.protocol.capabilities)

    @property
    def greeting(self) -> Status:
        """What the server said first."""
        return self.protocol.greeting or Status()

    @property
    def is_authenticated(self) -> bool:
        """Whether we are logged in: also by a greeting of PREAUTH."""
        return self.protocol.state in (library.AUTH, library.SELECTED)

    # Deadlines and errors: the one place where the library's become ours.

    async def run(self, stage: str, work: Awaitable[T], seconds: float | None = None) -> T:
        """Wait for `work` at most so long (default: the command's deadline). Raises `errors.MailboxError`.

        A timeout, a cancellation or any other error closes the connection: nobody can say then what the next answer
        would belong to.
        """
        limit = self.timeout if seconds is None else seconds
        if self.opening_ends is not None:
            limit = max(self.opening_ends - self.protocol.loop.time(), 0.0)
        try:
            async with asyncio.timeout(limit):
                return await work
        except TimeoutError:
            self.protocol.give_up(Cause.TIMEOUT, f"no answer within {limit:g} s")
        except _Broken:
            pass
        except library.AioImapException as error:
            self.protocol.give_up(Cause.INTERNAL, self.protocol.shown(str(error)))
        except BaseException:
            self.protocol.give_up(Cause.CONNECTION_LOST, "given up by us")
            raise
        raise self._broken(stage) from None

    def doubt(self, stage: str, detail: str) -> MailboxError:
        """Close the connection over an answer that cannot be understood, and give the error to raise."""
        self.protocol.give_up(Cause.PROTOCOL_ERROR, self.protocol.shown(detail))
        return self._broken(stage)

    def _broken(self, stage: str) -> MailboxError:
        fault: Fault = self.protocol.fault
        return MailboxError(stage, fault.cause, detail=fault.detail)

    async def ask(
        self, stage: str, work: Awaitable[Any], *, refused: Cause | None = None, forgiven: str = ""
    ) -> list[Answer]:
        """Run a command and give its untagged answers.

        NO and BAD raise `errors.MailboxError` with the cause that fits the response code, or `refused`. A NO with
        the code `forgiven` counts as OK.
        """
        response = await self.run(stage, work)
        *answers, text = response.lines
        status = parse_status(text)
        if response.result == "OK" or (response.result == "NO" and status.code == forgiven):
            return answers
        cause = _refusal(response.result, status.code, refused)
        raise MailboxError(stage, cause, detail=self.protocol.shown(response.result.encode() + b" " + text))

    # Opening and closing.

    async def connect(
        self, connection: socket.socket, context: ssl.SSLContext | None, server_name: str
    ) -> None:
        """Take over a connected socket; with a context, shake hands first (implicit TLS, RFC 8314)."""
        opening = self.protocol.loop.create_connection(
            lambda: self.protocol,
            sock=connection,
            ssl=context,
            server_hostname=server_name if context is not None else None,
        )
        await self._shake_hands("tls" if context is not None else "connect", opening, context)

    async def start_tls(self, context: ssl.SSLContext, server_name: str) -> None:
        """Secure the connection, and forget what the server said before (RFC 3501 section 6.2.1)."""
        if "STARTTLS" not in self.protocol.capabilities:
            raise MailboxError(
                "starttls", Cause.STARTTLS_NOT_OFFERED, detail="the server does not offer STARTTLS"
            )
        await self.ask("starttls", self.protocol.execute(self._command("STARTTLS")))
        self.protocol.capabilities = set()
        upgrade = self.protocol.loop.start_tls(
            self.protocol.transport, self.protocol, context, server_hostname=server_name
        )
        await self._shake_hands("starttls", upgrade, context)
        await self.ask_capabilities("starttls")

    async def _shake_hands(self, stage: str, work: Awaitable[Any], context: ssl.SSLContext | None) -> None:
        """Wait for a handshake, and insist on its result: asyncio reports some cut ones as done."""
        try:
            result = await self.run(stage, work)
        except BaseException as error:
            self.protocol.closed.set()  # asyncio does not tell the protocol
            if isinstance(error, OSError):
                raise self._handshake_error(stage, error) from None
            raise
        if context is None:
            return
        transport = result[0] if isinstance(result, tuple) else result
        ssl_object = None if transport is None else transport.get_extra_info("ssl_object")
        if ssl_object is None:
            self.protocol.give_up(Cause.CONNECTION_LOST, "the connection was cut during the TLS handshake")
            raise self._broken(stage)
        self.protocol.transport = transport
        self.tls_facts = tls_facts(ssl_object)

    def _handshake_error(self, stage: str, error: OSError) -> MailboxError:
        if not isinstance(error, ssl.SSLError):
            return MailboxError(stage, Cause.CONNECTION_LOST, detail=self.protocol.shown(str(error)))
        self.tls_facts = failed_tls_facts(error)
        words = getattr(error, "verify_message", "") or error.reason or str(error)
        return MailboxError(
            stage,
            Cause.TLS_FAILED,
            tls_failure=self.tls_facts.failure,
            detail=self.protocol.shown(words),
        )

    async def wait_for_greeting(self) -> None:
        """Wait for the server's first word, and know its capabilities."""
        await self.run("greeting", self.protocol.wait_until(lambda: self.protocol.greeting is not None))
        if not self.protocol.capabilities:
            await self.ask_capabilities("greeting")

    async def ask_capabilities(self, stage: str) -> None:
        """Learn what the server can do now."""
        await self.ask(stage, self.protocol.execute(self._command("CAPABILITY")))

    async def log_in(self, dialogue: Dialogue) -> None:
        """Authenticate, and learn the capabilities anew: they may be others for a known user."""
        self.protocol.secrets = dialogue.secrets
        self.protocol.capabilities = set()
        command = _LoginCommand(self.protocol.new_tag(), dialogue, self.protocol.loop)
        await self.ask("login", self.protocol.execute(command), refused=Cause.AUTH_REFUSED)
        if not self.protocol.capabilities:
            await self.ask_capabilities("login")

    async def close(self, seconds: float) -> None:
        """Log out if that is possible within so many seconds, and close. Raises nothing but a cancellation."""
        protocol = self.protocol
        if self.is_open and protocol.greeting is not None and protocol.pending_sync_command is None:
            with suppress(MailboxError):  # the other side was faster, or silent: the same to us now
                await self.run("logout", protocol.logout(), seconds)
        await self.drop()

    async def drop(self) -> None:
        """Close without a word."""
        self.protocol.give_up(Cause.CONNECTION_LOST, "closed by us")
        if self.protocol.transport is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self.protocol.closed.wait()

    # Idling.

    async def idle(self, seconds: float) -> None:
        """Wait until the folder may have news (RFC 2177), `wake` is called, or so many seconds are over."""
        protocol = self.protocol
        self._is_woken = False
        command = library.IdleCommand(protocol.new_tag(), protocol.idle_queue, loop=protocol.loop)
        await self.run("idle", protocol.begin_idle(command))
        await self.run("idle", self._rest(command, seconds), seconds + self.timeout)
        await self.ask("idle", protocol.end_idle(command))

    async def _rest(self, command: Any, seconds: float) -> None:
        view = self.folder
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.protocol.wait_until(
                    lambda: view.may_have_news or self._is_woken or self.protocol.has_ended(command)
                )

    def wake(self) -> None:
        """End a running `idle` early."""
        self._is_woken = True
        self.protocol.stir()

    def _command(self, name: str) -> Any:
        return aioimaplib.Command(name, self.protocol.new_tag(), loop=self.protocol.loop)


def quote(text: str) -> str:
    """Write a string argument (RFC 3501 section 9). NUL, CR and LF are refused when the command is made."""
    written: str = library.quoted(text)
    return written


def _refusal(result: str, code: str, refused: Cause | None) -> Cause:
    """The cause that fits a tagged NO or BAD (response codes: RFC 5530)."""
    if code in _TEMPORARY_CODES:
        return Cause.REPLY_TEMPORARY
    if refused is Cause.AUTH_REFUSED:
        return refused
    if result == "BAD":
        return Cause.PROTOCOL_ERROR
    return Cause.REPLY_PERMANENT if refused is None or code == "NOPERM" else refused
