"""The watchers of all mailboxes: started, replaced and ended as the configuration says.

In: for each mailbox how to reach it. Out: running watchers, and what the ledger may ask of each. A watcher whose
settings did not change is left alone, so that a reload costs no connection; one that is no longer configured stays
as long as an open probe waits for its mailbox.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from smtp_probe.ports import Clock, MailboxConnector
from smtp_probe.probes.folder_watch import WatchEvents, WatchSettings
from smtp_probe.probes.ledger import MailboxView
from smtp_probe.probes.watcher import MailboxWatcher

_log = logging.getLogger(__name__)
_RESTART_SECONDS = 5.0
_LOGOUT_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """How one mailbox is to be watched. Two plans with the same `fingerprint` are the same."""

    fingerprint: str
    connector: MailboxConnector
    settings: WatchSettings


@dataclass(slots=True)
class _Running:
    plan: WatchPlan
    watcher: MailboxWatcher
    task: asyncio.Task[None]


class Watchers:
    """All mailbox watchers of this program."""

    def __init__(self, clock: Clock, events_for: Callable[[str], WatchEvents]) -> None:
        self._clock = clock
        self._events_for = events_for
        self._running: dict[str, _Running] = {}

    def configure(self, plans: Mapping[str, WatchPlan], still_needed: Collection[str]) -> None:
        """Start what is new, replace what changed, end what is neither planned nor still needed."""
        for name in [name for name in self._running if name not in plans and name not in still_needed]:
            self._running.pop(name).task.cancel()
        for name, plan in plans.items():
            running = self._running.get(name)
            if running is not None and running.plan.fingerprint == plan.fingerprint:
                continue
            if running is not None:
                running.task.cancel()
            watcher = MailboxWatcher(plan.connector, self._clock, plan.settings, self._events_for(name))
            task = asyncio.create_task(self._supervise(watcher), name=f"mailbox {name}")
            self._running[name] = _Running(plan, watcher, task)

    def views(self) -> dict[str, MailboxView]:
        """Give what the ledger needs of each mailbox."""
        return {name: _view(running.watcher) for name, running in self._running.items()}

    def states(self) -> dict[str, MailboxWatcher]:
        """Give each watcher, to be asked whether it is up."""
        return {name: running.watcher for name, running in self._running.items()}

    async def close(self) -> None:
        """End all watchers and log their connections out, within a few seconds."""
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_LOGOUT_SECONDS)
        self._running = {}

    async def _supervise(self, watcher: MailboxWatcher) -> None:
        while True:
            try:
                await watcher.run()
            except Exception:  # noqa: BLE001 - a bug met in one mailbox must not end the watching of the others
                _log.exception(
                    "the watching of a mailbox failed by our own fault", extra={"mailbox": watcher.name}
                )
            await self._clock.sleep(_RESTART_SECONDS)


def _view(watcher: MailboxWatcher) -> MailboxView:
    return MailboxView(covered_ns=lambda: watcher.covered_ns, nudge=watcher.nudge, discard=watcher.discard)
