"""Opening a mailbox: from settings to an authenticated IMAP session (`ports.MailboxConnector`).

In: one `config.settings.Mailbox`, a resolver, a clock, and where the secret comes from. Out: `MailboxSession`, or
`errors.MailboxError` that names the step (`resolve`, `connect`, `tls`, `greeting`, `starttls`, `login`) and its
cause. It tries once: when to try again, and how long to leave a server alone that refused us, is the caller's matter.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Sequence

from smtp_probe.config.settings import Mailbox, TlsMode
from smtp_probe.errors import ConfigError, MailboxError, ProbeError, ResolverError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause, ClockSighting, MailboxSurvey, TlsFacts
from smtp_probe.network.concealment import Concealment
from smtp_probe.network.imap_clock import sight_clock
from smtp_probe.network.imap_commands import ImapCommands
from smtp_probe.network.imap_connection import ImapConnection
from smtp_probe.network.imap_labels import CAPABILITY, LABELS
from smtp_probe.network.imap_login import plan_login
from smtp_probe.network.imap_opening import attach, attach_securely, greet, log_in, start_tls
from smtp_probe.network.mailbox_session import ImapSession
from smtp_probe.network.mailbox_survey import survey
from smtp_probe.network.tcp import PromptSocket, connect_tcp
from smtp_probe.network.tls import server_name, shared_context
from smtp_probe.ports import Clock, Resolver, Secret


class ImapConnector:
    """One IMAP account. `secret` is called at each login, so that a changed file is picked up.

    `tls_facts` is what the last attempt showed of the server's certificate, also where it was refused.
    """

    def __init__(
        self,
        name: str,
        settings: Mailbox,
        resolver: Resolver,
        clock: Clock,
        secret: Secret | None = None,
    ) -> None:
        self.name = name
        self.account = account_of(settings)
        self.tls_facts: TlsFacts | None = None
        self._settings = settings
        self._resolver = resolver
        self._clock = clock
        self._secret = secret
        self._contexts = shared_context(settings.tls_options)

    async def open(self) -> ImapSession:
        """Connect, secure, authenticate, each within its deadline. Raises `errors.MailboxError`."""
        return await self._open(self._settings)

    async def sight_clock(self, folder: str) -> ClockSighting | None:
        """Read the server's clock: by a message that is put into this folder, read and removed (`ports.ClockSource`).

        Over a connection of its own. Raises `errors.MailboxError`; None where the server tells no time of its own.
        """
        session = await self._open(self._settings.model_copy(update={"after_judgement": "delete"}))
        try:
            return await sight_clock(session, folder, self._clock.now_ns)
        finally:
            await session.close()

    async def survey(self) -> MailboxSurvey:
        """Log in, look the mailbox over, log out. Raises `errors.MailboxError` for what would hinder the watcher."""
        folder = self._settings.clock_folder
        clock = None if folder is None else await self.sight_clock(folder)
        session = await self.open()
        try:
            return await survey(session, clock)
        finally:
            await session.close()

    async def _open(self, settings: Mailbox) -> ImapSession:
        connection = ImapConnection(self._clock.now_ns, self._settings.timeouts.command)
        secret = await self._read_secret()
        if self._settings.auth is not None and isinstance(secret, str) and secret:
            # Before the first word of the server, which may know it from an earlier connection.
            connection.protocol.concealment = Concealment(self._settings.auth, secret)
        try:
            await self._reach(connection)
            await self._log_in(connection, secret)
            commands = ImapCommands(connection)
            stamp_item = await _find_stamp_item(commands)
        except BaseException:
            await connection.drop()
            raise
        finally:
            self.tls_facts = connection.tls_facts
        return ImapSession(self.name, settings, commands, stamp_item, account=self.account)

    async def _reach(self, connection: ImapConnection) -> None:
        """Look up, connect, secure and be greeted: all within `timeouts.connect`."""
        ends = asyncio.get_running_loop().time() + self._settings.timeouts.connect
        mode = self._settings.tls
        name = server_name(self._settings.tls_options, self._settings.host)
        context = None if mode is TlsMode.NONE else await self._make_context()
        connected = await self._connect(await self._look_up(ends), ends)
        connection.opening_ends = ends
        if context is None or mode is TlsMode.STARTTLS:
            await attach(connection, connected)
        else:
            await attach_securely(connection, connected, context, name)
        await greet(connection)
        if context is not None and mode is TlsMode.STARTTLS:
            await start_tls(connection, context, name)
        connection.opening_ends = None

    async def _make_context(self) -> ssl.SSLContext:
        try:
            return await self._contexts.context()
        except OSError as error:
            detail = sanitise(f"the file of authorities cannot be used: {error.strerror or error}")
            raise MailboxError("tls", Cause.TLS_FAILED, detail=detail) from None

    async def _look_up(self, ends: float) -> Sequence[str]:
        try:
            async with asyncio.timeout_at(ends):
                return await self._resolver.addresses(self._settings.host, self._settings.address_family)
        except ResolverError as error:
            raise MailboxError("resolve", error.cause, detail=error.detail) from None
        except TimeoutError:
            detail = "the resolver did not answer in time"
            raise MailboxError("resolve", Cause.RESOLVER_FAILED, detail=detail) from None

    async def _connect(self, addresses: Sequence[str], ends: float) -> PromptSocket:
        try:
            return await connect_tcp(
                addresses,
                self._settings.effective_port,
                source_address=self._settings.source_address,
                deadline=ends,
            )
        except ProbeError as error:
            raise MailboxError("connect", error.cause, detail=error.detail) from None

    async def _read_secret(self) -> str | MailboxError:
        """The secret, or why it cannot be had: that counts only when the server wants a login."""
        if self._settings.auth is None or self._secret is None:
            detail = "the server wants a login, and no credentials are configured"
            return MailboxError("login", Cause.CREDENTIAL, detail=detail)
        try:
            secret = self._secret()
            return secret if isinstance(secret, str) else await secret
        except (ConfigError, OSError) as error:
            return MailboxError("login", Cause.CREDENTIAL, detail=sanitise(str(error)))
        except ProbeError as error:
            return MailboxError("login", Cause.CREDENTIAL, detail=error.detail)

    async def _log_in(self, connection: ImapConnection, secret: str | MailboxError) -> None:
        if connection.is_authenticated:
            return
        if isinstance(secret, MailboxError):
            raise secret
        auth = self._settings.auth
        assert auth is not None
        offered = frozenset(connection.protocol.told.capabilities)
        dialogue = plan_login(auth.mechanism, auth.username, secret, offered)
        await log_in(connection, dialogue)


def account_of(settings: Mailbox) -> str:
    """Tell one account from another, without naming it: eight hexadecimal digits."""
    username = settings.auth.username if settings.auth is not None else ""
    named = f"{settings.host.lower()} {settings.effective_port} {username}"
    if settings.path is not None:
        named = f"{settings.path}"
    return hashlib.sha256(named.encode()).hexdigest()[:8]


async def _find_stamp_item(commands: ImapCommands) -> str | None:
    """The FETCH item in which this server tells when a message was stored, better than INTERNALDATE does."""
    if commands.can(CAPABILITY):
        return f"X-GM-MSGID {LABELS}"
    greeting = commands.connection.protocol.told.greeting
    if greeting is not None and b"dovecot" in greeting.text.lower():
        return "X-GUID"
    if commands.can("ID"):
        try:
            if b'"dovecot"' in (await commands.identify()).lower():
                return "X-GUID"
        except MailboxError:
            if not commands.connection.is_open:
                raise
    return None
