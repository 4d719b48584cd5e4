"""The controller: brings the schedules in the engine to what the configuration says. The engine itself keeps them.

In: the configuration. Out: one schedule message for every route and vantage; none for routes that are gone. It may be dead
for as long as the configuration does not change; two of them at once write the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

from smtp_probe.app.engine.schedules import RouteSchedule, schedule_route
from smtp_probe.config.settings import Config
from smtp_probe.errors import EngineError
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.reading import Follower, Start
from smtp_probe.network.jetstream.streams import prepare
from smtp_probe.schedule import GOLDEN

_log = logging.getLogger(__name__)
_AGAIN_SECONDS = 2.0
_REVIEW_SECONDS = 60.0
_AT_ONCE = 50
"""So many orders are on their way to the engine at once."""
_TEXT, _TARGET, _TTL = "Nats-Schedule", "Nats-Schedule-Target", "Nats-Schedule-TTL"


async def _in_turns(orders: Sequence[Coroutine[object, object, None]]) -> None:
    """Carry orders out, some at a time. Raises EngineError when all of them have been tried."""
    failures: list[BaseException] = []
    for start in range(0, len(orders), _AT_ONCE):
        results = await asyncio.gather(*orders[start : start + _AT_ONCE], return_exceptions=True)
        failures += [result for result in results if result is not None]
    if failures:
        raise failures[0]


@dataclass(frozen=True, slots=True)
class _Wanted:
    schedule: RouteSchedule
    target: str

    @property
    def headers(self) -> dict[str, str]:
        return {_TEXT: self.schedule.text, _TARGET: self.target, _TTL: f"{self.schedule.useful_seconds}s"}


class Controller:
    """Keeps the schedules. `settled` is told how many stand in the engine, when they are as they should be."""

    def __init__(self, stream: JetStream, settled: Callable[[int], None] = lambda _: None) -> None:
        self._stream = stream
        self._settled = settled
        self._config: Config | None = None
        self._orders: Mapping[str, _Wanted] | None = None
        """What is wanted by this configuration; made once, since every late schedule asks for it."""
        self._changed = asyncio.Event()
        self._late: dict[str, asyncio.Task[None]] = {}

    def configure(self, config: Config) -> None:
        """Take over a configuration."""
        self._config = config
        self._orders = None
        self._changed.set()

    async def run(self) -> None:
        """Bring the schedules in order, whenever the configuration changes and every minute, until cancelled."""
        while True:
            self._changed.clear()
            wait = _REVIEW_SECONDS
            try:
                await prepare(self._stream)
                await self._reconcile()
            except EngineError as error:
                _log.warning("the schedules could not be brought in order: %s", error)
                wait = _AGAIN_SECONDS
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _reconcile(self) -> None:
        wanted = self._wanted()
        there = await self._read()
        gone = [subject for subject in there if subject not in wanted]
        changed = [
            subject
            for subject, found in there.items()
            if subject in wanted
            and any(found.get(name) != value for name, value in wanted[subject].headers.items())
        ]
        new = [subject for subject in wanted if subject not in there and subject not in self._late]
        await _in_turns([self._stream.remove(self._stream.names.runs, subject) for subject in gone])
        await _in_turns([self._write(subject, wanted[subject]) for subject in changed])
        await _in_turns([self._write_new(index, each, wanted[each]) for index, each in enumerate(new)])
        if new or changed or gone:
            counts = {"new": len(new), "changed": len(changed), "removed": len(gone)}
            _log.info("the schedules are in order", extra=counts)
        self._settled(len(wanted))

    def _wanted(self) -> Mapping[str, _Wanted]:
        if self._config is None:
            return {}
        if self._orders is None:
            self._orders = self._make_orders(self._config)
        return self._orders

    def _make_orders(self, config: Config) -> Mapping[str, _Wanted]:
        names, routes = self._stream.names, config.routes
        return {
            names.schedule(vantage, name): _Wanted(
                schedule_route(index, route.interval), names.run(vantage, name)
            )
            for vantage in self._stream.settings.vantages
            for index, (name, route) in enumerate(routes.items())
        }

    async def _read(self) -> Mapping[str, Mapping[str, str]]:
        """All schedules as they stand. Raises EngineError where they cannot be read as a whole."""
        subjects = [f"{self._stream.names.namespace}.schedule.>"]
        follower = Follower(self._stream, self._stream.names.runs, subjects, Start(is_last_per_subject=True))
        found: dict[str, Mapping[str, str]] = {}
        messages = follower.messages()
        try:
            async for message in messages:
                if message is not None:
                    found[message.subject] = message.headers
                elif not follower.is_connected:
                    raise EngineError("the schedules cannot be read")
                if follower.pending == 0:
                    return found
        finally:
            await messages.aclose()  # type: ignore[attr-defined]
        return found

    async def _write(self, subject: str, wanted: _Wanted) -> None:
        await self._stream.append(subject, b"", headers=wanted.headers)

    async def _write_new(self, index: int, subject: str, wanted: _Wanted) -> None:
        """Write a schedule that is not there; those that count from now on are spread over their interval."""
        if wanted.schedule.is_anchored or index == 0:
            await self._write(subject, wanted)
            return
        delay = (index * GOLDEN % 1.0) * wanted.schedule.interval_seconds
        task = asyncio.create_task(self._write_later(delay, subject), name="schedule")
        self._late[subject] = task
        task.add_done_callback(lambda _: self._late.pop(subject, None))

    async def _write_later(self, delay: float, subject: str) -> None:
        await asyncio.sleep(delay)
        wanted = self._wanted().get(subject)
        if wanted is None:
            return
        try:
            await self._write(subject, wanted)
        except EngineError as error:
            _log.warning("a schedule waits for the next review: %s", error)
