"""The parts of a program that one role needs: what a worker, a watcher and an exporter do otherwise than the single daemon.

In: a configuration and the signing keys, as for `app.program`. Out: the same whole, of which a worker only sends, a watcher
only watches and judges, and an exporter only counts and shows.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from smtp_probe.app.drills import view_drills
from smtp_probe.app.program import Program
from smtp_probe.app.route_facts import RouteFacts, facts_by_mailbox, put_together
from smtp_probe.config.drills import Drills
from smtp_probe.config.settings import Config, Mailbox
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import (
    DomainReport,
    DrillReport,
    MailboxMessage,
    Probe,
    QueueFailure,
    QueueLook,
    RetryLook,
)
from smtp_probe.ports import FetchText, Journal, Sink
from smtp_probe.probes.folder_watch import WatchEvents, WatchSettings
from smtp_probe.probes.handing_over import HandingOver
from smtp_probe.probes.ledger import Flight, Ledger
from smtp_probe.probes.shared_ledger import SharedLedger
from smtp_probe.probes.views import MailboxView
from smtp_probe.report.check_records import CheckRecord
from smtp_probe.report.engine_journal import EngineJournal
from smtp_probe.report.journal import IN_MEMORY
from smtp_probe.report.known_series import mailboxes_in_use
from smtp_probe.report.telemetry import Telemetry

_NS = 1_000_000_000
_MILLISECONDS = 1000
_AT_ONCE = 16
"""So many messages of one folder are looked at at once: each waits for a majority of the engine's servers."""
_NO_CHECKER = "no checker is alive"


def strip_config(config: Config) -> Config:
    """The configuration without what belongs to one machine or is asked once: domains, queues, drills."""
    return config.model_copy(update={"domains": {}, "queues": {}, "drills": Drills()})


def narrow_config(config: Config, mailboxes: frozenset[str]) -> Config:
    """The configuration of whoever watches these mailboxes: their routes, and none else."""
    routes = {name: route for name, route in config.routes.items() if route.mailbox in mailboxes}
    return strip_config(config).model_copy(update={"routes": routes})


def keep_examples(config: Config) -> Config:
    """The configuration with one route of all that have the same sender and mailboxes: enough to know what is in use."""
    routes = {(each.sender, each.mailbox, each.bounce_mailbox): name for name, each in config.routes.items()}
    return config.model_copy(update={"routes": {name: config.routes[name] for name in routes.values()}})


def identify_by_slot(vantage: str) -> Callable[[str, int], tuple[int, int]]:
    """Make the numbers of a tag from route, slot and vantage alone: whoever is given a run finds the same ones."""
    offset_ms = zlib.crc32(vantage.encode()) % _MILLISECONDS

    def identify(_route: str, scheduled_ns: int) -> tuple[int, int]:
        second = scheduled_ns // _NS
        return second, second * _MILLISECONDS + offset_ms

    return identify


class QuietProgram(Program):
    """A program that writes to the engine, and whose page shows nothing of routes: they are shown by the exporters."""

    def __init__(
        self,
        config: Config,
        keys: Sequence[TagKey],
        journal: EngineJournal,
        sinks: Sequence[Sink],
        telemetry: Telemetry,
    ) -> None:
        self._engine_journal = journal
        self.shows_itself = True
        """Whether the page is ours; otherwise another program of this process shows what there is to show."""
        super().__init__(config, keys, IN_MEMORY, sinks, telemetry=telemetry)

    @property
    def _events(self) -> Journal:
        return self._engine_journal

    def _declare(self, config: Config) -> None:
        if self.shows_itself:
            self.telemetry.declare(config)
            for label in ("route", "sender"):
                self.telemetry.series.show_only(label, ())

    def refresh(self) -> None:
        """Bring up to date what is asked and not told."""
        self.telemetry.observations.clock_step(self.clock.wall_step_seconds())


class WorkerProgram(QuietProgram):
    """What a worker needs: it never opens a mailbox."""

    def __init__(
        self,
        config: Config,
        keys: Sequence[TagKey],
        journal: EngineJournal,
        sinks: Sequence[Sink],
        telemetry: Telemetry,
    ) -> None:
        super().__init__(strip_config(config), keys, journal, sinks, telemetry)
        self.round_trips.verdicts = None  # what arrives is compared where it arrives
        self.round_trips.identify = identify_by_slot(config.engine.vantage if config.engine else "")

    def configure(self, config: Config) -> None:
        """Take over a configuration."""
        super().configure(strip_config(config))

    def _declare(self, config: Config) -> None:
        super()._declare(config.model_copy(update={"routes": {}}))

    def _make_ledger(self, sinks: Sequence[Sink]) -> Ledger:
        told = [self._submitted, *sinks]
        forget = self._engine_journal.forget
        return HandingOver(self._events, self.clock, told, self._came_through, forget)

    async def _came_through(self, probe: Probe) -> bool:
        return await self._engine_journal.came_through(probe)

    def _watch_mailboxes(self) -> None:
        """Know which accounts the names stand for, and open none of them."""
        self.ledger.views.current = {
            name: MailboxView(
                covered_ns=lambda: None,
                nudge=lambda: None,
                discard=lambda _: None,
                account=self._plan(name, mailbox).account,
            )
            for name, mailbox in self.config.mailboxes.items()
        }


