"""Who is alive: each process renews a key of its own, and learns of the others' keys.

In: the bucket of leases. Out: whether the engine takes our word, and whether another process is alive. A process is taken for
dead when its key has not been renewed for a lease and a half while we could hear; while we could not, nobody dies.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable

from smtp_probe.errors import EngineError
from smtp_probe.network.jetstream.bucket import Bucket, Entry

_log = logging.getLogger(__name__)
_PREFIX = "member."
_RENEWALS = 4
"""So often in the time of a lease a key is renewed."""
_AGAIN_SECONDS = 0.5
_LEAST_DEAF_SECONDS, _MOST_DEAF_SECONDS = 2.5, 5.0
"""How long our word is not taken, before we go elsewhere: half a lease, within these bounds. To go to another server costs nothing, also where all of them are just electing a leader."""
PATIENCE = 1.5
"""After so many leases of silence a process is taken for dead."""


async def _stay() -> None:
    """Try no other server."""


class Members:
    """The processes of one namespace. `state` is told whether the engine takes our word."""

    def __init__(
        self,
        bucket: Bucket,
        own_id: str,
        roles: Iterable[str],
        lease_seconds: float,
        state: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self.own_id = own_id
        self.lease_seconds = lease_seconds
        self.on_entry: Callable[[Entry], None] = lambda _: None
        """Told of every key that is none of a process."""
        self.move_on: Callable[[], Awaitable[None]] = _stay
        """Called when the engine has not taken our word for long: to try another of its servers."""
        self.refusal: Callable[[], str] = str
        """Why events are not taken, though our sign of life is; empty where they are."""
        self._refusal = ""
        self._bucket = bucket
        self._value = json.dumps({"roles": sorted(roles)}).encode()
        self._state = state
        self._seen: dict[str, float] = {}
        self._roles: dict[str, frozenset[str]] = {}
        self._gone: set[str] = set()
        self._hears_since: float | None = None
        self._was_up: bool | None = None

    async def renew(self) -> None:
        """Say again and again that we are alive, until cancelled."""
        loop = asyncio.get_running_loop()
        heard = loop.time()
        patience = min(max(self.lease_seconds / 2, _LEAST_DEAF_SECONDS), _MOST_DEAF_SECONDS)
        while True:
            pause = self.lease_seconds / _RENEWALS
            try:
                await self._bucket.put(_PREFIX + self.own_id, self._value)
            except EngineError as error:
                self._tell(False, str(error))
                pause = min(pause, _AGAIN_SECONDS)
                if loop.time() - heard > patience:
                    heard = loop.time()
                    await self.move_on()
            else:
                heard = loop.time()
                self._tell(True)
            await asyncio.sleep(pause)

    async def listen(self) -> None:
        """Learn of all keys, until cancelled."""
        loop = asyncio.get_running_loop()
        heard = loop.time()
        async for entry in self._bucket.entries():
            now = loop.time()
            if now - heard > self.lease_seconds / 2 or self._hears_since is None:
                self._hears_since = now
            if entry is None:
                if self._was_up:
                    heard = now
                continue
            heard = now
            if entry.key.startswith(_PREFIX):
                self._note(entry, now)
            else:
                self.on_entry(entry)

    @property
    def is_heard(self) -> bool:
        """Whether the engine takes our word now."""
        return bool(self._was_up)

    def is_alive(self, member: str) -> bool:
        """Whether a process is alive, as far as we can hear."""
        now = asyncio.get_running_loop().time()
        if member == self.own_id:
            return True
        if member in self._gone:
            return False
        if self._hears_since is None or not self._was_up:
            return True
        seen = self._seen.setdefault(member, now)
        return now - max(seen, self._hears_since) <= self.lease_seconds * PATIENCE

    def is_ours(self, lease: bytes) -> bool:
        """Whether we are who wrote a lease."""
        try:
            return bool(json.loads(lease)["by"] == self.own_id)
        except (ValueError, KeyError, TypeError):
            return False  # of another version

    def alive(self, role: str) -> list[str]:
        """The living processes of a role, sorted; we among them, where it is ours."""
        return sorted(
            member for member, roles in self._roles.items() if role in roles and self.is_alive(member)
        )

    async def leave(self) -> None:
        """Say that we are going, so that others need not wait for our silence. Never raises."""
        try:
            await self._bucket.give_up(_PREFIX + self.own_id)
        except EngineError as error:
            _log.info("the others were not told of our end: %s", error)

    def _note(self, entry: Entry, now: float) -> None:
        member = entry.key.removeprefix(_PREFIX)
        if entry.value is None:
            self._gone.add(member)
            self._roles.pop(member, None)
            return
        self._gone.discard(member)
        self._seen[member] = now
        try:
            self._roles[member] = frozenset(json.loads(entry.value)["roles"])
        except (ValueError, KeyError, TypeError):
            self._roles[member] = frozenset()

    def _tell(self, is_up: bool, why: str = "") -> None:
        if is_up != self._was_up:
            self._was_up = is_up
            if is_up:
                _log.info("the engine takes our word")
            else:
                _log.error("the engine does not answer: nothing is sent until it does: %s", why)
        refusal = self.refusal() if is_up else self._refusal
        if refusal != self._refusal:
            self._refusal = refusal
            if refusal:
                _log.error("the engine takes no events: nothing is sent until it does: %s", refusal)
            else:
                _log.info("the engine takes events again")
        self._state(is_up and not refusal)
