"""The words of POP3 (RFC 1939) on one connection, each answer bounded in time and size.

In: a connected pair of streams. Out: answers, or `errors.MailboxError` with the command as its stage. Sends no secret on its
own: what is said is decided by `pop3`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable

from smtp_probe.errors import MailboxError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause, TlsFacts
from smtp_probe.network.tls import failed_tls_facts, tls_facts

LINE_BYTES = 65_536
"""Longest line that is read: a header line of a message may be much longer than RFC 5322 wants it."""
_MOST_BYTES = 16 * 2**20
_TEMPORARY = ("[IN-USE]", "[SYS/TEMP]", "[LOGIN-DELAY]")
"""Response codes (RFC 2449, RFC 3206) of a login that may go well later."""


class Pop3Dialogue:
    """One connection. `mask` takes our secrets out of what the server says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
        self._reader = reader
        self._writer = writer
        self._seconds = seconds
        self.mask: Callable[[str], str] = str
        self.tls: TlsFacts | None = None

    async def greet(self) -> None:
        """Wait for the server's first word."""
        async with self._within("greeting"):
            await self._status("greeting", None)

    async def ask(self, stage: str, line: bytes, *, refused: Cause = Cause.REPLY_PERMANENT) -> str:
        """Send a command and give the text of its answer. Raises MailboxError for -ERR."""
        async with self._within(stage):
            await self._send(line)
            return await self._status(stage, refused)

    async def authenticate(self, mechanism: str, response: bytes, refusal: bytes) -> None:
        """AUTH (RFC 5034) with an initial response; reasons of a refusal are acknowledged. Raises MailboxError."""
        async with self._within("login"):
            await self._send(f"AUTH {mechanism} ".encode() + response)
            line = await self._line()
            if line.startswith(b"+ ") or line == b"+":
                await self._send(refusal)
                line = await self._line()
            self._judge("login", line, Cause.AUTH_REFUSED)

    async def read_lines(self, stage: str, limit_bytes: int, *, drains: bool = True) -> tuple[bytes, bool]:
        """Give the start of what follows an answer, and whether that was all.

        With `drains` the rest is read and dropped; else the connection is of no use after an answer that goes on.
        """
        text, rest = bytearray(), _MOST_BYTES
        async with self._within(stage):
            while (line := await self._line()) != b".":
                rest -= len(line) + 2
                if len(text) < limit_bytes:
                    text += line.removeprefix(b".") + b"\r\n"
                elif not drains:
                    return bytes(text[:limit_bytes]), False
                elif rest < 0:
                    raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail="an answer without end")
        return bytes(text[:limit_bytes]), rest + limit_bytes >= _MOST_BYTES

    async def start_tls(self, context: ssl.SSLContext, name: str, stage: str = "starttls") -> None:
        """Shake hands: after STLS (RFC 2595), or at once, where the stage is `tls`."""
        if self._reader._buffer:  # type: ignore[attr-defined]  # noqa: SLF001 - said before TLS, by anybody
            raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail="the server spoke before TLS began")
        async with self._within(stage):
            await self._writer.start_tls(context, server_hostname=name)
        self.note_tls()

    def note_tls(self) -> None:
        """Remember what the TLS of this connection is."""
        self.tls = tls_facts(self._writer.get_extra_info("ssl_object"))

    async def close(self, *, politely: bool) -> None:
        """End the connection; raises nothing but a cancellation."""
        if politely:
            with contextlib.suppress(MailboxError):
                await self.ask("quit", b"QUIT")
        self._writer.transport.abort()

    async def _send(self, line: bytes) -> None:
        self._writer.write(line + b"\r\n")
        with contextlib.suppress(ConnectionError):  # what the server said before it left is read all the same
            await self._writer.drain()

    async def _status(self, stage: str, refused: Cause | None) -> str:
        return self._judge(stage, await self._line(), refused)

    def _judge(self, stage: str, line: bytes, refused: Cause | None) -> str:
        shown = self.mask(sanitise(line))
        if line.startswith(b"+OK"):
            return line[3:].strip().decode("utf-8", "replace")
        if not line.startswith(b"-ERR"):
            raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail=f"no answer of POP3: {shown}")
        is_passing = refused is None or any(code in shown for code in _TEMPORARY)
        raise MailboxError(
            stage, Cause.REPLY_TEMPORARY if is_passing else refused or Cause.REPLY_PERMANENT, detail=shown
        )

    async def _line(self) -> bytes:
        line = await self._reader.readuntil(b"\n")
        return line.rstrip(b"\r\n")

    @contextlib.asynccontextmanager
    async def _within(self, stage: str) -> AsyncIterator[None]:
        """Run a step within the deadline of one command, and translate what goes wrong in it."""
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except TimeoutError:
            detail = f"no answer within {self._seconds:g} s"
            raise MailboxError(stage, Cause.TIMEOUT, detail=detail) from None
        except (asyncio.LimitOverrunError, asyncio.IncompleteReadError) as error:
            is_cut = isinstance(error, asyncio.IncompleteReadError)
            detail = "the server closed the connection" if is_cut else "a line without end"
            cause = Cause.CONNECTION_LOST if is_cut else Cause.PROTOCOL_ERROR
            raise MailboxError(stage, cause, detail=detail) from None
        except ssl.SSLError as error:
            self.tls = facts = failed_tls_facts(error)
            raise MailboxError(
                stage, Cause.TLS_FAILED, tls_failure=facts.failure, detail=sanitise(str(error))
            ) from None
        except OSError as error:
            raise MailboxError(stage, Cause.CONNECTION_LOST, detail=sanitise(str(error))) from None
