"""The verdicts that a watcher forms on messages, told to the exporters: what has changed at once, the rest now and then.

In: verdicts with their probes, and from which vantage each probe was sent. Out: the last verdicts of each route and vantage, in the
bucket of reports. As long as a route's verdicts stay the same they cost the engine a message in ten minutes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from smtp_probe.app.engine.outbox import Outbox
from smtp_probe.model import Authentication
from smtp_probe.network.jetstream.bucket import Bucket
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.names import word
from smtp_probe.report.check_records import CheckRecord, write_check

PREFIX = "verdict."
_MOST_PROBES = 10_000
_TOLD_SECONDS = 600.0


class Verdicts:
    """The verdicts of one watcher's routes."""

    def __init__(self, stream: JetStream, now_ns: Callable[[], int]) -> None:
        self._outbox = Outbox(Bucket(stream, stream.names.reports))
        self._now_ns = now_ns
        self._vantages: OrderedDict[str, str] = OrderedDict()
        self._told: dict[str, tuple[Authentication, float]] = {}

    def note(self, probe_id: str, vantage: str) -> None:
        """Learn from where a probe was sent."""
        self._vantages[probe_id] = vantage
        while len(self._vantages) > _MOST_PROBES:
            self._vantages.popitem(last=False)

    def formed(self, route: str, probe_id: str, found: Authentication) -> None:
        """Take verdicts over. Those on a probe of which nothing is known any more are left out."""
        vantage = self._vantages.get(probe_id)
        if vantage is None:
            return
        key, now = verdict_key(vantage, route), asyncio.get_running_loop().time()
        known = self._told.get(key)
        if known is not None and known[0] == found and now - known[1] < _TOLD_SECONDS:
            return
        self._told[key] = found, now
        self._outbox.put(key, write_check(CheckRecord(subject=route, at_ns=self._now_ns(), report=found)))

    async def run(self) -> None:
        """Write, until cancelled."""
        await self._outbox.run()


def verdict_key(vantage: str, route: str) -> str:
    """Where the verdicts of a route stand."""
    return f"{PREFIX}{vantage}.{word(route)}"
