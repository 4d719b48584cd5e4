"""The way into a mailbox, by the protocol that its section names: for the daemon and for the commands.

In: one `config.settings.Mailbox`, and what a connection needs. Out: a connector, whatever is behind it.
"""

from __future__ import annotations

from typing import Protocol as Shape

from smtp_probe.config.settings import Mailbox, Protocol
from smtp_probe.model import MailboxSurvey, TlsFacts
from smtp_probe.network.mailbox import ImapConnector
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
    # What most daemons do not use is imported where it is used.
    match settings.protocol:
        case Protocol.IMAP:
            return ImapConnector(name, settings, resolver, clock, secret)
        case Protocol.MAILDIR:
            from smtp_probe.network.maildir import MaildirConnector

            return MaildirConnector(name, settings, clock)
        case Protocol.POP3:
            from smtp_probe.network.pop3 import Pop3Connector

            return Pop3Connector(name, settings, resolver, clock, secret)
        case Protocol.JMAP:
            from smtp_probe.network.jmap import JmapConnector

            return JmapConnector(name, settings, resolver, clock, secret)
        case Protocol.GRAPH:
            from smtp_probe.network.graph import GraphConnector

            return GraphConnector(name, settings, resolver, clock, secret)
