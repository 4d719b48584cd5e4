"""Which mailboxes are ours to watch: a group of mailboxes that belong together is claimed, and held while it is renewed.

In: the groups of the configuration, and the living watchers. Out: the groups that are ours now. A group is what must be
watched by one: mailboxes that a route joins, by its arrivals and its bounces; of very many, several such together, so that the
leases of ten thousand mailboxes cost no more than those of some dozens. Every watcher takes its even share, and gives back what
is more than that when another one comes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from smtp_probe.app.engine.members import Members
from smtp_probe.config.settings import Config
from smtp_probe.errors import EngineError
from smtp_probe.network.jetstream.bucket import Bucket, Entry
from smtp_probe.network.jetstream.names import word
from smtp_probe.probes.portions import portions

_log = logging.getLogger(__name__)
PREFIX = "mailbox."
_RENEWALS = 4
MOST_GROUPS = 64
"""Where mailboxes make more groups than this, they are thrown together into so many by a stable hash."""
_SHOWN = 10
_SOON_SECONDS = 0.1
_AT_ONCE = 16
"""So many leases are claimed at once."""
Group = frozenset[str]


def group_mailboxes(config: Config) -> dict[str, Group]:
    """All mailboxes, by the first name of each group that routes join. Pure.

    One that no route uses any more is a group too: probes may still wait for it.
    """
    joined: dict[str, set[str]] = {name: {name} for name in config.mailboxes}
    for route in config.routes.values():
        names = {route.mailbox} | ({route.bounce_mailbox} if route.bounce_mailbox is not None else set())
        merged = set(names).union(*(joined.get(name, set()) for name in names))
        for name in merged:
            joined[name] = merged
    groups = {min(group): frozenset(group) for group in joined.values()}
    return groups if len(groups) <= MOST_GROUPS else _bundle(groups)


def _bundle(groups: Mapping[str, Group]) -> dict[str, Group]:
    """Throw groups together; each stays in its bundle whatever others come and go."""
    bundles: dict[str, set[str]] = {}
    for name, group in groups.items():
        bundles.setdefault(f"bundle-{zlib.crc32(name.encode()) % MOST_GROUPS:02}", set()).update(group)
    return {key: frozenset(bundle) for key, bundle in sorted(bundles.items())}


@dataclass(slots=True)
class _Held:
    revision: int
    until: float
    """On the loop's clock: when it passes away unless it is renewed."""


