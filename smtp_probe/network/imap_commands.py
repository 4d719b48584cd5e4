"""The IMAP commands that a watcher of folders needs, with their answers read.

In: an open, authenticated `ImapConnection` and arguments. Out: plain values, or `errors.MailboxError`; an answer that
cannot be read closes the connection. Names of folders are the server's own, in modified UTF-7. There is no CLOSE and
no EXPUNGE without UIDs here: both would delete what others have flagged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Any

from smtp_probe.errors import MailboxError
from smtp_probe.mail.placement import FolderEntry
from smtp_probe.mail.syntax.mailbox_names import decode_mailbox_name
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause, QuotaUse
from smtp_probe.network.imap_answers import (
    Fetched,
    parse_announced_number,
    parse_fetches,
    parse_folders,
    parse_quotas,
    parse_rights,
    parse_search,
)
from smtp_probe.network.imap_connection import ImapConnection
from smtp_probe.network.imap_login import Dialogue
from smtp_probe.network.imap_wire import Answer
from smtp_probe.ports import FolderState

_NAME_SHOWN = 80
"""So many characters of a folder's name are shown."""


class ImapCommands:
    """Commands over one connection, one at a time."""

    def __init__(self, connection: ImapConnection) -> None:
        self.connection = connection
        self._protocol = connection.protocol
        self._is_woken = False

    def can(self, *capabilities: str) -> bool:
        """Whether the server announced one of these."""
        return not self._protocol.told.capabilities.isdisjoint(capabilities)

    async def identify(self) -> bytes:
        """Ask what the server is (RFC 2971), telling nothing of ours; empty where it does not say."""
        answers = await self.connection.ask("login", self._protocol.id())
        return b" ".join(answer.line for answer in answers if answer.line[2:5].upper() == b"ID ")

    async def list_folders(self, selection: str = "") -> list[FolderEntry]:
        """All folders, or with `selection` those of a kind (`(SPECIAL-USE)`, RFC 6154)."""
        words = (selection, '""', '"*"') if selection else ('""', '"*"')
        answers = await self.connection.ask("list", self._protocol.simple_command("LIST", *words))
        entries = parse_folders(answers)
        if entries is None:
            raise self.connection.doubt("list", "the answer to LIST cannot be read")
        return entries

    async def select(self, name: str, *, read_only: bool) -> FolderState:
        """Open a folder; with `read_only` by EXAMINE, which changes nothing in it."""
        self.connection.folder.open()
        if read_only:
            work = self._protocol.simple_command("EXAMINE", quote(name))
        else:
            work = self._protocol.select(quote(name))
        answers = await self._ask_of_folder("select", name, work)
        uidvalidity = parse_announced_number(answers, "UIDVALIDITY")
        if not uidvalidity:
            raise self.connection.doubt("select", "the server gives the folder no UIDVALIDITY")
        exists = self.connection.folder.exists
        uidnext = parse_announced_number(answers, "UIDNEXT")
        if uidnext is None:  # RFC 3501 section 6.3.1 lets servers leave it out
            uidnext = max(await self.fetch("*", "(UID)"), default=0) + 1 if exists else 1
        return FolderState(uidvalidity=uidvalidity, uidnext=uidnext, exists=exists)

    async def search(self, *criteria: str) -> list[int]:
        """The UIDs that match, ascending. Criteria are US-ASCII; no CHARSET is named (Yahoo, Exchange refuse it)."""
        work = self._protocol.search(*criteria, charset=None, by_uid=True)
        uids = parse_search(await self.connection.ask("search", work))
        if uids is None:
            raise self.connection.doubt("search", "the answer to SEARCH cannot be read")
        return uids

    async def fetch(self, uid_set: str, items: str) -> dict[int, Fetched]:
        """Fetch by UID. Messages that are gone meanwhile are left out (RFC 5530, EXPUNGEISSUED)."""
        work = self._protocol.fetch(uid_set, items, by_uid=True)
        fetched = parse_fetches(await self.connection.ask("fetch", work, forgiven="EXPUNGEISSUED"))
        if fetched is None:
            raise self.connection.doubt("fetch", "the answer to FETCH cannot be read")
        return fetched

    async def delete(self, uids: Sequence[int]) -> None:
        """Flag these messages as deleted and, where the server can do so by UID (RFC 4315), expunge them."""
        uid_set = write_uid_set(uids)
        await self.connection.ask(
            "remove", self._protocol.store(uid_set, "+FLAGS.SILENT", r"(\Deleted)", by_uid=True)
        )
        if self.can("UIDPLUS", "IMAP4REV2"):
            await self.connection.ask("remove", self._protocol.expunge(uid_set, by_uid=True))

    async def move(self, uids: Sequence[int], name: str) -> None:
        """Move these messages to another folder (RFC 6851), or copy and delete them."""
        uid_set = write_uid_set(uids)
        if self.can("MOVE"):
            await self.connection.ask("remove", self._protocol.move(uid_set, quote(name), by_uid=True))
        else:
            await self.connection.ask("remove", self._protocol.copy(uid_set, quote(name), by_uid=True))
            await self.delete(uids)

    async def quotas(self, name: str) -> list[QuotaUse] | None:
        """How full the account is that a folder belongs to (RFC 9208); None where the server does not say."""
        if not self.can("QUOTA"):
            return None
        work = self._protocol.simple_command("GETQUOTAROOT", quote(name))
        return parse_quotas(await self.connection.ask("quota", work))

    async def rights(self, name: str) -> str | None:
        """What we may do with a folder (RFC 4314), a letter for each right; None where the server does not say."""
        if not self.can("ACL"):
            return None
        answers = await self.connection.ask("rights", self._protocol.simple_command("MYRIGHTS", quote(name)))
        return parse_rights(answers)

    async def create(self, name: str) -> None:
        """Make a folder."""
        await self.connection.ask("create", self._protocol.simple_command("CREATE", quote(name)))

    async def append(self, name: str, message: bytes) -> None:
        """Put a message into a folder (RFC 3501 section 6.3.11), dated by the server itself.

        Raises `errors.MailboxError` with `folder_missing` for a plain NO: then the folder is not there, as a rule.
        """
        ending = f"APPEND {quote(name)} {{{len(message)}}}".encode()
        dialogue = Dialogue("APPEND", ending, (message,), ())
        await self._ask_of_folder("append", name, self._protocol.converse(dialogue))

    async def _ask_of_folder(self, stage: str, name: str, work: Awaitable[Any]) -> list[Answer]:
        """Run a command that a plain NO refuses for want of the folder. Servers seldom say which one: the error does."""
        try:
            return await self.connection.ask(stage, work, refused=Cause.FOLDER_MISSING)
        except MailboxError as refusal:
            if not self.connection.is_open:
                raise
            shown = sanitise(decode_mailbox_name(name), _NAME_SHOWN)
            raise MailboxError(stage, refusal.cause, detail=f"{shown}: {refusal.detail}") from None

    async def noop(self) -> None:
        """Let the server tell what is new."""
        await self.connection.ask("poll", self._protocol.simple_command("NOOP"))

    async def idle(self, seconds: float) -> None:
        """Wait until the folder may have news (RFC 2177), `wake` is called, or so many seconds are over."""
        self._is_woken = False
        command = await self.connection.run("idle", self._protocol.begin_idle())
        await self.connection.run("idle", self._rest(command, seconds), seconds + self.connection.timeout)
        await self.connection.ask("idle", self._protocol.end_idle(command))

    async def rest(self, seconds: float) -> None:
        """Say nothing for so long, as `idle` does where there is no IDLE: a connection that is lost meanwhile is told at once."""
        self._is_woken = False
        await self.connection.run("idle", self._rest(None, seconds), seconds + self.connection.timeout)

    async def _rest(self, command: Any | None, seconds: float) -> None:
        view, has_ended = self.connection.folder, self._protocol.has_ended
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._protocol.wait_until(
                    lambda: (
                        view.may_have_news or self._is_woken or (command is not None and has_ended(command))
                    )
                )

    def wake(self) -> None:
        """End a running `idle` or `rest` early."""
        self._is_woken = True
        self._protocol.stir()


def is_sayable(name: str) -> bool:
    """Whether a folder can be asked for by the name that was read: one in a strange encoding, or with control characters, cannot."""
    return name.isprintable() and "\ufffd" not in name


def quote(text: str) -> str:
    """Write a string argument (RFC 3501 section 9). Raises ValueError for what would end the line."""
    if not text.isprintable():
        message = "control characters cannot stand in a quoted string"
        raise ValueError(message)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_uid_set(uids: Sequence[int]) -> str:
    """Write UIDs one by one: a range would also name what lies between them."""
    return ",".join(map(str, uids))
