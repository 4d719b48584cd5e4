"""Whether a mailbox has room for another message, asked now and then over the connection that watches it.

In: a session, which may be able to tell of quotas (RFC 9208). Out: how full the mailbox is, to be shown, and what is said
of a mailbox where not even a bounce fits any more: what does not come there may have been turned away at its door.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from smtp_probe.errors import MailboxError
from smtp_probe.model import QuotaUse
from smtp_probe.ports import Clock, MailboxSession, TellsQuotas, WatchedFolder

_log = logging.getLogger(__name__)
_ASK_SECONDS = 60.0
_ROOM = {"STORAGE": 32, "MESSAGE": 1}
"""What another message needs: a bounce that returns ours is some KiB, and servers count more than its bytes."""


class MailboxRoom:
    """What is known of the room in one mailbox. It is known only while the mailbox is in view."""

    def __init__(
        self, mailbox: str, clock: Clock, told: Callable[[Mapping[str, float]], None] = lambda _: None
    ) -> None:
        self.shortage = ""
        """What there is too little of; empty where there is room, or where nobody knows."""
        self.shares: dict[str, float] = {}
        """How much of each resource is used, by its name in lower case: 1 is all of it."""
        self._mailbox = mailbox
        self._clock = clock
        self._told = told
        self._ask_at_ns = 0

    async def look(self, session: MailboxSession, folder: WatchedFolder) -> None:
        """Ask, where it is time to and the session can. Raises MailboxError where the connection is lost by it."""
        if not isinstance(session, TellsQuotas) or self._clock.now_ns() < self._ask_at_ns:
            return
        self._ask_at_ns = self._clock.now_ns() + round(_ASK_SECONDS * 1e9)
        try:
            uses = await session.quotas(folder) or ()
        except MailboxError:
            if not session.is_open:
                raise
            uses = ()  # a server that offers quotas may refuse to tell them
        self._note(uses)

    def forget(self) -> None:
        """Know nothing any more: the connection is gone."""
        self._ask_at_ns = 0
        self.shortage, self.shares = "", {}

    def _note(self, uses: Sequence[QuotaUse]) -> None:
        before, self.shortage = self.shortage, _shortage_of(uses)
        if self.shortage and not before:
            _log.warning("no room for another message: %s", self.shortage, extra={"mailbox": self._mailbox})
        elif before and not self.shortage:
            _log.info("there is room for messages again", extra={"mailbox": self._mailbox})
        self.shares = {}
        for use in uses:
            share = use.used / use.limit if use.limit > 0 else 1.0
            resource = use.resource.lower()
            self.shares[resource] = max(share, self.shares.get(resource, 0.0))  # an account may have several
        self._told(self.shares)


def _shortage_of(uses: Sequence[QuotaUse]) -> str:
    short = (use for use in uses if use.limit - use.used < _ROOM.get(use.resource.upper(), 0))
    return ", ".join(_describe(use) for use in short)


def _describe(use: QuotaUse) -> str:
    is_storage = use.resource.upper() == "STORAGE"
    return f"{use.used} of {use.limit} {'KiB' if is_storage else 'messages'} used"
