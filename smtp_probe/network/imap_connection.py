"""One IMAP connection, on aioimaplib: the only file that imports it, and the fence around it.

Duty: send one command at a time and give its whole answer; keep count of what is in the selected folder; end every
wait. In: a connected socket and commands. Out: answers, or `errors.MailboxError`. It does not know what is looked
for, when to look or when to connect again.

aioimaplib 2.0.3 brings the commands, their tags and the states they are allowed in. What is wrong with it for us, and
where that is repaired (the tests have the same numbers):

1. It reads by recursion: a thousand lines at once end it. -> `data_received` cuts answers with `imap_wire`.
2. A lost connection wakes nobody. -> `connection_lost` and `give_up` end every wait, with the reason.
3. `idle_start` hangs when BYE comes instead of `+`. -> `begin_idle` waits for whatever comes first.
4. After a timeout the command stays pending and blocks all others. -> `run` closes on a timeout or a cancellation.
5. EXISTS inside another command's answer is dropped. -> `imap_state` counts it, whoever is waiting.
6. It deletes every `* ` in a line, and reads any text that ends in `{3}` as a literal. -> answers stay whole.
7. It does not answer the challenge of a refused XOAUTH2, has no AUTHENTICATE PLAIN, and does not quote user names.
   -> `imap_login` plans a dialogue, `_continuation` leads it.
8. A greeting of BYE, and a tag that nobody sent, hang the caller. -> both end the connection, with the reason.
9. EXAMINE leaves it in a state without FETCH, and a refused SELECT in one with it; SEARCH names a CHARSET that some
   servers refuse. -> `_follow` sets the state; `imap_commands` names none.
10. No STARTTLS, no ESEARCH, no bound on literals and answers, folder names unquoted, polluted capabilities, a timer
    that each line winds up again, no close. -> `imap_opening`, `imap_answers`, `imap_wire`, `imap_commands`,
    `imap_state`, `run`, `close`.
11. Secrets in its debug lines, and in the `repr` of commands, which asyncio logs. -> nothing sent or received is
    logged, a login's `repr` is empty of them, and what a server echoes is masked (`shown`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import aioimaplib
from aioimaplib import aioimaplib as library

from smtp_probe.errors import MailboxError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause, TlsFacts
from smtp_probe.network.concealment import Concealment
from smtp_probe.network.imap_answers import parse_status
from smtp_probe.network.imap_login import Dialogue
from smtp_probe.network.imap_state import ServerState, refusal_cause
from smtp_probe.network.imap_view import FolderView
from smtp_probe.network.imap_wire import Answer, AnswerReader, WireError
from smtp_probe.network.tcp import cut
from smtp_probe.network.time_limit import TimeLimit

T = TypeVar("T")

_ANSWER_BYTES = 8 * 2**20
"""The most that an answer with content may hold: a hundred messages with 64 KiB of header each, and some."""
_SMALL_ANSWER_BYTES = 2**20
_KEPT_ANSWER_BYTES = 256
"""What keeping one answer costs beyond its bytes: many small ones are as dear as few large ones."""
_WITH_CONTENT = frozenset({"FETCH", "SEARCH", "LIST"})
_KEEPING = _WITH_CONTENT | {"CAPABILITY", "ID", "SELECT", "EXAMINE", "GETQUOTAROOT", "MYRIGHTS"}
"""The commands whose untagged answers somebody reads; all others need only their tagged one."""
_CLOSE_SECONDS = 1.0
_TAGGED = re.compile(rb"([^ ]+) (OK|NO|BAD)(?: (.*))?", re.DOTALL | re.IGNORECASE)


class _Broken(Exception):  # noqa: N818 - a signal to the waiters; the reason is `FencedProtocol.fault`
    """The connection has been given up."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a connection was given up. `detail` is sanitised and masked."""

    cause: Cause
    detail: str


