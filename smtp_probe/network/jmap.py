"""A mailbox over JMAP (RFC 8620, RFC 8621): `ports.MailboxConnector` and `ports.MailboxSession`.

In: one `config.settings.Mailbox`, a resolver, a clock, the way to the secret. Out: messages, numbered by us in the order in which
they came up; the numbers hold for as long as the program runs. News is told by the server's stream of events where it has
one, and asked for else. Only the messages handed to `remove` are destroyed, or moved to the trash.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from smtp_probe.errors import MailboxError
from smtp_probe.mail.syntax.header_fields import MAX_BYTES, read_date, write_header
from smtp_probe.mail.syntax.mailbox_names import decode_mailbox_name
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause, MailboxMessage, MailboxSurvey, SurveyedFolder
from smtp_probe.network.jmap_account import (
    Call,
    JmapAccount,
    UnknownState,
    names_in,
    objects_in,
    state_in,
)
from smtp_probe.network.jmap_folders import (
    JmapFolder,
    choose_folders,
    find_id,
    find_trash,
    read_folders,
)
from smtp_probe.network.message_numbers import MessageNumbers
from smtp_probe.network.web_api import WebApi
from smtp_probe.network.web_mailbox import WebConnector, WebSession
from smtp_probe.ports import FolderState, WatchedFolder

_log = logging.getLogger(__name__)
_BATCH = 50
_LISTED = 1000
"""How many of the newest messages are listed when a folder is seen for the first time."""
_CHANGES = 200
_UNTOLD_LOOK_SECONDS = 15.0
_ENDED_SECONDS = 2.0
_PROPERTIES = ["id", "blobId", "mailboxIds", "receivedAt", "size", "headers"]


class JmapConnector(WebConnector):
    """One account."""

    async def open(self) -> JmapSession:
        """Log in, and see which folders there are. Raises `errors.MailboxError`."""

        async def log_in(api: WebApi) -> JmapSession:
            session = JmapSession(self, api, await JmapAccount.open(api))
            await session.list_folders()
            return session

        return await self.connect(log_in)

    async def survey(self) -> MailboxSurvey:
        """Look the folders over, for a person who sets them up. Raises `errors.MailboxError`."""
        session = await self.open()
        try:
            watched = await session.folders()
            return MailboxSurvey(
                folders=tuple(session.survey(folder) for folder in watched), tls=self.tls_facts
            )
        finally:
            await session.close()


class JmapSession(WebSession):
    """Fulfils `ports.MailboxSession` by requests over kept connections."""

    batch = _BATCH

    def __init__(self, connector: JmapConnector, api: WebApi, account: JmapAccount) -> None:
        super().__init__(connector, api)
        self._account = account
        self._folders: list[JmapFolder] = []
        self._mailbox_id = ""
        self._state = ""
        self._has_events = True

    # Folders.

    async def list_folders(self) -> None:
        """Ask for all folders."""
        (answer,) = await self._account.call("folders", ("Mailbox/get", {"ids": None}))
        self._folders = read_folders(objects_in(answer, "folders"))

    async def folders(self) -> Sequence[WatchedFolder]:
        """The configured folders, the junk folder where there is one, and those of quarantine."""
        await self.list_folders()
        settings = self._connector.settings
        if settings.after_judgement == "trash" and find_trash(self._folders, settings.trash) is None:
            detail = f"no trash folder was found (trash: {settings.trash})"
            raise MailboxError("folders", Cause.FOLDER_MISSING, detail=detail)
        return choose_folders(self._folders, settings)

    def survey(self, folder: WatchedFolder) -> SurveyedFolder:
        """What is known of a watched folder. Raises `errors.MailboxError` for one that is not there."""
        mailbox_id = self._find(folder)
        known = next(each for each in self._folders if each.mailbox_id == mailbox_id)
        return SurveyedFolder(
            name=decode_mailbox_name(folder.name),
            placement=folder.placement,
            messages=known.messages,
            rights=known.rights,
        )

    def _find(self, folder: WatchedFolder) -> str:
        mailbox_id = find_id(self._folders, folder.name)
        if mailbox_id is None:
            detail = sanitise(f"there is no folder {decode_mailbox_name(folder.name)}")
            raise MailboxError("select", Cause.FOLDER_MISSING, detail=detail)
        return mailbox_id

    async def select(self, folder: WatchedFolder) -> FolderState:
        """List the newest messages of one folder."""
        self._mailbox_id = self._find(folder)
        self._watched = folder
        self._numbers = self._connector.numbers.setdefault(self._mailbox_id, MessageNumbers())
        exists = await self._list()
        self._fetched_below = self._numbers.next_number
        return FolderState(
            uidvalidity=self._connector.uidvalidity, uidnext=self._numbers.next_number, exists=exists
        )

    async def _list(self) -> int:
        """List anew what is there, from a state on that is not younger than the list."""
        query = {
            "filter": {"inMailbox": self._mailbox_id},
            "sort": [{"property": "receivedAt", "isAscending": False}],
            "limit": _LISTED,
            "calculateTotal": True,
        }
        state, answer = await self._account.call("list", ("Email/get", {"ids": []}), ("Email/query", query))
        self._state = state_in(state, "state", "list")
        listed = names_in(answer, "ids", "list")
        self._numbers.add(reversed(listed))
        total = answer.get("total")
        if len(listed) < _LISTED:
            known = set(listed)
            here = (self._numbers.name(number) for number in self._numbers.present())
            self._numbers.drop([name for name in here if name is not None and name not in known])
        return total if isinstance(total, int) else len(listed)

    # Messages.

    async def catch_up(self) -> None:
        """Learn what has come and gone since the state that we know."""
        try:
            while await self._read_changes():
                pass
        except UnknownState:
            await self._list()

    async def _read_changes(self) -> bool:
        """Read one piece of the changes; whether there are more."""

        def of_changes(key: str) -> Call:
            named = {"resultOf": "0", "name": "Email/changes", "path": f"/{key}"}
            return "Email/get", {"#ids": named, "properties": ["id", "mailboxIds"]}

        changes, created, updated = await self._account.call(
            "changes",
            ("Email/changes", {"sinceState": self._state, "maxChanges": _CHANGES}),
            of_changes("created"),
            of_changes("updated"),
        )
        came = {each["id"]: each for part in (created, updated) for each in objects_in(part, "changes")}
        order = [*names_in(changes, "created", "changes"), *names_in(changes, "updated", "changes")]
        here = {name for name, each in came.items() if self._mailbox_id in (each.get("mailboxIds") or {})}
        self._numbers.add(name for name in order if name in here)
        self._numbers.drop(name for name in order if name in came and name not in here)
        self._numbers.drop(names_in(changes, "destroyed", "changes"))
        state = state_in(changes, "newState", "changes")
        has_more = changes.get("hasMoreChanges") is True and state != self._state
        self._state = state
        return has_more

    async def fetch(self, uids: Sequence[int]) -> Sequence[MailboxMessage]:
        """These messages, ascending; those that are gone are left out."""
        found: list[MailboxMessage] = []
        for start in range(0, len(uids), _BATCH):
            batch = sorted(uids)[start : start + _BATCH]
            names = {name: uid for uid in batch if (name := self._numbers.name(uid)) is not None}
            if names:
                call = ("Email/get", {"ids": list(names), "properties": _PROPERTIES})
                (answer,) = await self._account.call("fetch", call)
                shown = {
                    names[each["id"]]: each for each in objects_in(answer, "fetch") if each["id"] in names
                }
                seen_ns = self._connector.clock.now_ns()
                found += [self._message(uid, shown[uid], seen_ns) for uid in sorted(shown)]
        return found

    def _message(self, uid: int, shown: Mapping[str, Any], seen_ns: int) -> MailboxMessage:
        assert self._watched is not None
        size = shown.get("size")
        return MailboxMessage(
            location=self.locate(uid),
            placement=self._watched.placement,
            seen_ns=seen_ns,
            header=write_header(shown.get("headers")),
            size_bytes=size if isinstance(size, int) else None,
            internaldate_ns=read_date(shown.get("receivedAt")),
        )

    async def fetch_text(self, uid: int, limit_bytes: int) -> bytes:
        """The start of one message's body; empty when the message is gone."""
        name = self._numbers.name(uid)
        if name is None:
            return b""
        (answer,) = await self._account.call(
            "fetch", ("Email/get", {"ids": [name], "properties": ["blobId"]})
        )
        found = [each.get("blobId") for each in objects_in(answer, "fetch")]
        if not found or not isinstance(found[0], str):
            return b""
        text = await self._account.download("fetch", found[0], MAX_BYTES + limit_bytes)
        return text.partition(b"\r\n\r\n")[2][:limit_bytes]

    async def search_header(self, name: str, value: str) -> Sequence[int]:
        """Numbers of the messages whose header `name` contains `value`; with an empty value, that have it at all."""
        wanted = [name, value] if value else [name]
        mailbox = {"inMailbox": self._mailbox_id}
        query = {
            "filter": {"operator": "AND", "conditions": [mailbox, {"header": wanted}]},
            "sort": [{"property": "receivedAt", "isAscending": False}],
            "limit": _LISTED,
        }
        (answer,) = await self._account.call("search", ("Email/query", query))
        found = names_in(answer, "ids", "search")
        self._numbers.add(reversed(found))
        return sorted(number for each in found if (number := self._numbers.number(each)) is not None)

    # News.

    async def poll(self) -> bool:
        """One small request. True when something has changed."""
        (answer,) = await self._account.call("poll", ("Email/get", {"ids": []}))
        is_news = self.has_unfetched
        return is_news or state_in(answer, "state", "poll") != self._state

    async def idle(self, seconds: float) -> bool:
        """Wait for the server to tell of news, at most so long. True when there may be some, or `wake` was called."""
        self._woken.clear()
        now = asyncio.get_running_loop().time
        ends = now() + seconds
        while not self._woken.is_set() and now() < ends:
            left = ends - now()
            told = await self._race(left if self._has_events else min(left, _UNTOLD_LOOK_SECONDS))
            if told or await self.poll():
                return True
        return self._woken.is_set()

    async def _race(self, seconds: float) -> bool:
        """Wait for an event or to be woken. True for an event."""
        waits = [asyncio.ensure_future(self._wait_for_event()), asyncio.ensure_future(self._woken.wait())]
        try:
            done, _ = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return waits[0] in done and waits[0].result()
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _wait_for_event(self) -> bool:
        """Until the server tells of a change of mail. False where its stream has ended; for ever, where it has none."""
        if not self._has_events:
            await asyncio.Event().wait()
        async with self._account.events("events") as lines:
            if lines is None:
                self._has_events = False
                return False
            if await self.poll():  # what came before the stream began
                return True
            async for line in lines:
                if line.startswith(b"data:") and b"changed" in line:
                    return True
        await asyncio.sleep(_ENDED_SECONDS)  # a server that closes at once is not asked without a pause
        return False

    # Removal.

    async def remove(self, uids: Sequence[int]) -> None:
        """Destroy exactly these messages, move them to the trash, or keep them, as configured.

        Where the server refuses, they stay and a warning is logged: the mailbox can be watched all the same.
        """
        settings = self._connector.settings
        names = [name for uid in uids if (name := self._numbers.name(uid)) is not None]
        if settings.after_judgement == "keep" or not names:
            return
        trash = find_trash(self._folders, settings.trash) if settings.after_judgement == "trash" else None
        if trash is None:
            change: dict[str, Any] = {"destroy": names}
        else:
            change = {"update": {name: {"mailboxIds": {trash: True}} for name in names}}
        try:
            (answer,) = await self._account.call("remove", ("Email/set", change))
        except MailboxError as error:
            if error.cause is not Cause.REPLY_PERMANENT:
                raise
            self._refused.tell(error.detail)
            return
        refused = answer.get("notDestroyed" if trash is None else "notUpdated") or {}
        for name, reason in refused.items() if isinstance(refused, dict) else ():
            kind = reason.get("type") if isinstance(reason, dict) else None
            if kind != "notFound":
                self._refused.tell(f"Email/set was refused: {self._api.mask(str(kind))}")
            names = [each for each in names if each != name]
        self._numbers.drop(names)
