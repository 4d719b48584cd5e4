"""The authentication of saved messages, for `explain`: what the receiver said, and, where asked for, our own verdicts.

In: saved messages, the receiver's hosts, the authserv-ids that count, and name servers. Out: an `Authentication` each.
Without name servers no question is asked, and there is no verdict of our own: a signature cannot be verified without
its key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

from smtp_probe.config.settings import ResolverSettings
from smtp_probe.mail.authentication.author import find_envelope_sender
from smtp_probe.mail.authentication.egress import find_client
from smtp_probe.mail.explanation.mailbox_file import MAX_TEXT_BYTES, SavedMessage
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.model import Authentication
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.resolver import DnsResolver
from smtp_probe.probes.authentication import ReceivedMessage, authenticate, receiver_only


class MessageChecker:
    """Looks at one message after the other. To be used in a `with` block, outside of any event loop."""

    def __init__(
        self, own: Sequence[str], trusted_ids: Sequence[str], resolver: ResolverSettings | None
    ) -> None:
        self._own = tuple(own)
        self._trusted_ids = tuple(trusted_ids)
        self._settings = resolver
        self._resolver: DnsResolver | None = None
        self._clock = ReferenceClock()
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._resolver is not None:
            self._runner.run(self._resolver.close())
        self._runner.close()

    @property
    def is_online(self) -> bool:
        """Whether verdicts of our own are formed."""
        return self._settings is not None

    def look(self, saved: SavedMessage) -> Authentication:
        """Give the verdicts on one message."""
        message = self._describe(saved)
        return self._runner.run(self._authenticate(message)) if self.is_online else receiver_only(message)

    async def _authenticate(self, message: ReceivedMessage) -> Authentication:
        if self._resolver is None:
            assert self._settings is not None
            self._resolver = DnsResolver(self._settings)
        return await authenticate(message, self._resolver.ask, self._clock.now_ns() // 10**9)

    def _describe(self, saved: SavedMessage) -> ReceivedMessage:
        client = find_client(saved.header, self._own)
        if client is not None and client.is_authenticated:
            client = None
        is_whole = len(saved.text) < MAX_TEXT_BYTES and not saved.is_header_cut
        return ReceivedMessage(
            header=saved.header,
            body=saved.text if is_whole else None,
            sender=find_envelope_sender(split_fields(saved.header)),
            egress=None if client is None else client.address,
            ehlo_name=None if client is None else client.ehlo_name,
            trusted_ids=self._trusted_ids,
            own_hosts=self._own,
        )
