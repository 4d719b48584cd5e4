"""A mailbox over Microsoft Graph: `ports.MailboxConnector` and `ports.MailboxSession` for Exchange Online.

In: one `config.settings.Mailbox` whose login is a token, a resolver, a clock. Out: messages, numbered by us in the order in which they
came; the numbers hold for as long as the program runs. Graph tells of news to public web servers only, so it is asked, by
delta queries. Only the messages handed to `remove` are deleted, for good, or moved to the trash.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from smtp_probe.errors import MailboxError
from smtp_probe.mail.syntax.header_fields import MAX_BYTES, has_field, read_date, write_header
from smtp_probe.mail.syntax.mailbox_names import decode_mailbox_name, encode_mailbox_name
from smtp_probe.model import (
    Cause,
    MailboxMessage,
    MailboxSurvey,
    Placement,
    SurveyedFolder,
)
from smtp_probe.network.graph_account import GraphAccount, StateForgotten, read_size
from smtp_probe.network.looking import look_now_and_then
from smtp_probe.network.message_numbers import MessageNumbers
from smtp_probe.network.web_api import WebApi
from smtp_probe.network.web_mailbox import WebConnector, WebSession
from smtp_probe.ports import FolderState, WatchedFolder

_log = logging.getLogger(__name__)
_BATCH = 20
_LOOK_SECONDS = 15.0
_PAST_SECONDS = 2 * 86_400.0
"""How far back a folder is looked through when it is seen for the first time, at least."""
_RENEW_NS = 12 * 3600 * 1_000_000_000
"""A delta query with a filter covers 5,000 messages: it is begun anew long before."""
_SEARCHED = 200
"""Of how many of the newest messages the header is asked for one by one, where a list does not bring it."""
_MARKS = ("X-SMTP-Probe", "Subject")


class GraphConnector(WebConnector):
    """One account."""

    async def open(self) -> GraphSession:
        """See that the token opens the mailbox. Raises `errors.MailboxError`."""
        assert self.settings.auth is not None
        username = self.settings.auth.username

        async def log_in(api: WebApi) -> GraphSession:
            account = GraphAccount(api, username)
            await account.folder("open", "inbox")
            return GraphSession(self, api, account)

        return await self.connect(log_in)

    async def survey(self) -> MailboxSurvey:
        """Look the folders over, for a person who sets them up. Raises `errors.MailboxError`."""
        session = await self.open()
        try:
            watched = await session.folders()
            folders = [await session.survey(folder) for folder in watched]
            return MailboxSurvey(folders=tuple(folders), tls=self.tls_facts)
        finally:
            await session.close()


class GraphSession(WebSession):
    """Fulfils `ports.MailboxSession` by requests over kept connections."""

    batch = _BATCH

    def __init__(self, connector: GraphConnector, api: WebApi, account: GraphAccount) -> None:
        super().__init__(connector, api)
        self._account = account
        self._junk_name = ""
        self._folder_id = ""
        self._fields: dict[str, list[dict[str, Any]]] = {}
        """Of listed messages, those fields by which ours are searched."""
        self._next_url = ""
        self._listed_ns = 0

    # Folders.

    async def folders(self) -> Sequence[WatchedFolder]:
        """The configured folders, the junk folder, and those of quarantine."""
        settings = self._connector.settings
        names = [(name, Placement.INBOX) for name in settings.folders]
        if settings.junk == "auto":
            junk = await self._account.folder("folders", "junkemail")
            self._junk_name = str(junk.get("displayName") or "junkemail")
            names.append((self._junk_name, Placement.JUNK))
        elif settings.junk is not None:
            names.append((settings.junk, Placement.JUNK))
        names += [(name, Placement.OTHER) for name in settings.quarantine]
        if settings.after_judgement == "trash":
            await self._find_trash()
        found: dict[str, WatchedFolder] = {}
        for name, placement in names:
            found.setdefault(name, WatchedFolder(name=encode_mailbox_name(name), placement=placement))
        return tuple(found.values())

    async def _find(self, folder: WatchedFolder) -> dict[str, Any]:
        name = decode_mailbox_name(folder.name)
        if name.upper() == "INBOX":
            return await self._account.folder("select", "inbox")
        if folder.placement is Placement.JUNK and self._connector.settings.junk == "auto":
            return await self._account.folder("select", "junkemail")
        return await self._account.find_folder("select", name.split("/"))

    async def _find_trash(self) -> str:
        wanted = self._connector.settings.trash
        if wanted == "auto":
            return str((await self._account.folder("folders", "deleteditems"))["id"])
        return str((await self._account.find_folder("folders", wanted.split("/")))["id"])

    async def survey(self, folder: WatchedFolder) -> SurveyedFolder:
        """What is known of a watched folder. Raises `errors.MailboxError` for one that is not there."""
        total = (await self._find(folder)).get("totalItemCount")
        return SurveyedFolder(
            name=decode_mailbox_name(folder.name),
            placement=folder.placement,
            messages=total if isinstance(total, int) else 0,
        )

    async def select(self, folder: WatchedFolder) -> FolderState:
        """List the messages of the last days of one folder."""
        found = await self._find(folder)
        self._folder_id, self._watched = str(found["id"]), folder
        self._numbers = self._connector.numbers.setdefault(self._folder_id, MessageNumbers())
        await self._list()
        self._fetched_below = self._numbers.next_number
        total = found.get("totalItemCount")
        return FolderState(
            uidvalidity=self._connector.uidvalidity,
            uidnext=self._numbers.next_number,
            exists=total if isinstance(total, int) else len(self._numbers.present()),
        )

    async def _list(self) -> None:
        """List anew what has come in the last days."""
        now_ns = self._connector.clock.now_ns()
        past = max(_PAST_SECONDS, self._connector.settings.sweep_after)
        since = datetime.fromtimestamp(now_ns // 1_000_000_000 - round(past), UTC)
        self._fields.clear()
        url = self._account.first_look(self._folder_id, since.strftime("%Y-%m-%dT%H:%M:%SZ"))
        try:
            listed = await self._read_round(url)
        except StateForgotten:
            detail = "a round of changes was forgotten while it was read"
            raise MailboxError("changes", Cause.REPLY_TEMPORARY, detail=detail) from None
        here = (self._numbers.name(number) for number in self._numbers.present())
        self._numbers.drop([name for name in here if name is not None and name not in listed])
        self._listed_ns = now_ns

    async def _read_round(self, url: str) -> set[str]:
        """Take in one round of changes. Gives the ids of all that are there."""
        came: dict[str, dict[str, Any]] = {}
        gone: set[str] = set()
        async for rows, last in self._account.changes("changes", url):
            for row in rows:
                if "@removed" in row:
                    gone.add(row["id"])
                    came.pop(row["id"], None)
                else:
                    came[row["id"]] = row
                    gone.discard(row["id"])
            if last is not None:
                self._next_url = last
        order = sorted(came, key=lambda name: (read_date(came[name].get("receivedDateTime")) or 0, name))
        self._numbers.add(order)
        self._numbers.drop(gone)
        for name in gone:
            self._fields.pop(name, None)
        for name, row in came.items():
            self._note_fields(name, row)
        return set(came)

    def _note_fields(self, name: str, row: dict[str, Any]) -> None:
        headers = row.get("internetMessageHeaders")
        if isinstance(headers, list):
            wanted = {mark.lower() for mark in _MARKS}
            fields = [each for each in headers if isinstance(each, dict)]
            self._fields[name] = [each for each in fields if str(each.get("name")).lower() in wanted]

    # Messages.

    async def catch_up(self) -> None:
        """Learn what has come and gone since the last round."""
        if self._connector.clock.now_ns() - self._listed_ns > _RENEW_NS:
            await self._list()
            return
        try:
            await self._read_round(self._next_url)
        except StateForgotten:
            await self._list()

    async def fetch(self, uids: Sequence[int]) -> Sequence[MailboxMessage]:
        """These messages, ascending; those that are gone are left out."""
        found: list[MailboxMessage] = []
        for uid in sorted(uids):
            name = self._numbers.name(uid)
            shown = await self._account.message("fetch", name) if name is not None else None
            if shown is not None:
                found.append(self._message(uid, shown))
        return found

    def _message(self, uid: int, shown: dict[str, Any]) -> MailboxMessage:
        assert self._watched is not None
        return MailboxMessage(
            location=self.locate(uid),
            placement=self._watched.placement,
            seen_ns=self._connector.clock.now_ns(),
            header=write_header(shown.get("internetMessageHeaders"), separator=": "),
            size_bytes=read_size(shown),
            internaldate_ns=read_date(shown.get("receivedDateTime")),
        )

    async def fetch_text(self, uid: int, limit_bytes: int) -> bytes:
        """The start of one message's body; empty when the message is gone."""
        name = self._numbers.name(uid)
        text = b"" if name is None else await self._account.content("fetch", name, MAX_BYTES + limit_bytes)
        return text.partition(b"\r\n\r\n")[2][:limit_bytes]

    async def search_header(self, name: str, value: str) -> Sequence[int]:
        """Numbers of the listed messages whose header `name` contains `value`; with an empty value, that have it at all."""
        unknown = [uid for uid in self._numbers.present() if self._numbers.name(uid) not in self._fields]
        for uid in unknown[-_SEARCHED:]:
            known = self._numbers.name(uid)
            shown = await self._account.message("search", known) if known is not None else None
            if known is not None and shown is not None:
                self._note_fields(known, shown)
        return [
            uid
            for uid in self._numbers.present()
            if has_field(self._fields.get(self._numbers.name(uid) or ""), name, value)
        ]

    # News.

    async def poll(self) -> bool:
        """One delta query. True when there is something new."""
        await self.catch_up()
        return self.has_unfetched

    async def idle(self, seconds: float) -> bool:
        """Look now and then, at most so long. True when there is something new, or `wake` was called."""
        return await look_now_and_then(self.poll, self._woken, seconds=seconds, every_seconds=_LOOK_SECONDS)

    # Removal.

    async def remove(self, uids: Sequence[int]) -> None:
        """Delete exactly these messages for good, move them to the trash, or keep them, as configured.

        Where the server refuses, they stay and a warning is logged: the mailbox can be watched all the same.
        """
        after = self._connector.settings.after_judgement
        names = [name for uid in uids if (name := self._numbers.name(uid)) is not None]
        if after == "keep" or not names:
            return
        try:
            trash = await self._find_trash() if after == "trash" else None
            for name in names:
                if trash is None:
                    await self._account.delete("remove", name)
                else:
                    await self._account.move("remove", name, trash)
                self._numbers.drop([name])
        except MailboxError as error:
            if error.cause not in (Cause.REPLY_PERMANENT, Cause.FOLDER_MISSING):
                raise
            self._refused.tell(str(error))
