"""Handing a letter to the next host of the demo, over SMTP or LMTP on the loopback interface.

In: a letter and where to take it. Out: one `Attempt`, whatever happens; a host that does not answer is a temporary
failure. Knows one letter for one recipient on one connection, and connects to 127.0.0.1 only. The prober's own
submission is another thing: `smtp_probe.network`.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass

from smtp_probe.demo.certificates import LOOPBACK
from smtp_probe.demo.letter import Letter
from smtp_probe.model import Reply
from smtp_probe.network.tcp import cut

_DEADLINE_SECONDS = 30.0
_CLOSE_SECONDS = 1.0
_LINE_LIMIT_BYTES = 2048
_MAXIMUM_REPLY_LINES = 50
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: |$)")
_UNPRINTABLE = re.compile(r"[^ -~]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHop:
    """A host of the demo that takes mail: its name, its port, and how to speak to it."""

    host: str
    port: int
    speaks_lmtp: bool = False
    tls: ssl.SSLContext | None = None
    """What to verify it with when it offers STARTTLS; None never encrypts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one attempt ended: the last reply, who gave it, and the command that it answers, in words."""

    host: str
    reply: Reply
    stage: str

    @property
    def is_accepted(self) -> bool:
        """Whether the letter is the next host's now."""
        return 200 <= self.reply.code < 300


class _RefusedError(Exception):
    """A reply that ends the dialogue."""

    def __init__(self, reply: Reply, stage: str) -> None:
        self.reply = reply
        self.stage = stage
        super().__init__(str(reply))


class _Dialogue:
    """One connection to the next host."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, helo: str) -> None:
        self._reader = reader
        self._writer = writer
        self._helo = helo

    async def _reply(self) -> tuple[Reply, list[str]]:
        lines: list[str] = []
        while len(lines) < _MAXIMUM_REPLY_LINES:
            raw = await self._reader.readuntil(b"\n")
            lines.append(_UNPRINTABLE.sub("?", raw.decode("ascii", "replace").rstrip("\r\n")))
            if lines[-1][3:4] != "-":
                break
        else:
            message = "a reply without an end"
            raise ValueError(message)
        text = " ".join(line[4:] for line in lines)
        enhanced = _ENHANCED.match(text)
        return (
            Reply(
                code=int(lines[-1][:3]),
                enhanced=enhanced[1] if enhanced else None,
                text=text[enhanced.end() :] if enhanced else text,
            ),
            [line[4:] for line in lines],
        )

    async def say(self, command: str, stage: str, expected: int = 2) -> list[str]:
        """Send one command and return the lines of its reply. Raises `_RefusedError` for another reply class."""
        if command:
            self._writer.write(command.encode("ascii", "replace") + b"\r\n")
        reply, lines = await self._reply()
        if reply.code // 100 != expected:
            raise _RefusedError(reply, stage)
        return lines

    async def greet(self, next_hop: NextHop) -> set[str]:
        """Read the greeting, say hello, encrypt where both can. Returns the extensions that are offered."""
        verb = "LHLO" if next_hop.speaks_lmtp else "EHLO"
        await self.say("", "connection")
        offered = await self.say(f"{verb} {self._helo}", f"{verb} command")
        if next_hop.tls is not None and "STARTTLS" in offered:
            await self.say("STARTTLS", "STARTTLS command")
            await self._writer.start_tls(next_hop.tls, server_hostname=next_hop.host)
            offered = await self.say(f"{verb} {self._helo}", f"{verb} command")
        return {line.partition(" ")[0].upper() for line in offered}

    async def pass_on(self, letter: Letter, offered: set[str]) -> Reply:
        """Run the transaction. Returns the reply to the final dot."""
        mail, rcpt = f"MAIL FROM:<{letter.sender}>", f"RCPT TO:<{letter.recipient}>"
        if "DSN" in offered:
            mail += letter.dsn.mail_parameters()
            rcpt += letter.dsn.rcpt_parameters()
        await self.say(mail, "MAIL FROM command")
        await self.say(rcpt, "RCPT TO command")
        await self.say("DATA", "DATA command", expected=3)
        stuffed = letter.content.replace(b"\r\n.", b"\r\n..")
        self._writer.write(b"." if stuffed.startswith(b".") else b"")
        self._writer.write(stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n")
        self._writer.write(b".\r\n")
        await self._writer.drain()
        reply, _ = await self._reply()
        return reply


async def _converse(letter: Letter, helo: str, next_hop: NextHop) -> Reply:
    reader, writer = await asyncio.open_connection(LOOPBACK, next_hop.port, limit=_LINE_LIMIT_BYTES)
    try:
        dialogue = _Dialogue(reader, writer, helo)
        reply = await dialogue.pass_on(letter, await dialogue.greet(next_hop))
        with suppress(_RefusedError, OSError, EOFError):
            await dialogue.say("QUIT", "QUIT command")
        writer.close()
        with suppress(OSError):
            await asyncio.wait_for(writer.wait_closed(), _CLOSE_SECONDS)
    finally:
        cut(writer.transport)
    return reply


async def hand_over(letter: Letter, helo: str, next_hop: NextHop) -> Attempt:
    """Try once, for at most 30 seconds, to hand a letter to the next host. Raises nothing but cancellation."""
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            reply = await _converse(letter, helo, next_hop)
            return Attempt(host=next_hop.host, reply=reply, stage="end of DATA command")
    except _RefusedError as refused:
        return Attempt(host=next_hop.host, reply=refused.reply, stage=refused.stage)
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        reply = Reply(code=451, enhanced="4.4.1", text=f"no usable answer ({type(error).__name__})")
        return Attempt(host=next_hop.host, reply=reply, stage="connection")