class Leases:
    """The groups of one watcher."""

    def __init__(self, bucket: Bucket, members: Members) -> None:
        self.groups: Mapping[str, Group] = {}
        """By key; replaced as a whole with the configuration."""
        self.describe: Callable[[str, bool], Mapping[str, object]] = lambda _key, _whole: {}
        """What is to be told of a group that is ours: with all its mailboxes, or what must be told each time only."""
        self.changed: Callable[[frozenset[str]], None] = lambda _: None
        """Told the keys of those that are ours, whenever they change."""
        self._bucket = bucket
        self._members = members
        self._held: dict[str, _Held] = {}
        self._others: dict[str, float] = {}
        self._told: frozenset[str] = frozenset()
        self._hurry = asyncio.Event()
        self._hurried: set[str] = set()
        self._whole_at: dict[str, float] = {}
        """When all is to be told again of a group: each of thousands of mailboxes with every renewal would be too much."""

    def note(self, entry: Entry) -> None:
        """Learn of a claim. Fits `Members.on_entry`."""
        if entry.key.startswith(PREFIX):
            key = entry.key
            if entry.value is None:
                self._others.pop(key, None)
            else:
                self._others[key] = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Claim, renew and give back, until cancelled."""
        period = self._members.lease_seconds / _RENEWALS
        while True:
            try:
                await self._give_back_surplus()
                await self._renew_and_claim(list(self._held_or_wanted().items()))
            except EngineError:
                self._drop_what_has_passed_away()  # whether the engine is there is told by the signs of life
            self._drop_what_is_no_more()
            self._tell()
            await self._pause(asyncio.get_running_loop().time() + period)

    def hurry(self, key: str) -> None:
        """Have what is told of one of our groups told soon."""
        self._hurried.add(key)
        self._hurry.set()

    def tell_whole(self, key: str) -> None:
        """Have all told of one of our groups with its next renewal: one of its mailboxes has changed."""
        self._whole_at.pop(key, None)

    async def _pause(self, until: float) -> None:
        """Wait for the next turn, and renew meanwhile only those of which something is to be told."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(min(_SOON_SECONDS, max(0.0, until - loop.time())))
        while True:
            try:
                async with asyncio.timeout_at(until):
                    await self._hurry.wait()
                ours = [
                    (key, self.groups[key]) for key in self._hurried & self._held.keys() & self.groups.keys()
                ]
                self._hurry.clear()
                self._hurried.clear()
                await self._renew_and_claim(ours)
            except (TimeoutError, EngineError):
                return  # the next turn is for all
            await asyncio.sleep(_SOON_SECONDS)

    async def give_back(self) -> None:
        """Let the others have all of it at once. Never raises."""
        held, self._held = dict(self._held), {}
        self._tell()
        orders = (self._bucket.give_up(_key(key), lease.revision) for key, lease in held.items())
        for failure in await asyncio.gather(*orders, return_exceptions=True):
            if isinstance(failure, Exception):
                _log.info("a lease will pass away by itself: %s", failure)

    @property
    def held(self) -> frozenset[str]:
        """The keys of the groups that are ours."""
        return frozenset(self._held)

    def _held_or_wanted(self) -> dict[str, Group]:
        """Ours first, then as many that nobody holds as we may have."""
        now = asyncio.get_running_loop().time()
        ours = {key: group for key, group in self.groups.items() if key in self._held}
        share = math.ceil(len(self.groups) / max(1, len(self._members.alive("watcher"))))
        free = [
            key
            for key in self.groups
            if key not in ours and now - self._others.get(_key(key), -math.inf) > self._members.lease_seconds
        ]
        wanted = free[: max(0, share - len(ours))]
        return ours | {key: self.groups[key] for key in wanted}

    async def _renew_and_claim(self, wanted: Sequence[tuple[str, Group]]) -> None:
        """Renew what is ours, then claim some at a time, and tell of those together. Raises EngineError."""
        ours, free = wanted[: len(self._held)], wanted[len(self._held) :]
        for some in (ours, *portions(free, _AT_ONCE)):
            orders = [self._renew_or_claim(key, group) for key, group in some]
            failures = [each for each in await asyncio.gather(*orders, return_exceptions=True) if each]
            self._tell()
            if failures:
                raise failures[0]

    async def _renew_or_claim(self, key: str, group: Group) -> None:
        begun = asyncio.get_running_loop().time()
        lease = self._held.get(key)
        is_whole = lease is None or begun >= self._whole_at.get(key, 0.0)
        if is_whole:
            self._whole_at[key] = begun + self._members.lease_seconds
        value = json.dumps({"by": self._members.own_id, **self.describe(key, is_whole)}).encode()
        revision = None
        if lease is not None:
            revision = await self._bucket.renew(_key(key), value, lease.revision, self._members.is_ours)
        if revision is None:
            # One of ours that passed away, since this process was too busy to renew it, is ours again where nobody else
            # has it: to leave its mailboxes and begin anew would keep the process busier still.
            revision = await self._bucket.claim(_key(key), value, self._members.is_ours)
        if revision is None:
            self._whole_at.pop(key, None)
            if self._held.pop(key, None) is not None:
                _log.warning("another watcher has taken our mailboxes", extra={"mailboxes": _listed(group)})
            return
        if lease is None:
            _log.info("mailboxes are ours to watch", extra={"mailboxes": _listed(group)})
        self._held[key] = _Held(revision, begun + self._members.lease_seconds)

    async def _give_back_surplus(self) -> None:
        """Leave what is more than our share, the last ones, and then let others have it. Raises EngineError."""
        share = math.ceil(len(self.groups) / max(1, len(self._members.alive("watcher"))))
        ours = [each for each in self.groups if each in self._held]
        left = {key: self._held.pop(key) for key in ours[share:]}
        if left:
            self._tell()
            orders = [self._bucket.give_up(_key(key), lease.revision) for key, lease in left.items()]
            failures = [each for each in await asyncio.gather(*orders, return_exceptions=True) if each]
            if failures:
                raise failures[0]

    def _drop_what_has_passed_away(self) -> None:
        """Leave what could not be renewed in its time: another may have it."""
        now = asyncio.get_running_loop().time()
        self._drop([key for key, lease in self._held.items() if now > lease.until])

    def _drop_what_is_no_more(self) -> None:
        """Leave what is configured no more."""
        self._drop([key for key in self._held if key not in self.groups])

    def _drop(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._held.pop(key)
            _log.warning("mailboxes are watched by us no more", extra={"group": key})

    def _tell(self) -> None:
        if self.held != self._told:
            self._told = self.held
            self.changed(self._told)


def _listed(group: Group) -> str:
    names = sorted(group)
    return " ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _key(group: str) -> str:
    return PREFIX + word(group)
