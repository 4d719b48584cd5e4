"""One authenticated connection to one mailbox (`ports.MailboxSession`): what to ask an IMAP server, and when.

In: folders and UIDs. Out: `model.MailboxMessage` values. Rules:

1. Nothing is marked as seen, and no message is touched but those handed to `remove`.
2. Whatever the folder holds, one answer holds at most a hundred messages, and of each only the start of its header.
3. A look is owed as soon as the server says anything that may be news, inside whichever answer (`FolderView`).

It does not judge messages, and does not know how long to wait between two looks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from smtp_probe.config.settings import Mailbox
from smtp_probe.errors import MailboxError
from smtp_probe.mail.placement import FolderEntry, choose_special
from smtp_probe.mail.syntax.mailbox_names import encode_mailbox_name
from smtp_probe.model import Cause, Location, MailboxMessage, Placement, QuotaUse, TlsFacts
from smtp_probe.network.imap_answers import Fetched
from smtp_probe.network.imap_commands import ImapCommands, is_sayable, quote, write_uid_set
from smtp_probe.network.imap_labels import InboxCategories, read_placement
from smtp_probe.network.imap_view import BATCH, FolderWalk
from smtp_probe.ports import FolderState, WatchedFolder

_log = logging.getLogger(__name__)

HEADER_BYTES = 65536
_TEXT_PIECE_BYTES = 2 * 2**20
_CLOSE_SECONDS = 2.0
_NO_IDLE_SECONDS = 15.0
"""How often to look where the server cannot announce news."""


class ImapSession:
    """Fulfils `ports.MailboxSession`. After a `MailboxError`, `is_open` says whether it may still be used."""

    def __init__(
        self,
        name: str,
        settings: Mailbox,
        commands: ImapCommands,
        stamp_item: str | None,
        *,
        account: str = "",
    ) -> None:
        self._name = name
        self._account = account
        self._settings = settings
        self._commands = commands
        self._connection = commands.connection
        self._stamp_item = stamp_item
        self._can_idle = commands.can("IDLE", "IMAP4REV2")
        self._woken = asyncio.Event()
        self._selected: tuple[WatchedFolder, FolderState] | None = None
        self._walk = FolderWalk(self._connection.folder)
        self._categories = InboxCategories(commands)
        self._entries: list[FolderEntry] | None = None
        self._warned: set[str] = set()
        self._is_at_end = False

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands: after a plain refusal it does."""
        return self._connection.is_open

    @property
    def tls_facts(self) -> TlsFacts | None:
        """What the TLS connection is; None without TLS."""
        return self._connection.tls_facts

    # Folders.

    async def folders(self) -> Sequence[WatchedFolder]:
        """The configured folders, the junk folder where there is one, and those of quarantine, by the server's names."""
        self._entries = None
        if self._settings.after_judgement == "trash":
            await self._find_trash(is_needed=True)
        names = [encode_mailbox_name(name) for name in self._settings.folders]
        found = {_fold(name): WatchedFolder(name=name, placement=Placement.INBOX) for name in names}
        junk = await self._find_junk()
        if junk is not None:
            found.setdefault(_fold(junk), WatchedFolder(name=junk, placement=Placement.JUNK))
        for name in map(encode_mailbox_name, self._settings.quarantine):
            found.setdefault(_fold(name), WatchedFolder(name=name, placement=Placement.OTHER))
        return tuple(found.values())

    async def _find_junk(self) -> str | None:
        junk = self._settings.junk
        if junk == "auto":
            return choose_special(await self._list(), "junk")
        return None if junk is None else encode_mailbox_name(junk)

    async def _find_trash(self, *, is_needed: bool = False) -> str | None:
        entries = await self._list()
        if self._settings.trash == "auto":
            trash = choose_special(entries, "trash")
        else:
            wanted = encode_mailbox_name(self._settings.trash)
            trash = wanted if wanted in {entry.name for entry in entries} else None
        if trash is None and is_needed:
            detail = f"no trash folder was found (trash: {self._settings.trash})"
            raise MailboxError("list", Cause.FOLDER_MISSING, detail=detail)
        return trash

    async def _list(self) -> list[FolderEntry]:
        """The server's folders, asked for once. Some servers tell the uses of folders only when asked for them."""
        if self._entries is None:
            entries = await self._commands.list_folders()
            if self._commands.can("SPECIAL-USE") and choose_special(entries, "junk") is None:
                entries = [*await self._commands.list_folders("(SPECIAL-USE)"), *entries]
            if not all(is_sayable(entry.name) for entry in entries):
                self._warn("a folder whose name is not text is not looked into")
            self._entries = [entry for entry in entries if is_sayable(entry.name)]
        return self._entries

    async def select(self, folder: WatchedFolder) -> FolderState:
        """Open one folder; only for reading where nothing is to be removed."""
        self._selected = None
        is_read_only = self._settings.after_judgement == "keep"
        state = await self._commands.select(folder.name, read_only=is_read_only)
        self._selected = (folder, state)
        self._walk.start(state.uidnext)
        return state

    async def quotas(self, folder: WatchedFolder) -> Sequence[QuotaUse] | None:
        """How full the account is; None where the server does not say."""
        return await self._commands.quotas(folder.name)

    async def rights(self, folder: WatchedFolder) -> str | None:
        """What we may do with a folder, in the letters of RFC 4314; None where the server does not say."""
        return await self._commands.rights(folder.name)

    async def create(self, name: str) -> None:
        """Make a folder, by the server's name."""
        await self._commands.create(name)

    async def append(self, name: str, message: bytes) -> None:
        """Put a message into a folder. Raises `folder_missing` where that is refused."""
        await self._commands.append(name, message)

    # Messages.

    async def fetch_since(self, first_uid: int) -> Sequence[MailboxMessage]:
        """The next messages from this UID on, ascending, at most a hundred; empty at the end."""
        self._is_at_end = False
        if self._connection.folder.exists == 0:
            self._walk.begin_look()
            await self._commands.noop()  # some servers refuse to fetch from an empty folder
            if self._connection.folder.exists == 0:
                return ()
        if self._walk.is_short(first_uid):
            self._walk.begin_look()
            messages = await self._fetch_rest(first_uid)
            self._is_at_end = True
            self._walk.end_look(messages[-1].location.uid + 1 if messages else first_uid)
            return messages
        while True:
            if not self._walk.has_list(first_uid):
                self._walk.begin_look()
                self._walk.list_uids(first_uid, await self._commands.search("UID", f"{first_uid}:*"))
            uids = self._walk.next_uids(first_uid)
            messages = await self._fetch_listed(uids) if uids else ()
            if messages or not uids:
                return messages
            first_uid = uids[-1] + 1  # all of these are gone meanwhile: that is not the end of the folder

    @property
    def is_at_end(self) -> bool:
        """Whether the last `fetch_since` asked for everything up to the end of the folder."""
        return self._is_at_end

    async def fetch(self, uids: Sequence[int]) -> Sequence[MailboxMessage]:
        """These messages, ascending; those that are gone are left out."""
        messages: list[MailboxMessage] = []
        for batch in _batches(uids):
            messages += await self._fetch_listed(batch)
        return messages

    async def _fetch_rest(self, first_uid: int) -> Sequence[MailboxMessage]:
        """All from this UID on. Where flags of a later one are told, those before it have come as well: all are asked for."""
        fetched = await self._fetch_readable(f"{first_uid}:*", first_uid)
        last = max([first_uid - 1, *(uid for uid, item in fetched.items() if _is_read(item))])
        told = max(fetched, default=0)
        if told > last:
            _merge(fetched, await self._fetch_readable(f"{last + 1}:{told}", last + 1))
        return await self._read(fetched, [uid for uid in fetched if uid >= first_uid])

    async def _fetch_listed(self, uids: Sequence[int]) -> Sequence[MailboxMessage]:
        return await self._read(await self._fetch_readable(write_uid_set(uids), min(uids)), uids)

    async def _read(self, fetched: dict[int, Fetched], wanted: Sequence[int]) -> Sequence[MailboxMessage]:
        """The wanted messages that are there, ascending. Flags of others, which a server may tell at any time, bring none.

        Those of which only flags were told are asked for a second time: they must not be passed over.
        """
        found = sorted(uid for uid in wanted if uid in fetched)
        for batch in _batches([uid for uid in found if not _is_read(fetched[uid])]):
            _merge(fetched, await self._fetch_items(write_uid_set(batch)))
        messages = (self._read_message(fetched[uid]) for uid in found)
        return await self._categories.sort([message for message in messages if message is not None])

    async def _fetch_readable(self, uid_set: str, first_uid: int) -> dict[int, Fetched]:
        """Fetch, one by one if need be: a message that its own server cannot read must not hide the others."""
        try:
            return await self._fetch_items(uid_set)
        except MailboxError as refusal:
            if not self._is_plain(refusal):
                raise
            fetched = await self._fetch_one_by_one(await self._commands.search("UID", uid_set), first_uid)
            if not fetched:
                raise  # it is not one message that cannot be read, it is the folder
            self._warn(f"some messages are passed over, their server cannot read them: {refusal}")
            return fetched

    async def _fetch_one_by_one(self, uids: Sequence[int], first_uid: int) -> dict[int, Fetched]:
        fetched: dict[int, Fetched] = {}
        for uid in uids:
            if uid >= first_uid:
                try:
                    _merge(fetched, await self._fetch_items(str(uid)))
                except MailboxError as refusal:
                    if not self._is_plain(refusal):
                        raise
        return fetched

    def _is_plain(self, refusal: MailboxError) -> bool:
        """Whether the server just said NO."""
        return self.is_open and refusal.cause in (Cause.REPLY_PERMANENT, Cause.REPLY_TEMPORARY)

    async def _fetch_items(self, uid_set: str) -> dict[int, Fetched]:
        stamp = "" if self._stamp_item is None else f" {self._stamp_item}"
        items = f"(UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER]<0.{HEADER_BYTES}>{stamp})"
        try:
            return await self._commands.fetch(uid_set, items)
        except MailboxError as refusal:
            is_bad = refusal.cause is Cause.PROTOCOL_ERROR and self.is_open
            if self._stamp_item is None or not is_bad:
                raise
        self._stamp_item = None  # not the server that we took it for
        return await self._fetch_items(uid_set)

    def _read_message(self, fetched: Fetched) -> MailboxMessage | None:
        header = fetched.content("HEADER")
        if header is None:
            return None
        folder, state = self._opened()
        return MailboxMessage(
            location=Location(
                mailbox=self._name,
                folder=folder.name,
                uidvalidity=state.uidvalidity,
                uid=fetched.uid,
                account=self._account,
            ),
            placement=read_placement(folder.placement, fetched),
            seen_ns=fetched.arrived_ns,
            header=header[:HEADER_BYTES],
            size_bytes=fetched.number("RFC822.SIZE"),
            internaldate_ns=fetched.internaldate_ns,
            guid=fetched.atom("X-GUID"),
            gmail_msgid=fetched.number("X-GM-MSGID"),
        )

    async def fetch_text(self, uid: int, limit_bytes: int) -> bytes:
        """The start of one message's body, in pieces of bounded size; empty when the message is gone."""
        text = bytearray()
        while len(text) < limit_bytes:
            size = min(_TEXT_PIECE_BYTES, limit_bytes - len(text))
            fetched = await self._commands.fetch(str(uid), f"(UID BODY.PEEK[TEXT]<{len(text)}.{size}>)")
            piece = fetched[uid].content("TEXT", len(text)) if uid in fetched else None
            text += (piece or b"")[:size]
            if piece is None or len(piece) < size:
                break
        return bytes(text)

    async def search_header(self, name: str, value: str) -> Sequence[int]:
        """UIDs of messages whose header `name` contains `value`; with an empty value, that have it at all."""
        return await self._commands.search("HEADER", quote(name), quote(value))

    # News.

    async def poll(self) -> bool:
        """One NOOP, unless news is known already. True when something may be new."""
        if not self._connection.folder.may_have_news:
            await self._commands.noop()
        return self._connection.folder.may_have_news

    async def idle(self, seconds: float) -> bool:
        """Wait for news at most so long. True when something may be new, or `wake` was called.

        A NOOP goes before IDLE: what came in between is then known, whatever the server announces when IDLE begins.
        """
        self._woken.clear()
        if await self.poll() or self._woken.is_set():
            return True
        if self._can_idle:
            try:
                await self._commands.idle(seconds)
                return self._woken.is_set() or self._connection.folder.may_have_news
            except MailboxError:
                if not self.is_open:
                    raise
            self._can_idle = False  # announced, but refused
        return await self._look_slowly(seconds)

    async def _look_slowly(self, seconds: float) -> bool:
        now = asyncio.get_running_loop().time
        ends = now() + seconds
        while (left := ends - now()) > 0:
            await self._commands.rest(min(_NO_IDLE_SECONDS, left))
            if self._woken.is_set() or await self.poll():
                return True
        return False

    def wake(self) -> None:
        """End a running `idle`."""
        self._woken.set()
        self._commands.wake()

    # Removal.

    async def remove(self, uids: Sequence[int]) -> None:
        """Delete exactly these messages, move them to the trash, or keep them, as configured.

        Where the server refuses, they stay and a warning is logged: the mailbox can be watched all the same.
        """
        if self._settings.after_judgement == "keep":
            return
        try:
            for batch in _batches(uids):
                await self._remove_batch(batch)
        except MailboxError as error:
            if not self.is_open:
                raise
            self._warn(f"judged messages stay in the mailbox: {error}")

    async def _remove_batch(self, uids: Sequence[int]) -> None:
        trash = await self._choose_trash()
        if trash is not None:
            await self._commands.move(uids, trash)
        else:
            await self._commands.delete(uids)
        if not self._commands.can("UIDPLUS", "IMAP4REV2", "MOVE"):
            self._warn("judged messages stay, flagged as deleted: the server has neither UIDPLUS nor MOVE")

    async def _choose_trash(self) -> str | None:
        """Where to move what is removed; None to delete it here.

        Deleting falls back on moving where the server cannot expunge by UID, and on Gmail, where expunging a message
        only archives it.
        """
        if self._settings.after_judgement == "trash":
            trash = await self._find_trash(is_needed=True)
        elif self._commands.can("MOVE") and (
            self._commands.can("X-GM-EXT-1") or not self._commands.can("UIDPLUS", "IMAP4REV2")
        ):
            trash = await self._find_trash()
        else:
            return None
        return None if trash == self._opened()[0].name else trash

    def _warn(self, text: str) -> None:
        """Say a thing once for each session."""
        if text not in self._warned:
            self._warned.add(text)
            _log.warning("%s", text, extra={"mailbox": self._name})

    async def close(self) -> None:
        """Log out, within two seconds. Raises nothing but a cancellation."""
        await self._connection.close(_CLOSE_SECONDS)

    def _opened(self) -> tuple[WatchedFolder, FolderState]:
        if self._selected is None:
            message = "no folder is selected"
            raise RuntimeError(message)
        return self._selected


def _is_read(item: Fetched) -> bool:
    return item.content("HEADER") is not None


def _merge(fetched: dict[int, Fetched], more: Mapping[int, Fetched]) -> None:
    """Add what a further command brought. Flags alone do not stand in for a message that is here."""
    fetched |= {uid: item for uid, item in more.items() if uid not in fetched or _is_read(item)}


def _batches(uids: Sequence[int]) -> list[list[int]]:
    ascending = sorted(uids)
    return [ascending[start : start + BATCH] for start in range(0, len(ascending), BATCH)]


def _fold(name: str) -> str:
    """INBOX is the one name in which case does not count (RFC 3501 section 5.1)."""
    return "INBOX" if name.upper() == "INBOX" else name