class WatcherProgram(QuietProgram):
    """What a watcher needs, for the mailboxes that are its own: they come and go at a small cost, however many routes there are."""

    ledger: SharedLedger

    def __init__(
        self,
        config: Config,
        keys: Sequence[TagKey],
        journal: EngineJournal,
        sinks: Sequence[Sink],
        telemetry: Telemetry,
    ) -> None:
        self._ours: frozenset[str] = frozenset()
        self._in_use: frozenset[str] = frozenset()
        self._facts: dict[str, RouteFacts] = {}
        self._examples = config
        self.mailbox_changed: Callable[[str], None] = lambda _: None
        """Told of each that has come into view, or gone out of it."""
        self.is_told: Callable[[str], Awaitable[None]] = _at_once
        """Waits until what others have written of the probes of a mailbox has been read, or for a while."""
        super().__init__(strip_config(config), keys, journal, sinks, telemetry)

    def configure(self, config: Config) -> None:
        """Take over a configuration. What is watched of it stays the same until `watch`."""
        self._in_use = frozenset(mailboxes_in_use(config))
        super().configure(strip_config(config))

    def watch(self, mailboxes: frozenset[str]) -> None:
        """Watch these mailboxes and no others."""
        added, self._ours = mailboxes - self._ours, mailboxes
        self._take_facts(put_together(self._facts, mailboxes))
        if self.shows_itself:
            self.telemetry.watch(narrow_config(self._examples, mailboxes))
        self._watch_mailboxes()
        for name in added:
            self._mailbox_changed(name)  # one that was kept for its probes may be in view already

    def _declare(self, config: Config) -> None:
        self._examples = keep_examples(config)
        super()._declare(narrow_config(self._examples, self._ours))

    def _know_routes(self, config: Config) -> None:
        self._facts = facts_by_mailbox(config)
        self._take_facts(put_together(self._facts, self._ours))

    def _watch_events(self, name: str) -> WatchEvents:
        return replace(super()._watch_events(name), dispatch=self._look_at)

    def _mailbox_changed(self, name: str) -> None:
        super()._mailbox_changed(name)
        self.mailbox_changed(name)

    async def _look_at(self, message: MailboxMessage, fetch_text: FetchText) -> None:
        """Look at a message when it is known whose it is: to ask for each probe would cost more than to read of all."""
        await self.is_told(message.location.mailbox)
        await self.arrivals.look_at(message, fetch_text)

    def _watch_settings(self, settings: Mailbox) -> WatchSettings:
        return replace(super()._watch_settings(settings), at_once=_AT_ONCE)

    def _wanted_mailboxes(self) -> Collection[str]:
        return self._ours & self._in_use

    def _make_ledger(self, sinks: Sequence[Sink]) -> Ledger:
        return SharedLedger(self._events, self.clock, [self._submitted, *sinks], self.path_reader)


async def _at_once(_: str) -> None:
    """Wait for nothing."""


class CountedLedger(SharedLedger):
    """The open probes, to be counted only."""

    def _check_at(self, flight: Flight, instant_ns: int) -> None:
        """Judge nothing."""


class ExporterProgram(Program):
    """What an exporter needs: a journal of its own, in which it counts what the engine's stream says."""

    ledger: SharedLedger

    def __init__(
        self,
        config: Config,
        keys: Sequence[TagKey],
        journal_path: Path,
        sinks: Sequence[Sink],
        telemetry: Telemetry,
    ) -> None:
        super().__init__(config, keys, journal_path, sinks, telemetry=telemetry)

    def _make_ledger(self, sinks: Sequence[Sink]) -> Ledger:
        return CountedLedger(self._events, self.clock, [self.telemetry.observe, *sinks])

    async def _warm(self) -> None:
        """Render nothing yet: of what stands now, much changes until the events are counted."""

    def show_check(self, record: CheckRecord) -> None:
        """Show what the checker has seen."""
        report, telemetry = record.report, self.telemetry
        match report:
            case DomainReport():
                if record.subject in self.config.domains:
                    telemetry.domains.show(report, record.at_ns)
                    self._show_domains()
            case QueueLook() | RetryLook():
                self.queues.looked(report)
            case DrillReport():
                if report.drill in self.config.drills.by_name:
                    telemetry.drills.recall(report)
                    views = view_drills(self.config, telemetry.drills.latest)
                    self.checks = replace(self.checks, drills=views)

    def nobody_checks(self) -> None:
        """Take away what was seen of queues: it is true no more, and nobody looks."""
        for name in self.config.queues:
            self.queues.looked(
                QueueLook(
                    queue=name,
                    at_ns=self.clock.now_ns(),
                    duration_seconds=0.0,
                    failure=QueueFailure.FAILED,
                    detail=_NO_CHECKER,
                )
            )

    def start(self) -> None:
        """Show what there is. Watches nothing and judges nothing."""
        self.configure(self.config)

    def _watch_mailboxes(self) -> None:
        """Leave the mailboxes to the watchers."""
