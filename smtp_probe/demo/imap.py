"""The mailboxes at the end of the demo: pymap's IMAP server with IDLE, in this process, on a free port of 127.0.0.1.

In: users with their passwords, and messages to put into their folders. Out: what IMAP clients see; every one that
idles is told of a new message at once. Everything is in memory and gone with the object. This is the only module
that knows pymap, whose inner classes it uses: the version is pinned.

Four things are done differently from pymap's own service. It serves its connections itself, so that it can end them
(`Server.wait_closed` waits for every client since Python 3.12). It asks no resolver for its own name. And a client
that starts to idle just after a message came is told of it: pymap would tell it with the next message only. And what was
expunged is told after a UID FETCH, not within it: pymap would give the text of one message under the UID of another.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from argparse import Namespace
from collections.abc import Mapping
from contextlib import AsyncExitStack, closing, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import Config, Identity, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.concurrent import Event, Subsystem
from pymap.context import connection_exit
from pymap.imap import IMAPConnection
from pymap.imap.state import ConnectionState
from pymap.parsing.command.select import FetchCommand
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import ObjectId
from pymap.selected import SelectedMailbox
from pymap.user import Passwords, UserMetadata
from pysasl.hashing import BuiltinHash

from smtp_probe.demo.certificates import LOOPBACK
from smtp_probe.network.tcp import cut

INBOX = "INBOX"
JUNK = "Junk"
_log = logging.getLogger(__name__)
_FOLDER_CAPACITY = 500
_CONNECTION_LIMIT = 50
_APPEND_LIMIT_BYTES = 2_097_152
_HASH_ROUNDS = 1000
"""Few, because these passwords are 32 random bytes and live for one run: no dictionary has them."""
_CLOSE_SECONDS = 1.0


class _Config(Config):
    """pymap's settings, without its look-up of the host's own name, which waits for a resolver."""

    @property
    def greeting(self) -> bytes:
        return b"smtp-probe demo mail store ready"


class _State(ConnectionState):
    """A session whose FETCH counts all messages alike.

    pymap merges what it answers by sequence number. Where it tells within UID FETCH of what others have expunged, the numbers
    of the messages asked for are from before, and those of new messages from after.
    """

    async def do_fetch(self, cmd: FetchCommand) -> Any:
        self.selected.hide_expunged = True
        return await super().do_fetch(cmd)


class _Folder(MailboxData):
    """A folder that never lets a client wait for what is already there, and forgets its oldest messages."""

    async def update_selected(
        self, selected: SelectedMailbox, *, wait_on: Event | None = None
    ) -> SelectedMailbox:
        seen = selected.mod_sequence
        if seen is not None and seen < self._mod_sequences.highest:
            wait_on = None
        return await super().update_selected(selected, wait_on=wait_on)

    async def make_room(self, capacity: int) -> None:
        """Keep so many messages at most."""
        excess = len(self._messages) - capacity
        if excess > 0:
            await self.delete(sorted(self._messages)[:excess])


class _Folders(MailboxSet):
    """The folders of one user; each is a `_Folder`, also one that a client creates."""

    def __init__(self) -> None:
        super().__init__()
        self._inbox = _Folder(self._content_cache, self._thread_cache)

    async def add_mailbox(self, name: str) -> ObjectId:
        await super().add_mailbox(name)
        folder = _Folder(self._content_cache, self._thread_cache)
        self._set[name] = folder
        return folder.mailbox_id


def _configure(tls: ssl.SSLContext) -> _Config:
    arguments = Namespace(
        host=LOOPBACK,
        port=0,
        debug=False,
        cert=None,
        key=None,
        tls=True,
        passlib_cfg=None,
        proxy_protocol=None,
        demo_data=False,
        demo_user="",
        demo_password="",
    )
    return _Config.from_args(
        arguments,
        ssl_context=tls,
        hash_context=BuiltinHash(rounds=_HASH_ROUNDS),
        cpu_subsystem=Subsystem.for_asyncio(),
        max_append_len=_APPEND_LIMIT_BYTES,
    )


class MailStore:
    """An IMAP server with STARTTLS. `start` it, `put` mail into it, `close` it.

    A folder keeps the newest `capacity` messages; further connections than `connections` are cut.
    """

    def __init__(
        self,
        passwords: Mapping[str, str],
        tls: ssl.SSLContext,
        capacity: int = _FOLDER_CAPACITY,
        connections: int = _CONNECTION_LIMIT,
    ) -> None:
        self._passwords = dict(passwords)
        self._capacity = capacity
        self._connections = connections
        self._config = _configure(tls)
        self._login = Login(self._config)
        self._folders: dict[str, _Folders] = {}
        self._sessions: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Make the users with their folders INBOX and Junk, listen, and return the port."""
        self._config.apply_context()
        passwords = Passwords(self._config)
        for user, password in self._passwords.items():
            hashed = await passwords.hash_password(password)
            metadata = UserMetadata(self._config, user, password=hashed)
            await Identity(user, self._login, None, frozenset()).set(metadata)
            self._folders[user] = folders = _Folders()
            await folders.add_mailbox(JUNK)
            self._config.set_cache[user] = (folders, FilterSet())
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def put(self, user: str, folder: str, message: bytes, stored_ns: int) -> None:
        """Store one message, with its INTERNALDATE, and tell those who idle. Raises KeyError for an unknown name."""
        box = await self._folders[user].get_mailbox(folder)
        when = datetime.fromtimestamp(stored_ns // 1_000_000_000, UTC)
        await box.append(AppendMessage(message, when), recent=True)
        if isinstance(box, _Folder):
            await box.make_room(self._capacity)

    async def close(self) -> None:
        """Stop listening and end every session, within two seconds."""
        if self._server is None:
            return
        self._server.close()
        sessions = dict(self._sessions)
        for task in sessions:
            task.cancel()
        if sessions:
            await asyncio.wait(sessions, timeout=_CLOSE_SECONDS)
        for writer in sessions.values():
            cut(writer.transport)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._server.wait_closed(), _CLOSE_SECONDS)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._sessions) >= self._connections:
            cut(writer.transport)
            return
        task = asyncio.create_task(self._serve(reader, writer), name="IMAP session of the demo")
        self._sessions[task] = writer
        task.add_done_callback(self._ended)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport: Any = writer
        peer = SocketInfoLocal(transport, unique_id=uuid4().bytes)
        connection = IMAPConnection(self._config.commands, self._config, reader, writer, peer)
        async with AsyncExitStack() as stack:
            connection_exit.set(stack)
            stack.enter_context(closing(connection))
            await connection.run(_State(self._login, self._config))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._sessions.pop(task).close()
        error = None if task.cancelled() else task.exception()
        if error is not None:  # pymap has said BYE already; what a client sent is no reason for a traceback
            _log.warning("an IMAP session of the demo ended: %s", type(error).__name__)
