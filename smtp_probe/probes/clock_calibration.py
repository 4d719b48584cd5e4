"""Reading the clocks of mailbox servers now and then, where the configuration asks for it.

In: for each mailbox a `ports.ClockSource`, a folder and how often. Out: every reading, to whoever learns from it. A server
that cannot be asked is asked again at the next turn, and said so once. No probe waits for any of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from smtp_probe.errors import MailboxError
from smtp_probe.model import ClockSighting
from smtp_probe.ports import Clock, ClockSource

_log = logging.getLogger(__name__)
_FIRST_SECONDS = 5.0
"""After a start the probes and the watchers come first."""


@dataclass(frozen=True, slots=True)
class CalibrationPlan:
    """One mailbox. Two plans with the same `fingerprint` are the same."""

    fingerprint: str
    source: ClockSource
    folder: str
    every_seconds: float


class Calibrations:
    """All mailboxes whose clocks are read."""

    def __init__(self, clock: Clock, tell: Callable[[str, ClockSighting], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._running: dict[str, tuple[str, asyncio.Task[None]]] = {}

    def configure(self, plans: Mapping[str, CalibrationPlan]) -> None:
        """Take over a configuration: what did not change goes on."""
        for name, (fingerprint, task) in list(self._running.items()):
            if name not in plans or plans[name].fingerprint != fingerprint:
                task.cancel()
                del self._running[name]
        for name, plan in plans.items():
            if name not in self._running:
                task = asyncio.create_task(self._run(name, plan), name=f"clock of {name}")
                self._running[name] = plan.fingerprint, task

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = [task for _, task in self._running.values()]
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, name: str, plan: CalibrationPlan) -> None:
        complaint = ""
        await self._clock.sleep(_FIRST_SECONDS)
        while True:
            said = await self._read(name, plan)
            if said and said != complaint:
                _log.warning("the clock of a mailbox cannot be read: %s", said, extra={"mailbox": name})
            complaint = said
            await self._clock.sleep(plan.every_seconds)

    async def _read(self, name: str, plan: CalibrationPlan) -> str:
        """Read the clock once. Gives what was wrong; empty where nothing was."""
        try:
            sighting = await plan.source.sight_clock(plan.folder)
        except MailboxError as error:
            return str(error)
        except Exception:  # noqa: BLE001 - a bug met at one server must not be an unheard one, nor end the others
            _log.exception("the clock of a mailbox was not read by our own fault", extra={"mailbox": name})
            return ""
        if sighting is None:
            return "the server dates no message"
        self._tell(name, sighting)
        return ""
