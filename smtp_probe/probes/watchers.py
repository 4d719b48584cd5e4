"""The watchers of all mailboxes: started, replaced and ended as the configuration says.

In: for each mailbox how to reach it. Out: running watchers, and what the ledger may ask of each. A watcher whose
settings did not change is left alone, so that a reload costs no connection; one that is no longer configured, or whose
name stands for another account now, stays as long as an open probe waits for its mailbox.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from smtp_probe.ports import Clock, MailboxConnector, MailboxSession
from smtp_probe.probes.folder_watch import WatchEvents, WatchSettings
from smtp_probe.probes.views import MailboxView, Watched
from smtp_probe.probes.watcher import MailboxWatcher

_log = logging.getLogger(__name__)
_RESTART_SECONDS = 5.0
_RETIRE_SECONDS = 5.0
"""How often to ask whether a watcher that is no longer configured is still needed."""
_LOGOUT_SECONDS = 4.0
_OPENED_AT_ONCE = 32
"""Thousands of logins at once would all be too late, at the server or with us, and be tried again together."""


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """How one mailbox is to be watched. Two plans with the same `fingerprint` are the same, and two with the same
    `account` look into the same mailbox.
    """

    fingerprint: str
    account: str
    connector: MailboxConnector
    settings: WatchSettings
    endpoint: str = ""
    """The server: so many of its mailboxes are opened at once, and no more."""


class _Turnstile:
    """A connector that waits for its turn at the server."""

    def __init__(self, connector: MailboxConnector, turns: asyncio.Semaphore) -> None:
        self.name = connector.name
        self._connector = connector
        self._turns = turns

    async def open(self) -> MailboxSession:
        """Connect and log in (`ports.MailboxConnector`). The time limits begin with the turn."""
        async with self._turns:
            return await self._connector.open()


@dataclass(slots=True)
class _Running:
    plan: WatchPlan
    watcher: MailboxWatcher
    task: asyncio.Task[None]
    view: MailboxView


class Watchers:
    """All mailbox watchers of this program."""

    def __init__(
        self,
        clock: Clock,
        events_for: Callable[[str], WatchEvents],
        still_needed: Callable[[], Collection[Watched]],
    ) -> None:
        self._clock = clock
        self._events_for = events_for
        self._still_needed = still_needed
        self._running: dict[str, _Running] = {}
        self._former: dict[Watched, _Running] = {}
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._retiring: asyncio.Task[None] | None = None

    def configure(self, plans: Mapping[str, WatchPlan]) -> None:
        """Start what is new, replace what changed, end what is neither planned nor still needed."""
        for name, running in list(self._running.items()):
            plan = plans.get(name)
            if plan is None or plan.account != running.plan.account:
                self._former[name, running.plan.account] = self._running.pop(name)
            elif plan.fingerprint != running.plan.fingerprint:
                self._running.pop(name).task.cancel()
        for name, plan in plans.items():
            back = self._former.pop((name, plan.account), None)
            if back is not None and back.plan.fingerprint == plan.fingerprint:
                self._running[name] = back
                back.watcher.sweep()  # what it met meanwhile was not ours to judge, perhaps
            elif back is not None:
                back.task.cancel()
            if name not in self._running:
                self._running[name] = self._start(name, plan)
        self._end_unneeded()
        if self._former and (self._retiring is None or self._retiring.done()):
            self._retiring = asyncio.create_task(self._retire(), name="former mailboxes")

    def views(self) -> dict[str, MailboxView]:
        """Give what the ledger needs of each mailbox."""
        return {name: running.view for name, running in self._running.items()}

    def former_views(self) -> dict[Watched, MailboxView]:
        """Give the same of the mailboxes that are watched only until no probe waits for them."""
        return {watched: running.view for watched, running in self._former.items()}

    def states(self) -> dict[str, MailboxWatcher]:
        """Give each watcher, to be asked whether it is up."""
        return {name: running.watcher for name, running in self._running.items()}

    def state(self, name: str) -> MailboxWatcher | None:
        """Give one watcher; None where nobody watches that mailbox."""
        running = self._running.get(name)
        return None if running is None else running.watcher

    async def close(self) -> None:
        """End all watchers and log their connections out, within a few seconds."""
        tasks = [running.task for running in (*self._running.values(), *self._former.values())]
        if self._retiring is not None:
            tasks.append(self._retiring)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_LOGOUT_SECONDS)
        self._running, self._former = {}, {}

    def _start(self, name: str, plan: WatchPlan) -> _Running:
        turns = self._turns.setdefault(plan.endpoint, asyncio.Semaphore(_OPENED_AT_ONCE))
        connector = _Turnstile(plan.connector, turns)
        watcher = MailboxWatcher(connector, self._clock, plan.settings, self._events_for(name))
        task = asyncio.create_task(self._supervise(watcher), name=f"mailbox {name}")
        return _Running(plan, watcher, task, _view(watcher, plan.account))

    async def _retire(self) -> None:
        while self._former:
            await self._clock.sleep(_RETIRE_SECONDS)
            self._end_unneeded()

    def _end_unneeded(self) -> None:
        needed = self._still_needed()
        for watched in [each for each in self._former if each not in needed]:
            if not self._former[watched].watcher.has_discards:
                self._former.pop(watched).task.cancel()

    async def _supervise(self, watcher: MailboxWatcher) -> None:
        while True:
            try:
                await watcher.run()
            except Exception:  # noqa: BLE001 - a bug met in one mailbox must not end the watching of the others
                _log.exception(
                    "the watching of a mailbox failed by our own fault", extra={"mailbox": watcher.name}
                )
            await self._clock.sleep(_RESTART_SECONDS)


def _view(watcher: MailboxWatcher, account: str) -> MailboxView:
    return MailboxView(
        covered_ns=lambda: watcher.covered_ns,
        nudge=watcher.nudge,
        discard=watcher.discard,
        account=account,
        stir=watcher.stir,
        is_looking=lambda: watcher.is_looking,
        shortage=lambda: watcher.shortage,
    )
