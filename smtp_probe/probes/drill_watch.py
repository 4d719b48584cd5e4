"""The runs of all configured drills, each in its own rhythm, apart from probes and from one another.

In: plans, each with what runs it. Out: a report after each run, to whoever shows it. A drill never overlaps itself, and drills
that need the same place to listen take turns. A drill waits for no probe and no probe for a drill.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from smtp_probe.model import DrillReport
from smtp_probe.ports import Clock
from smtp_probe.schedule import next_slot, rhythm_of, slot_ns

_log = logging.getLogger(__name__)
_NS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillPlan:
    """One drill. `detail` changes whenever anything in its settings, or in those of its sender, does."""

    name: str
    interval_seconds: float
    run: Callable[[], Awaitable[DrillReport]]
    """Bounded in time."""
    places: tuple[tuple[str, int], ...] = ()
    """Where it listens: only one drill at a time may."""
    detail: str = ""


class DrillWatch:
    """All drills. `configure` may be called at any time; `close` ends what runs."""

    def __init__(self, clock: Clock, on_report: Callable[[DrillReport], None]) -> None:
        self._clock = clock
        self._on_report = on_report
        self._watching: dict[str, tuple[DrillPlan, asyncio.Task[None]]] = {}
        self._places: dict[tuple[str, int], asyncio.Lock] = {}

    def configure(self, plans: Sequence[DrillPlan]) -> None:
        """Take over a set of drills; those that have not changed go on undisturbed."""
        wanted = {plan.name: plan for plan in plans}
        for name, (plan, task) in list(self._watching.items()):
            if name not in wanted or wanted[name].detail != plan.detail:
                task.cancel()
                del self._watching[name]
        for index, (name, plan) in enumerate(wanted.items()):
            if name not in self._watching:
                task = asyncio.create_task(self._watch(plan, index), name=f"drill {name}")
                self._watching[name] = plan, task

    async def close(self) -> None:
        """End every drill; what listens is closed."""
        tasks = [task for _, task in self._watching.values()]
        self._watching.clear()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self, plan: DrillPlan, index: int) -> None:
        """Keep one rhythm. It is counted from the epoch, so that restarts never bring a drill forward."""
        rhythm = rhythm_of(index, plan.interval_seconds)
        while True:
            now_ns = self._clock.now_ns()
            await self._clock.sleep((slot_ns(rhythm, next_slot(rhythm, now_ns)) - now_ns) / _NS)
            try:
                self._on_report(await self.run(plan))
            except Exception as error:  # noqa: BLE001 - a bug in one drill must not end the others
                _log.error("a drill failed by our own fault", exc_info=error, extra={"drill": plan.name})

    async def run(self, plan: DrillPlan) -> DrillReport:
        """Run one drill, when its places are free."""
        async with AsyncExitStack() as taken:
            for place in sorted(plan.places):
                await taken.enter_async_context(self._places.setdefault(place, asyncio.Lock()))
            return await plan.run()
