"""A mailbox over POP3 (RFC 1939): `ports.MailboxConnector` and `ports.MailboxSession` for servers that have no IMAP.

In: one `config.settings.Mailbox`, a resolver, a clock, the way to the secret. Out: messages, numbered by us in the order in
which their unique ids (UIDL) came up; the numbers hold for as long as the program runs. A maildrop is locked while a
connection to it is open, and shows what it held at the login: so each look is a short connection of its own. Only the
messages handed to `remove` are deleted, found again by their unique ids.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from smtp_probe.config.settings import Mailbox, Mechanism, TlsMode
from smtp_probe.errors import ConfigError, MailboxError, ProbeError, ResolverError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import (
    Cause,
    Location,
    MailboxMessage,
    MailboxSurvey,
    Placement,
    SurveyedFolder,
    TlsFacts,
)
from smtp_probe.network.imap_login import plan_login
from smtp_probe.network.looking import look_now_and_then
from smtp_probe.network.mailbox import account_of
from smtp_probe.network.oauth_bearer import ACKNOWLEDGEMENT
from smtp_probe.network.pop3_dialogue import LINE_BYTES, Pop3Dialogue
from smtp_probe.network.tcp import PromptSocket, connect_tcp
from smtp_probe.network.tls import server_name, shared_context
from smtp_probe.ports import Clock, FolderState, Resolver, Secret, WatchedFolder

_HEADER_BYTES = 65_536
_LIST_BYTES = 4 * 2**20
_LONGEST_ID, _LONGEST_NUMBER = 70, 10
"""RFC 1939 section 7: a unique id has 70 characters at most."""
_BATCH = 100
_SEARCHED = 1000
"""How many of the newest messages are searched for marks of ours when the program starts."""
_LOOK_SECONDS = 15.0
_INBOX = WatchedFolder(name="INBOX", placement=Placement.INBOX)


class Pop3Connector:
    """One account. `tls_facts` is what the last attempt showed of the server's certificate, also where it was refused."""

    def __init__(
        self, name: str, settings: Mailbox, resolver: Resolver, clock: Clock, secret: Secret | None = None
    ) -> None:
        self.name = name
        self.account = account_of(settings)
        self.settings = settings
        self.clock = clock
        self.tls_facts: TlsFacts | None = None
        self.numbers: dict[str, int] = {}
        """Our number of each message of the maildrop, by its unique id."""
        self.uidvalidity = clock.now_ns() // 1_000_000_000
        self.next_number = 1
        self._resolver = resolver
        self._secret = secret
        self._contexts = shared_context(settings.tls_options)

    async def open(self) -> Pop3Session:
        """Log in once, and see that the server has unique ids. Raises `errors.MailboxError`."""
        async with self.connected() as dialogue:
            await self.list_messages(dialogue)
        return Pop3Session(self)

    async def survey(self) -> MailboxSurvey:
        """Look the maildrop over, for a person who sets it up. Raises `errors.MailboxError`."""
        async with self.connected() as dialogue:
            held = await self.list_messages(dialogue)
        inbox = SurveyedFolder(name=_INBOX.name, placement=_INBOX.placement, messages=len(held))
        return MailboxSurvey(folders=(inbox,), tls=self.tls_facts)

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[Pop3Dialogue]:
        """One connection, logged in: at its end QUIT, which is when POP3 deletes; after an error none, so nothing is."""
        dialogue = await self._reach()
        is_well = False
        try:
            await self._log_in(dialogue)
            yield dialogue
            is_well = True
        finally:
            self.tls_facts = dialogue.tls
            await dialogue.close(politely=is_well)

    async def list_messages(self, dialogue: Pop3Dialogue) -> dict[int, int]:
        """The maildrop as it is now: the server's numbers by ours. Raises `errors.MailboxError`."""
        await dialogue.ask("uidl", b"UIDL")
        text, is_whole = await dialogue.read_lines("uidl", _LIST_BYTES)
        if not is_whole:
            raise MailboxError("uidl", Cause.PROTOCOL_ERROR, detail="the maildrop holds too many messages")
        listed: dict[str, int] = {}
        for line in text.splitlines():
            number, _, name = line.partition(b" ")
            if not number.isdigit() or not 0 < len(name) <= _LONGEST_ID or len(number) > _LONGEST_NUMBER:
                raise MailboxError(
                    "uidl", Cause.PROTOCOL_ERROR, detail="the list of unique ids is unreadable"
                )
            listed[name.decode("ascii", "backslashreplace")] = int(number)
        known = self.numbers
        self.numbers = {}
        for unique in listed:
            if unique not in known:
                known[unique], self.next_number = self.next_number, self.next_number + 1
            self.numbers[unique] = known[unique]
        return {self.numbers[unique]: number for unique, number in listed.items()}

    async def _reach(self) -> Pop3Dialogue:
        """Look up, connect, secure and be greeted: all within `timeouts.connect`."""
        settings = self.settings
        ends = asyncio.get_running_loop().time() + settings.timeouts.connect
        name = server_name(settings.tls_options, settings.host)
        try:
            context = None if settings.tls is TlsMode.NONE else await self._contexts.context()
        except OSError as error:
            detail = sanitise(f"the file of authorities cannot be used: {error.strerror or error}")
            raise MailboxError("tls", Cause.TLS_FAILED, detail=detail) from None
        connected = await self._connect(ends)
        reader = asyncio.StreamReader(LINE_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: protocol, sock=connected)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        dialogue = Pop3Dialogue(reader, writer, settings.timeouts.command)
        try:
            if context is not None and settings.tls is TlsMode.IMPLICIT:
                await dialogue.start_tls(context, name, "tls")
            await dialogue.greet()
            if context is not None and settings.tls is TlsMode.STARTTLS:
                await dialogue.ask("starttls", b"STLS", refused=Cause.STARTTLS_NOT_OFFERED)
                await dialogue.start_tls(context, name)
        except BaseException:
            self.tls_facts = dialogue.tls
            await dialogue.close(politely=False)
            raise
        return dialogue

    async def _connect(self, ends: float) -> PromptSocket:
        settings = self.settings
        try:
            async with asyncio.timeout_at(ends):
                addresses = await self._resolver.addresses(settings.host, settings.address_family)
            return await connect_tcp(
                addresses, settings.effective_port, source_address=settings.source_address, deadline=ends
            )
        except ResolverError as error:
            raise MailboxError("resolve", error.cause, detail=error.detail) from None
        except TimeoutError:
            detail = "the resolver did not answer in time"
            raise MailboxError("resolve", Cause.RESOLVER_FAILED, detail=detail) from None
        except ProbeError as error:
            raise MailboxError("connect", error.cause, detail=error.detail) from None

    async def _log_in(self, dialogue: Pop3Dialogue) -> None:
        auth = self.settings.auth
        if auth is None or self._secret is None:
            detail = "the server wants a login, and no credentials are configured"
            raise MailboxError("login", Cause.CREDENTIAL, detail=detail)
        try:
            secret = self._secret()
            if not isinstance(secret, str):
                secret = await secret
        except (ConfigError, OSError) as error:
            raise MailboxError("login", Cause.CREDENTIAL, detail=sanitise(str(error))) from None
        except ProbeError as error:
            raise MailboxError("login", Cause.CREDENTIAL, detail=error.detail) from None
        wanted = Mechanism.PLAIN if auth.mechanism is Mechanism.LOGIN else auth.mechanism
        planned = plan_login(wanted, auth.username, secret, frozenset({f"AUTH={wanted.upper()}"}))
        dialogue.mask = planned.mask
        if auth.mechanism is Mechanism.LOGIN:
            await dialogue.ask("login", b"USER " + auth.username.encode(), refused=Cause.AUTH_REFUSED)
            await dialogue.ask("login", b"PASS " + secret.encode(), refused=Cause.AUTH_REFUSED)
        else:
            refusal = ACKNOWLEDGEMENT if wanted is Mechanism.OAUTHBEARER else b""
            await dialogue.authenticate(wanted.upper(), planned.replies[0], refusal)


