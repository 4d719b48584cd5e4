"""Something that one process at a time does: whoever holds the lease, for as long as it renews it.

In: a key of the bucket of leases, and the work. Out: the work begun when the lease is ours, and cancelled when it is lost; another
process with the same duty begins it within a lease or two.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from smtp_probe.app.engine.members import Members
from smtp_probe.errors import EngineError
from smtp_probe.network.jetstream.bucket import Bucket

_log = logging.getLogger(__name__)
_RENEWALS = 4
CHECKING = "duty.check"
"""The key of the checks."""


class Duty:
    """One duty, as one process sees it. `changed` is told whether it is ours."""

    def __init__(
        self, bucket: Bucket, members: Members, key: str, changed: Callable[[bool], None] = lambda _: None
    ) -> None:
        self._bucket = bucket
        self._members = members
        self._key = key
        self._changed = changed
        self._revision: int | None = None
        self._until = 0.0
        self._task: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work whenever it is ours, until cancelled. Raises what the work raises."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                begun = loop.time()
                await self._renew_or_claim(begun)
                if loop.time() > self._until:
                    self._revision = None
                await self._follow_lease(work)
                await asyncio.sleep(self._members.lease_seconds / _RENEWALS)
        finally:
            await self._end_work()

    async def give_back(self) -> None:
        """Let another have it at once. Never raises."""
        await self._end_work()
        revision, self._revision = self._revision, None
        if revision is not None:
            with suppress(EngineError):
                await self._bucket.give_up(self._key, revision)

    async def _renew_or_claim(self, begun: float) -> None:
        value = json.dumps({"by": self._members.own_id}).encode()
        try:
            if self._revision is None:
                revision = await self._bucket.claim(self._key, value, self._members.is_ours)
            else:
                revision = await self._bucket.renew(self._key, value, self._revision, self._members.is_ours)
        except EngineError:
            return  # whether the engine is there is told by the signs of life
        self._revision = revision
        if revision is not None:
            self._until = begun + self._members.lease_seconds

    async def _follow_lease(self, work: Callable[[], Awaitable[None]]) -> None:
        if self._task is not None and self._task.done():
            self._task.result()  # it ends only by an exception of its own
            self._task = None
        if self._revision is not None and self._task is None:
            _log.info("a duty is ours", extra={"duty": self._key})
            self._task = asyncio.ensure_future(_run(work))
            self._changed(True)
        elif self._revision is None and self._task is not None:
            _log.warning("a duty is another's now", extra={"duty": self._key})
            await self._end_work()

    async def _end_work(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            self._changed(False)
            task.cancel()
            await asyncio.wait((task,), timeout=2.0)


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()
