"""One probe now: for the command line. Sends on one route, waits for its end, leaves no journal behind.

In: a configuration and the name of a route. Out: an `Outcome`, or an `Overdue` answer when the deadline passed in full
view, or the reason why nothing could be observed; nothing is sent before the mailbox is in view.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from smtp_probe.app.program import Program
from smtp_probe.config.settings import Config
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import Event, Outcome, Probe, ProbeOverdue, Submission
from smtp_probe.probes.ledger import Flight
from smtp_probe.probes.round_trip import RouteUnderTest
from smtp_probe.report.journal import IN_MEMORY

_VIEW_SECONDS = 45.0
_PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleResult:
    """How one probe went, as far as it was waited for."""

    route: str
    probe: Probe | None = None
    submission: Submission | None = None
    outcome: Outcome | None = None
    is_overdue: bool = False
    unobserved: str = ""
    """Why nothing could be observed, for people; empty when it could."""


class SingleProbe:
    """Sends one probe on one route of a configuration. `on_step` is told what is being waited for."""

    def __init__(
        self,
        config: Config,
        keys: Sequence[TagKey],
        route: str,
        on_step: Callable[[str], None] = lambda _: None,
        on_event: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self._route = route
        self._on_step = on_step
        only = config.model_copy(update={"routes": {route: config.routes[route]}})
        self._program = Program(only, keys, IN_MEMORY, [self._note, on_event])
        self._overdue = asyncio.Event()

    async def run(self) -> SingleResult:
        """Watch, send, wait for the end; then log out. Deadlines: the route's, and our own patience for the view."""
        program = self._program
        try:
            await program.open()
            program.start()
            self._on_step("mailbox")
            reason = await self._wait_for_view()
            if reason:
                return SingleResult(route=self._route, unobserved=reason)
            return await self._send(program.targets[0])
        finally:
            await program.close()

    def _note(self, event: Event) -> None:
        if isinstance(event, ProbeOverdue):
            self._overdue.set()

    async def _wait_for_view(self) -> str:
        """Give the reason why the mailbox cannot be watched, or nothing when it is watched."""
        watchers = self._program.watchers.states()
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + _VIEW_SECONDS
        while not all(watcher.is_up for watcher in watchers.values()):
            for name, watcher in watchers.items():
                if watcher.last_error is not None:
                    return f"mailbox {name}: {watcher.last_error}"
            if loop.time() > give_up_at:
                return f"the mailbox could not be opened within {_VIEW_SECONDS:g} s"
            await asyncio.sleep(_LOOK_SECONDS)
        return ""

    async def _send(self, target: RouteUnderTest) -> SingleResult:
        flight = await self._program.round_trips.send(target, self._program.clock.now_ns(), self._on_step)
        self._on_step("arrival")
        patience = target.route.deadline + _PATIENCE_SECONDS
        ends = [asyncio.create_task(flight.ended.wait()), asyncio.create_task(self._overdue.wait())]
        await asyncio.wait(ends, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        if flight.outcome is not None and flight.arrival is not None:
            self._on_step("removal")
            await self._wait_for_removal()
        return self._result(flight)

    async def _wait_for_removal(self) -> None:
        """Give the watcher a moment to delete the message that was just judged."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS / 10):
                while any(  # noqa: ASYNC110 - a moment, at the end of one command
                    watcher.has_discards for watcher in self._program.watchers.states().values()
                ):
                    await asyncio.sleep(_LOOK_SECONDS)

    def _result(self, flight: Flight) -> SingleResult:
        outcome = flight.outcome
        silent = outcome is None and not self._overdue.is_set()
        return SingleResult(
            route=self._route,
            probe=flight.probe,
            submission=flight.submission,
            outcome=outcome,
            is_overdue=self._overdue.is_set(),
            unobserved="the mailbox went out of view before the deadline" if silent else "",
        )