class Pop3Session:
    """Fulfils `ports.MailboxSession` by short connections."""

    def __init__(self, connector: Pop3Connector) -> None:
        self._connector = connector
        self._woken = asyncio.Event()
        self._searched: dict[int, bytes] | None = None
        self._seen = connector.next_number
        self._is_at_end = False

    async def folders(self) -> Sequence[WatchedFolder]:
        """The one folder that POP3 has."""
        return (_INBOX,)

    async def select(self, folder: WatchedFolder) -> FolderState:  # noqa: ARG002 - there is but one
        """What the login has shown."""
        connector = self._connector
        return FolderState(
            uidvalidity=connector.uidvalidity, uidnext=connector.next_number, exists=len(connector.numbers)
        )

    async def fetch_since(self, first_uid: int) -> Sequence[MailboxMessage]:
        """The next messages from this number on, ascending, at most a hundred."""
        self._searched = None
        async with self._connector.connected() as dialogue:
            listed = await self._connector.list_messages(dialogue)
            self._seen = self._connector.next_number
            wanted = sorted(uid for uid in listed if uid >= first_uid)
            self._is_at_end = len(wanted) <= _BATCH
            return [await self._show(dialogue, uid, listed[uid]) for uid in wanted[:_BATCH]]

    @property
    def is_at_end(self) -> bool:
        """Whether the last `fetch_since` reached the end of the maildrop."""
        return self._is_at_end

    async def fetch(self, uids: Sequence[int]) -> Sequence[MailboxMessage]:
        """These messages, ascending; those that are gone are left out."""
        async with self._connector.connected() as dialogue:
            listed = await self._connector.list_messages(dialogue)
            return [await self._show(dialogue, uid, listed[uid]) for uid in sorted(uids) if uid in listed]

    async def fetch_text(self, uid: int, limit_bytes: int) -> bytes:
        """The start of one message's body; empty when the message is gone."""
        text = b""
        with contextlib.suppress(_CutShort):
            async with self._connector.connected() as dialogue:
                listed = await self._connector.list_messages(dialogue)
                if uid in listed:
                    await dialogue.ask("retr", b"RETR %d" % listed[uid])
                    text, is_whole = await dialogue.read_lines(
                        "retr", _HEADER_BYTES + limit_bytes, drains=False
                    )
                    if not is_whole:
                        raise _CutShort
        return text.partition(b"\r\n\r\n")[2][:limit_bytes]

    async def search_header(self, name: str, value: str) -> Sequence[int]:
        """Numbers of messages, of the newest thousand, whose header `name` contains `value`."""
        if self._searched is None:
            self._searched = {}
            async with self._connector.connected() as dialogue:
                listed = await self._connector.list_messages(dialogue)
                for uid in sorted(listed)[-_SEARCHED:]:
                    message = await self._show(dialogue, uid, listed[uid])
                    self._searched[uid] = message.header.lower()
        start, wanted = b"\r\n" + name.lower().encode() + b":", value.lower().encode()
        return [
            uid
            for uid, header in self._searched.items()
            if start in (text := b"\r\n" + header)
            and wanted in text.partition(start)[2].partition(b"\r\n")[0]
        ]

    async def poll(self) -> bool:
        """One short connection. True when the maildrop has something new."""
        async with self._connector.connected() as dialogue:
            await self._connector.list_messages(dialogue)
        return self._connector.next_number > self._seen

    async def idle(self, seconds: float) -> bool:
        """Look now and then, as the server announces nothing, at most so long. True when there is something new."""
        return await look_now_and_then(self.poll, self._woken, seconds=seconds, every_seconds=_LOOK_SECONDS)

    def wake(self) -> None:
        """End a running `idle`."""
        self._woken.set()

    async def remove(self, uids: Sequence[int]) -> None:
        """Delete exactly these messages, or keep them, as configured."""
        if self._connector.settings.after_judgement == "keep":
            return
        self._searched = None  # who searches again wants to know what is left
        async with self._connector.connected() as dialogue:
            listed = await self._connector.list_messages(dialogue)
            for uid in uids:
                if uid in listed:
                    await dialogue.ask("dele", b"DELE %d" % listed[uid])
            await dialogue.ask("quit", b"QUIT")  # only now they are deleted: an error must be heard

    async def close(self) -> None:
        """Nothing is held between two looks."""

    async def _show(self, dialogue: Pop3Dialogue, uid: int, number: int) -> MailboxMessage:
        await dialogue.ask("top", b"TOP %d 0" % number)
        header, _ = await dialogue.read_lines("top", _HEADER_BYTES)
        connector = self._connector
        return MailboxMessage(
            location=Location(
                mailbox=connector.name,
                folder=_INBOX.name,
                uidvalidity=connector.uidvalidity,
                uid=uid,
                account=connector.account,
            ),
            placement=Placement.INBOX,
            seen_ns=connector.clock.now_ns(),
            header=header,
        )


class _CutShort(Exception):  # noqa: N818 - it says what is the case
    """Enough of a message has been read: the rest is not waited for, so the connection is dropped."""
