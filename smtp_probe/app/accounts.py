"""The mailboxes of a configuration, for a command that looks into them once and keeps nothing.

In: a configuration. Out: connectors that know the secrets as the daemon knows them. `close` at the end, always.
"""

from __future__ import annotations

from smtp_probe.app.connectors import Connector, connect
from smtp_probe.app.credentials import Credentials
from smtp_probe.config.settings import Config
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.resolver import DnsResolver


class Accounts:
    """Clock, resolver and credentials of one run of a command."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.clock = ReferenceClock()
        self.resolver = DnsResolver(config.resolver)
        self.credentials = Credentials(self.clock, lambda *_: None)

    def open(self) -> None:
        """Be ready to hand out secrets. To be called on the event loop."""
        self.credentials.configure(self.config, self.resolver)

    def mailbox(self, name: str) -> Connector:
        """The way into one mailbox."""
        settings = self.config.mailboxes[name]
        secret = self.credentials.secret(settings.auth, f"mailboxes.{name}.auth")
        return connect(name, settings, self.resolver, self.clock, secret)

    async def close(self) -> None:
        """Give up what is under way."""
        await self.credentials.close()
        await self.resolver.close()
