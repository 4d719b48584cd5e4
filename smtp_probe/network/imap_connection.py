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
from collections.abc import Awaitable, Callable, Sequence
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
_MAXIMUM_EXISTS = 2**32 - 1
_MAXIMUM_CAPABILITIES = 300
_TAGGED = re.compile(rb"([^ ]+) (OK|NO|BAD)(?: (.*))?", re.DOTALL | re.IGNORECASE)
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
        self._uidvalidity: int | None = None
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
        elif status.code == "UIDVALIDITY" and self._pending_name() not in ("SELECT", "EXAMINE"):
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
            self.give_up(Cause.PROTOCOL_ERROR, f"the server waits for what was not announced: {self.shown(line)}")

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
            if self.reader.unread_bytes:  # RFC 3501 section 6.2.1: would be taken for the server's secured words
                self.give_up(Cause.PROTOCOL_ERROR, "the server sent more in the clear after it agreed to STARTTLS")
                return
        self.pending_sync_command = None
        self._note_status(text)
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
