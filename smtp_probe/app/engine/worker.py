"""A worker: pulls runs, and hands their messages over. Keeps nothing that must survive it.

In: runs of its vantage. Out: the events of each up to the end of its submission. A run is acknowledged when its start stands
in the engine; one that is given again after that is known by its slot, and nothing is sent. Where there is no room for
another submission nothing is pulled, so that another worker gets it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from smtp_probe.app.engine.programs import WorkerProgram
from smtp_probe.app.engine.schedules import schedule_route, slot_seconds
from smtp_probe.config.settings import Config
from smtp_probe.network.jetstream.names import name_of, subject_words
from smtp_probe.network.jetstream.reading import Run, RunReader
from smtp_probe.probes.handing_over import HandingOver
from smtp_probe.probes.runner import Run as GivenRun
from smtp_probe.probes.runner import Runner

_log = logging.getLogger(__name__)
_NS = 1_000_000_000
_ROOM_SECONDS = 0.02
_UNKNOWN_SECONDS = 5.0
"""After so long a run of a route that we do not know is offered again: the configuration may be on its way to us."""


class Worker:
    """One worker. `count` is told what was done with each run."""

    def __init__(self, program: WorkerProgram, reader: RunReader, count: Callable[[str], None]) -> None:
        self._program = program
        self._reader = reader
        self._count = count
        self._runner = Runner(
            program.round_trips, program.ledger, program.clock, program.telemetry.observations.scheduler_lag
        )
        self.may_send: Callable[[], bool] = lambda: True
        """Whether the engine takes our word: what is not written down is not sent."""

    def configure(self, config: Config) -> None:
        """Take over a configuration."""
        self._program.configure(config)
        self._runner.configure(self._program.targets, config.schedule)

    async def run(self) -> None:
        """Pull runs and send, until cancelled."""
        async for run in self._reader.runs():
            if run is not None:
                await self._take(run)
            while not (self._runner.has_room and self.may_send()):  # noqa: ASYNC110 - a place becomes free, or the engine comes back
                await asyncio.sleep(_ROOM_SECONDS)

    async def stop(self, seconds: float) -> None:
        """Pull nothing more; let submissions under way end, at most so long."""
        await self._runner.stop(seconds)
        ledger = self._program.ledger
        assert isinstance(ledger, HandingOver)
        await ledger.close()

    async def _take(self, run: Run) -> None:
        program = self._program
        name = name_of(subject_words(run.subject)[2])
        route = program.config.routes.get(name)
        if route is None:
            self._count("returned")
            await run.give_back(_UNKNOWN_SECONDS)
            return
        interval = schedule_route(0, route.interval).interval_seconds
        slot_ns = slot_seconds(run.next_ns, run.came_ns, interval) * _NS
        program.telemetry.observations.scheduler_lag(max(0.0, (program.clock.now_ns() - slot_ns) / _NS))
        reason = self._runner.send_now(name, GivenRun(slot_ns, run.take))
        self._count("taken" if reason is None else "refused")
        if reason is not None:
            await run.take()
            self._runner.miss(name, reason)
