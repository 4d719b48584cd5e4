"""An IMAP server that follows a script, line by line, and lies where the script says so.

A script is text (or a list of text and bytes), one step a line:

    S: text        send this line; {tag} is the tag of the command that was read last
    C: pattern     read a command; its text after the tag must match this regular expression
    R: pattern     read a line without a tag (an answer to `+`, or DONE)
    starttls       shake hands as a server with `starttls`
    wait 0.2       do nothing for so many seconds
    cut            reset the connection
    end            close it politely

Bytes in a list are sent as they are; a function is called with the session and may do anything. LOGOUT is answered
and ends the session, wherever the script is; after its script a session only listens (`unanswered`). Each connection
takes the next script, the last one again and again. What does not fit the script stands in `complaints`, and fails
the test when it leaves the server's block.
"""

import asyncio
import inspect
import re
import socket
import struct
from contextlib import asynccontextmanager, suppress

from smtp_probe.config.settings import Mailbox
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.mailbox import ImapConnector

SECRET = "hunter2secret"
CAPABILITIES = "IMAP4rev1 AUTH=PLAIN SASL-IR IDLE UIDPLUS MOVE"

LOGIN = f"""
S: * OK [CAPABILITY {CAPABILITIES}] ready
C: AUTHENTICATE PLAIN
S: {{tag}} OK [CAPABILITY {CAPABILITIES}] logged in
"""
SELECT = """
C: SELECT "INBOX"
S: * FLAGS (\\Seen \\Deleted)
S: * 3 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 7] valid
S: * OK [UIDNEXT 104] next
S: {tag} OK [READ-WRITE] selected
"""


class Mismatch(Exception):
    """The client said something else than the script."""


class Goodbye(Exception):
    """The client logged out before the end of the script."""


class Session:
    """One connection, at one step of its script."""

    def __init__(self, server, reader, writer):
        self.server = server
        self.reader = reader
        self.writer = writer
        self.tag = "*"
        self.line = ""

    async def read_line(self):
        data = await self.reader.readuntil(b"\n")
        self.line = data.decode("utf-8", "surrogateescape").removesuffix("\r\n")
        self.server.received.append(self.line)
        return self.line

    async def read_command(self, pattern=""):
        self.tag, _, command = (await self.read_line()).partition(" ")
        if command == "LOGOUT" and not re.match(pattern or "$", command):
            await self.send("* BYE see you")
            await self.send("{tag} OK done")
            raise Goodbye
        self._require(pattern, command)
        return command

    async def send(self, text):
        await self.send_bytes(text.replace("{tag}", self.tag).encode(errors="surrogateescape") + b"\r\n")

    async def send_bytes(self, data):
        self.writer.write(data)
        await self.writer.drain()

    def _require(self, pattern, text):
        if not re.match(pattern, text, re.IGNORECASE):
            raise Mismatch(f"wanted {pattern!r}, got {text!r}")

    async def take(self, step):
        if isinstance(step, bytes):
            await self.send_bytes(step)
            return
        if callable(step):
            result = step(self)
            if inspect.isawaitable(result):
                await result
            return
        kind, _, rest = step.partition(" ")
        match kind:
            case "S:":
                await self.send(rest)
            case "C:":
                await self.read_command(rest)
            case "R:":
                self._require(rest, await self.read_line())
            case "wait":
                await asyncio.sleep(float(rest))
            case "starttls":
                await self.start_tls()
            case "cut":
                self.reset()
            case "end":
                self.writer.close()
            case _:
                raise Mismatch(f"not a step: {step!r}")

    async def start_tls(self):
        """Shake hands. asyncio forgets the transport when the client hangs up meanwhile."""
        plain = self.writer.transport
        try:
            await self.writer.start_tls(self.server.starttls)
        finally:
            if self.writer.transport is None:
                self.writer._transport = plain
                raise ConnectionResetError

    def reset(self):
        """End with RST, as a crashed machine or a firewall does."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def say_goodbye(self):
        while True:
            self.server.unanswered.append(await self.read_command())


class HostileImap:
    """The server: its port, what it heard, and what did not fit."""

    def __init__(self, scripts, *, tls=None, starttls=None):
        self.scripts = [split(script) for script in scripts]
        self.tls = tls
        self.starttls = starttls
        self.port = 0
        self.received = []
        self.unanswered = []
        self.complaints = []
        self.connections = 0
        self._tasks = set()

    async def serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        session = Session(self, reader, writer)
        try:
            for step in script:
                await session.take(step)
            await session.say_goodbye()
        except Mismatch as mismatch:
            self.complaints.append(str(mismatch))
        except (Goodbye, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client had enough
        finally:
            writer.transport.abort()

    async def stop(self):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # for the transports to close


def split(script):
    """Turn a script into its steps."""
    pieces = [script] if isinstance(script, str) else script
    steps = []
    for piece in pieces:
        steps += [line for line in piece.split("\n") if line.strip()] if isinstance(piece, str) else [piece]
    return steps


@asynccontextmanager
async def hostile_imap(*scripts, tls=None, starttls=None):
    """Run a server with these scripts, one for each connection."""
    hostile = HostileImap(scripts, tls=tls, starttls=starttls)
    server = await asyncio.start_server(hostile.serve, "127.0.0.1", 0, ssl=tls)
    hostile.port = server.sockets[0].getsockname()[1]
    try:
        yield hostile
    finally:
        server.close()
        await hostile.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 1.0)
    assert hostile.complaints == []


class LocalResolver:
    """Knows every name, and gives one address for it; or raises what it is given."""

    def __init__(self, *addresses, error=None):
        self.answer = addresses or ("127.0.0.1",)
        self.error = error

    async def addresses(self, host, family):
        if self.error is not None:
            raise self.error
        return self.answer


def mailbox_settings(port, **changes):
    """Settings for a local server: no TLS, short deadlines."""
    settings = {
        "host": "mail.test",
        "port": port,
        "tls": "none",
        "allow_credentials_without_tls": True,
        "auth": {"username": "watcher", "password_env": "UNUSED"},
        "timeouts": {"connect": 2.0, "command": 2.0},
        "junk": None,
    } | changes
    return Mailbox.model_validate({key: value for key, value in settings.items() if value is not ...})


def connector_to(port, *, resolver=None, secret=SECRET, **changes):
    """A connector of the real kind to a local server; `changes` are settings."""
    settings = mailbox_settings(port, **changes)
    return ImapConnector("inbox", settings, resolver or LocalResolver(), ReferenceClock(), lambda: secret)


@asynccontextmanager
async def session_to(port, **changes):
    """An open session to a local server, closed in the end."""
    session = await connector_to(port, **changes).open()
    try:
        yield session
    finally:
        await session.close()


def fetch_line(uid, header=b"Subject: x\r\n\r\n", *, sequence=None, extra=""):
    """One FETCH answer as servers write it, with the header as a literal."""
    start = (
        f'* {sequence or uid} FETCH (UID {uid} INTERNALDATE "23-Nov-2026 10:00:01 +0000" '
        f"RFC822.SIZE 512{extra} BODY[HEADER]<0> {{{len(header)}}}\r\n"
    )
    return start.encode() + header + b")\r\n"
