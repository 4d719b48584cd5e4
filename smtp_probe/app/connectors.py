"""The way into a mailbox, by the protocol that its section names: for the daemon and for the commands.

In: one `config.settings.Mailbox`, and what a connection needs. Out: a connector, whatever is behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol as Shape

from smtp_probe.config.settings import Mailbox, Protocol
from smtp_probe.model import MailboxSurvey, TlsFacts
from smtp_probe.network.graph import GraphConnector
from smtp_probe.network.jmap import JmapConnector
from smtp_probe.network.mailbox import ImapConnector
from smtp_probe.network.maildir import MaildirConnector
from smtp_probe.network.pop3 import Pop3Connector
from smtp_probe.ports import Clock, MailboxSession, Resolver, Secret


class Connector(Shape):
    """What all of them have: more than `ports.MailboxConnector`, which is what the watchers need."""

    name: str
    account: str
    tls_facts: TlsFacts | None

    async def open(self) -> MailboxSession:
        """Be able to look into it. Raises `errors.MailboxError`."""
        ...

    async def survey(self) -> MailboxSurvey:
        """Look it over, for a person who sets it up. Raises `errors.MailboxError`."""
        ...


def connect(
    name: str, settings: Mailbox, resolver: Resolver, clock: Clock, secret: Secret | None = None
) -> Connector:
    """Make the connector of a mailbox. Connects to nothing yet."""
    if settings.protocol is Protocol.MAILDIR:
        return MaildirConnector(name, settings, clock)
    return _SERVERS[settings.protocol](name, settings, resolver, clock, secret)


_SERVERS: Mapping[Protocol, Callable[[str, Mailbox, Resolver, Clock, Secret | None], Connector]] = {
    Protocol.IMAP: ImapConnector,
    Protocol.POP3: Pop3Connector,
    Protocol.JMAP: JmapConnector,
    Protocol.GRAPH: GraphConnector,
}
