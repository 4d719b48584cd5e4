"""What lies in the mailboxes of a configuration that this prober has sent: listed, and on demand removed.

In: a configuration and the signing keys. Out: for each mailbox its messages of ours, oldest first, and which of them are
orphans: so old that no probe can wait for them. Only a message whose tag is signed by one of our keys for one of the
configuration's routes counts as ours; nothing else is looked at twice, marked or removed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from smtp_probe.app.accounts import Accounts
from smtp_probe.config.settings import Config
from smtp_probe.errors import MailboxError
from smtp_probe.mail.recognition import find_candidates
from smtp_probe.mail.syntax.mailbox_names import decode_mailbox_name
from smtp_probe.mail.tag import TagKey, hash_route, peek, verify
from smtp_probe.model import MailboxMessage
from smtp_probe.ports import MailboxSession, WatchedFolder
from smtp_probe.probes.folder_watch import OWN_HEADER

_AT_ONCE = 8
_BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptMessage:
    """One message of ours."""

    folder: str
    uid: int
    route: str
    probe_id: str
    sent_ms: int
    """When it was made, in milliseconds since the epoch, as its tag says."""
    is_orphan: bool
    is_removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptMailbox:
    """What one mailbox holds of ours; or why that could not be seen, for people."""

    name: str
    messages: tuple[SweptMessage, ...] = ()
    problem: str = ""


class Sweep:
    """All mailboxes that routes use, each for so long at most."""

    def __init__(self, config: Config, keys: Sequence[TagKey], seconds: float, *, is_dry: bool) -> None:
        self._config = config
        self._keys = tuple(keys)
        self._seconds = seconds
        self._is_dry = is_dry
        self._accounts = Accounts(config)
        self._routes = {hash_route(name): (name, route.recipient) for name, route in config.routes.items()}
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> list[SweptMailbox]:
        """Look into all of them, in the order of their names."""
        names = sorted(
            {
                name
                for route in self._config.routes.values()
                for name in (route.mailbox, route.bounce_mailbox)
                if name is not None
            }
        )
        self._accounts.open()
        try:
            return await asyncio.gather(*map(self._sweep, names))
        finally:
            await self._accounts.close()

    async def _sweep(self, name: str) -> SweptMailbox:
        try:
            async with self._room, asyncio.timeout(self._seconds):
                return SweptMailbox(name=name, messages=await self._look_into(name))
        except TimeoutError:
            return SweptMailbox(name=name, problem=f"it was not done within {self._seconds:g} s")
        except MailboxError as error:
            return SweptMailbox(name=name, problem=str(error))

    async def _look_into(self, name: str) -> tuple[SweptMessage, ...]:
        session = await self._accounts.mailbox(name).open()
        found: list[SweptMessage] = []
        try:
            for folder in await session.folders():
                found += await self._sweep_folder(name, session, folder)
        finally:
            await session.close()
        return tuple(sorted(found, key=lambda each: each.sent_ms))

    async def _sweep_folder(
        self, name: str, session: MailboxSession, folder: WatchedFolder
    ) -> list[SweptMessage]:
        await session.select(folder)
        marked = sorted(await session.search_header(OWN_HEADER, ""))
        found: list[SweptMessage] = []
        for start in range(0, len(marked), _BATCH):
            ours = [
                self._recognise(name, each) for each in await session.fetch(marked[start : start + _BATCH])
            ]
            found += [each for each in ours if each is not None]
        orphans = [each.uid for each in found if each.is_orphan]
        if self._is_dry or not orphans or self._config.mailboxes[name].after_judgement == "keep":
            return found
        await session.remove(orphans)
        left = set(await session.search_header(OWN_HEADER, ""))
        return [replace(each, is_removed=each.is_orphan and each.uid not in left) for each in found]

    def _recognise(self, name: str, message: MailboxMessage) -> SweptMessage | None:
        for candidate in find_candidates(message.header):
            claim = peek(candidate.token)
            known = None if claim is None else self._routes.get(claim.route_hash)
            tag = None if known is None else verify(candidate.token, self._keys, *known)
            if tag is None or known is None:
                continue
            age_seconds = self._accounts.clock.now_ns() / 1e9 - tag.sent_ms / 1e3
            return SweptMessage(
                folder=decode_mailbox_name(message.location.folder),
                uid=message.location.uid,
                route=known[0],
                probe_id=tag.probe_id,
                sent_ms=tag.sent_ms,
                is_orphan=age_seconds > self._config.mailboxes[name].sweep_after,
            )
        return None