class _SpokenCommand(aioimaplib.Command):  # type: ignore[misc]
    """A command in several lines. Its `repr`, which asyncio may log, shows no argument."""

    def __init__(self, tag: str, dialogue: Dialogue, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(dialogue.command, tag, loop=loop)
        self.first_line = tag.encode() + b" " + dialogue.ending
        self._replies = [*dialogue.replies, b""]

    def next_line(self) -> bytes | None:
        """The answer to the next `+`: what was planned, then one empty line (a refusal of XOAUTH2), then nothing."""
        return self._replies.pop(0) if self._replies else None


class FencedProtocol(aioimaplib.IMAP4ClientProtocol):  # type: ignore[misc]
    """The library's protocol with its reading, its waiting and its logging replaced.

    Every wait on it ends when `give_up` is called, and `give_up` is called for whatever is not expected.
    """

    pending_sync_command: Any

    def __init__(self, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]) -> None:
        super().__init__(loop)
        self.told = ServerState()
        self.reader = AnswerReader(_SMALL_ANSWER_BYTES)
        self.fault: Fault | None = None
        self.dialogue: Dialogue | None = None
        self.concealment: Concealment | None = None
        self.closed = asyncio.Event()
        self._stirred = asyncio.Event()
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
        if self.told.farewell is not None:  # after all that came with it: a NO before BYE says more
            self.give_up(Cause.CONNECTION_LOST, self.shown(self.told.farewell))
        elif self.state == library.CONNECTED and self.reader.start[:1] not in (b"", b"*"):
            self.give_up(Cause.PROTOCOL_ERROR, f"the greeting is not IMAP: {self.shown(self.reader.start)}")
        self._stirred.set()

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
        cut(self.transport)

    def shown(self, text: bytes | str) -> str:
        """A server's words, fit to be shown: secrets masked, one bounded line."""
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        words = words if self.concealment is None else self.concealment.mask(words)
        if self.dialogue is None:
            return sanitise(words)
        return self.dialogue.mask(sanitise(self.dialogue.mask(words)))

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
        self.capabilities = self.told.capabilities
        if self.told.complaint is not None:
            self.give_up(Cause.PROTOCOL_ERROR, f"{self.told.complaint}: {self.shown(line)}")

    def _take_greeting(self, line: bytes) -> None:
        self.told.note_greeting(line)
        if self.told.greeting is not None:
            self.state = library.AUTH if self.told.is_preauthenticated else library.NONAUTH

    def _untagged_response(self, line: Answer) -> None:
        """Note it, whoever is waiting, and keep it for the command under way."""
        command = self.pending_sync_command
        self.told.note_untagged(line.line, None if command is None else command.name)
        if command is not None and command.name in _KEEPING:
            self.reader.budget_bytes -= _KEPT_ANSWER_BYTES
            command.append_to_resp(line)

    def _continuation(self, line: bytes) -> None:
        """Lead a dialogue, or note that IDLE began. Nothing else is ever asked to go on."""
        command = self.pending_sync_command
        reply = command.next_line() if isinstance(command, _SpokenCommand) else None
        if reply is not None:
            self.transport.write(reply + b"\r\n")
        elif command is not None and command.name == "IDLE":
            self._idle_event.set()
        else:
            self.give_up(
                Cause.PROTOCOL_ERROR, f"the server asks for what was not announced: {self.shown(line)}"
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
                detail = "the server sent more in the clear after it agreed to STARTTLS"
                self.give_up(Cause.PROTOCOL_ERROR, detail)
                return
        self.pending_sync_command = None
        self.told.note_status(text, command.name)
        if command.name in ("SELECT", "EXAMINE"):
            self.told.folder.looked()  # here, not when the waiter runs: news may follow in the same read
        command.close(text, result)

    # Sending.

    def send(self, line: str, scrub: str | None = None) -> None:  # noqa: ARG002 - the library's signature
        """Send one line. Unlike the library's, it logs nothing."""
        self.transport.write(line.encode() + b"\r\n")

    def start(self, command: Any) -> None:
        """Send a command, and make it the one that is answered next."""
        if self.fault is not None:
            raise _Broken
        if self.pending_sync_command is not None:
            message = f"{command.name} while {self.pending_sync_command.name} is under way"
            raise RuntimeError(message)
        if self.state not in library.Commands[command.name].valid_states:
            message = f"{command.name} is not possible in state {self.state}"
            raise library.Abort(message)
        self.pending_sync_command = command
        self.reader.budget_bytes = _ANSWER_BYTES if command.name in _WITH_CONTENT else _SMALL_ANSWER_BYTES
        if isinstance(command, _SpokenCommand):
            self.transport.write(command.first_line + b"\r\n")
        else:
            self.send(str(command))

    async def execute(self, command: Any, scrub: str | None = None) -> Any:  # noqa: ARG002 - as above
        """Send a command and wait for its end. The caller brings the deadline."""
        self.start(command)
        await command.wait()
        self._follow(command.name, command.response.result)
        return command.response

    async def log_in(self, dialogue: Dialogue) -> Any:
        """Lead one login."""
        self.dialogue = dialogue
        return await self.converse(dialogue)

    async def converse(self, dialogue: Dialogue) -> Any:
        """Lead one command of several lines."""
        return await self.execute(_SpokenCommand(self.new_tag(), dialogue, self.loop))

    async def simple_command(self, name: str, *args: str) -> Any:
        """Send a command with its arguments as they are. Unlike the library's, any that it knows."""
        return await self.execute(aioimaplib.Command(name, self.new_tag(), *args, loop=self.loop))

    def _follow(self, name: str, result: str) -> None:
        """Set the state that a command leads to (RFC 3501 section 3)."""
        if name in ("SELECT", "EXAMINE"):
            self.state = library.SELECTED if result == "OK" else library.AUTH
        elif name in ("LOGIN", "AUTHENTICATE") and result == "OK":
            self.state = library.AUTH

    # Waiting.

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

    async def begin_idle(self) -> Any:
        """Send IDLE and wait until the server idles, or has refused to. Gives the command."""
        command = library.IdleCommand(self.new_tag(), self.idle_queue, loop=self.loop)
        self._idle_event.clear()
        self.start(command)
        await self.wait_until(lambda: self._idle_event.is_set() or self.has_ended(command))
        return command

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
    """The library's client over the fenced protocol: deadlines, and the one place where errors become ours.

    Raises `errors.MailboxError` for whatever the other side does. After it, `is_open` says whether the connection may
    still be used: after a plain NO or BAD it may, after anything else it is closed.
    """

    protocol: FencedProtocol

    def __init__(self, now_ns: Callable[[], int], command_seconds: float) -> None:
        self._now_ns = now_ns
        self.tls_facts: TlsFacts | None = None
        self.opening_ends: float | None = None
        """While the connection is being opened: when that must be over, on the event loop's clock."""
        self._limit = TimeLimit()
        super().__init__(timeout=command_seconds)

    def create_client(self, *_: Any, **__: Any) -> None:
        """Make the protocol. Unlike the library's, it does not connect: `imap_opening` does."""
        self.protocol = FencedProtocol(asyncio.get_running_loop(), self._now_ns)

    @property
    def is_open(self) -> bool:
        """Whether commands may be sent."""
        return self.protocol.transport is not None and self.protocol.fault is None

    @property
    def is_authenticated(self) -> bool:
        """Whether we are logged in: also by a greeting of PREAUTH."""
        return self.protocol.state in (library.AUTH, library.SELECTED)

    @property
    def folder(self) -> FolderView:
        """What is known of the selected folder."""
        return self.protocol.told.folder

    async def run(self, stage: str, work: Awaitable[T], seconds: float | None = None) -> T:
        """Wait for `work` at most so long (default: a command's deadline).

        A timeout, a cancellation or any error closes the connection: nobody can say then what the next answer would
        belong to.
        """
        protocol = self.protocol
        limit = self.timeout if seconds is None else seconds
        if self.opening_ends is not None:
            limit = max(self.opening_ends - protocol.loop.time(), 0.0)
        try:
            with self._limit.within(limit):
                return await work
        except TimeoutError:
            protocol.give_up(Cause.TIMEOUT, f"no answer within {limit:.3g} s")
        except _Broken:
            pass
        except library.AioImapException as error:
            protocol.give_up(Cause.INTERNAL, protocol.shown(str(error)))
        except BaseException:
            protocol.give_up(Cause.CONNECTION_LOST, "given up by us")
            raise
        raise self._broken(stage) from None

    async def ask(
        self, stage: str, work: Awaitable[Any], *, refused: Cause | None = None, forgiven: str | None = None
    ) -> list[Answer]:
        """Run a command and give its untagged answers.

        NO and BAD raise the error that fits the response code; a plain NO raises `refused`. A NO with the code
        `forgiven` counts as OK.
        """
        response = await self.run(stage, work)
        answers: list[Answer] = response.lines[:-1]
        text: bytes = response.lines[-1]
        status = parse_status(text)
        if response.result == "OK" or (response.result == "NO" and status.code == forgiven):
            return answers
        cause = refusal_cause(response.result, status.code, refused)
        raise MailboxError(stage, cause, detail=self.protocol.shown(response.result.encode() + b" " + text))

    def doubt(self, stage: str, detail: str, cause: Cause = Cause.PROTOCOL_ERROR) -> MailboxError:
        """Close the connection over something that must not be, and give the error to raise."""
        self.protocol.give_up(cause, detail)
        return self._broken(stage)

    def _broken(self, stage: str) -> MailboxError:
        fault = self.protocol.fault
        assert fault is not None
        return MailboxError(stage, fault.cause, detail=fault.detail)

    async def close(self, seconds: float) -> None:
        """Log out if that is possible within so many seconds, and close. Raises nothing but a cancellation."""
        protocol = self.protocol
        is_idle = protocol.told.greeting is not None and protocol.pending_sync_command is None
        if self.is_open and is_idle:
            with suppress(MailboxError):  # the other side was faster, or silent: the same to us now
                await self.run("logout", protocol.logout(), seconds)
        await self.drop()

    async def drop(self) -> None:
        """Close without a word."""
        self._limit.close()
        self.protocol.give_up(Cause.CONNECTION_LOST, "closed by us")
        if self.protocol.transport is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self.protocol.closed.wait()
