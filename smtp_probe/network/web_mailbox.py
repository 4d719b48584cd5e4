"""What mailboxes behind a web interface share (JMAP, Graph): a connector with our numbers, and how a folder is read onwards.

In: one `config.settings.Mailbox`, a resolver, a clock, the way to the secret. Out: the parts of `ports.MailboxConnector` and
`ports.MailboxSession` that do not depend on what the interface is. Messages are numbered by us, in the order in which they came
up, for as long as the program runs.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from smtp_probe.config.settings import Mailbox
from smtp_probe.model import Location, MailboxMessage, TlsFacts
from smtp_probe.network.concealment import Concealment
from smtp_probe.network.mailbox import account_of
from smtp_probe.network.message_numbers import MessageNumbers
from smtp_probe.network.refused_removal import RefusedRemovals
from smtp_probe.network.web_api import WebApi
from smtp_probe.ports import Clock, Resolver, Secret, WatchedFolder

_Session = TypeVar("_Session")


class WebConnector:
    """One account. `tls_facts` is what the last connection showed of the server's certificate."""

    def __init__(
        self, name: str, settings: Mailbox, resolver: Resolver, clock: Clock, secret: Secret | None = None
    ) -> None:
        self.name = name
        self.account = account_of(settings)
        self.settings = settings
        self.clock = clock
        self.tls_facts: TlsFacts | None = None
        self.uidvalidity = clock.now_ns() // 1000
        self.numbers: dict[str, MessageNumbers] = {}
        """By the id of the folder."""
        self._resolver = resolver
        self._secret = secret
        self._told: dict[str, Concealment] = {}

    async def connect(self, log_in: Callable[[WebApi], Awaitable[_Session]]) -> _Session:
        """Open a session by what `log_in` does; where that fails, nothing stays open."""
        api = WebApi(self.settings, self._resolver, self._secret, self._told)
        try:
            return await log_in(api)
        except BaseException:
            await api.close()
            raise
        finally:
            self.tls_facts = api.tls


class WebSession(ABC):
    """One view of an account; `batch` messages at most are fetched at once."""

    batch: int

    def __init__(self, connector: WebConnector, api: WebApi) -> None:
        self._connector = connector
        self._api = api
        self._watched: WatchedFolder | None = None
        self._numbers = MessageNumbers()
        self._fetched_below = 0
        self._is_at_end = False
        self._woken = asyncio.Event()
        self._refused = RefusedRemovals(connector.name)

    @abstractmethod
    async def catch_up(self) -> None:
        """Learn what has come and gone in the selected folder."""

    @abstractmethod
    async def fetch(self, uids: Sequence[int]) -> Sequence[MailboxMessage]:
        """These messages, ascending; those that are gone are left out."""

    async def fetch_since(self, first_uid: int) -> Sequence[MailboxMessage]:
        """The next messages from this number on, ascending, at most one batch."""
        await self.catch_up()
        wanted = self._numbers.present(first_uid)
        self._is_at_end = len(wanted) <= self.batch
        self._fetched_below = self._numbers.next_number if self._is_at_end else wanted[self.batch]
        return await self.fetch(wanted[: self.batch])

    @property
    def is_at_end(self) -> bool:
        """Whether the last `fetch_since` reached the end of the folder."""
        return self._is_at_end

    @property
    def has_unfetched(self) -> bool:
        """Whether there is more than `fetch_since` has given."""
        return self._numbers.next_number > self._fetched_below

    def locate(self, uid: int) -> Location:
        """Where a message of the selected folder is."""
        assert self._watched is not None
        connector = self._connector
        return Location(
            mailbox=connector.name,
            folder=self._watched.name,
            uidvalidity=connector.uidvalidity,
            uid=uid,
            account=connector.account,
        )

    def wake(self) -> None:
        """End a running `idle`."""
        self._woken.set()

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()
