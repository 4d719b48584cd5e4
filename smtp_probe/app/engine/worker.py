"""A worker: pulls runs, and hands their messages over. Keeps nothing that must survive it.

In: runs of its vantage. Out: the events of each up to the end of its submission. A run is acknowledged when its start stands
in the engine; one that is given again after that is known by its slot, and nothing is sent. Where there is no room for
another submission nothing is pulled, so that another worker gets it.

All workers together keep to what one alone would: a route of which its watcher says that `max_in_flight` are on their way is not
sent on, and of each budget of messages a minute every living worker spends its share.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import replace

from smtp_probe.app.engine.crowding import read_full
from smtp_probe.app.engine.leases import PREFIX
from smtp_probe.app.engine.programs import WorkerProgram
from smtp_probe.app.engine.schedules import schedule_route, slot_seconds
from smtp_probe.config.settings import Config
from smtp_probe.network.jetstream.bucket import Entry
from smtp_probe.network.jetstream.names import name_of, subject_words
from smtp_probe.network.jetstream.reading import Run, RunReader
from smtp_probe.probes.handing_over import HandingOver
from smtp_probe.probes.runner import Run as GivenRun
from smtp_probe.probes.runner import Runner

_log = logging.getLogger(__name__)
_NS = 1_000_000_000
_ROOM_SECONDS = 0.02
_AT_ONCE = 8
"""So many runs are asked for at once, where there is room for twice as many: each question costs the engine as much as a run."""
_PEERS_SECONDS = 1.0
_OTHERS_SECONDS = 1.0
"""After so long a run for which we have no budget is offered to the others, and to us again."""
_FORGOTTEN_LEASES = 3
"""What a watcher said of full routes holds for so many leases after it was last heard."""
_UNKNOWN_SECONDS = 5.0
"""After so long a run of a route that we do not know is offered again: the configuration may be on its way to us."""


class Worker:
    """One worker. `count` is told what was done with each run."""

    def __init__(self, program: WorkerProgram, reader: RunReader, count: Callable[[str], None]) -> None:
        settings = program.config.engine
        self._vantage = settings.vantage if settings else ""
        self._lease_seconds = settings.lease if settings else 0.0
        self._program = program
        self._reader = reader
        self._count = count
        self._runner = Runner(
            program.round_trips, program.ledger, program.clock, program.telemetry.observations.scheduler_lag
        )
        self._full: dict[str, tuple[frozenset[str], float]] = {}
        self._begun: dict[str, int] = {}
        """By route, the slot that was begun last."""
        self._share = 1
        self.count_peers: Callable[[], int] = lambda: 1
        """How many workers are alive, we among them."""
        self.may_send: Callable[[], bool] = lambda: True
        """Whether the engine takes our word: what is not written down is not sent."""

    def configure(self, config: Config) -> None:
        """Take over a configuration."""
        self._program.configure(config)
        self._divide()

    def note(self, entry: Entry) -> None:
        """Learn from a watcher which routes are full. Fits `Members.on_entry`."""
        if not entry.key.startswith(PREFIX):
            return
        if entry.value is None:
            self._full.pop(entry.key, None)
            return
        now, known = asyncio.get_running_loop().time(), self._full.get(entry.key)
        try:
            data = json.loads(entry.value)
            if "full" in data:  # it is not while a new watcher is still reading
                self._full[entry.key] = read_full(str(data["full"]), self._vantage), now
            elif known is not None:
                self._full[entry.key] = known[0], now
        except (ValueError, TypeError):
            return  # of another version

    def _is_full(self, route: str) -> bool:
        oldest = asyncio.get_running_loop().time() - self._lease_seconds * _FORGOTTEN_LEASES
        return any(route in routes and heard > oldest for routes, heard in self._full.values())

    def _divide(self) -> None:
        """Take our share of all budgets."""
        program, share = self._program, self._share
        senders = {
            name: sender.model_copy(update={"max_per_minute": sender.max_per_minute / share})
            for name, sender in program.config.senders.items()
        }
        targets = [replace(each, sender=senders[each.route.sender]) for each in program.targets]
        schedule = program.config.schedule
        common = schedule.max_per_minute / share
        self._runner.configure(targets, schedule.model_copy(update={"max_per_minute": common}))

    async def _watch_peers(self) -> None:
        while True:
            await self._count_peers()

    async def _count_peers(self) -> None:
        await asyncio.sleep(_PEERS_SECONDS)
        count = max(1, self.count_peers())
        if count != self._share:
            self._share = count
            self._divide()

    async def run(self) -> None:
        """Pull runs and send, until cancelled; not before the others have been heard, and have heard us."""
        await self._count_peers()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_peers(), name="peers")
            group.create_task(self._pull(), name="runs")

    async def _pull(self) -> None:
        async for run in self._reader.runs(lambda: max(1, min(_AT_ONCE, self._runner.room // 2))):
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
        if self._begun.get(name) == slot_ns and self._runner.is_busy(name):
            return  # given to us again while its start is still being written down
        full = self._is_full(name)
        reason = "busy" if full else self._runner.send_now(name, GivenRun(slot_ns, run.take))
        if reason == "budget" and self._share > 1:
            self._count("returned")
            await run.give_back(_OTHERS_SECONDS)
            return
        if reason is None:
            self._begun[name] = slot_ns
        self._count("taken" if reason is None else "refused")
        if reason is not None:
            await run.take()
            self._runner.miss(name, reason)
