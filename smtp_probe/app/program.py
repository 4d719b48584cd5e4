"""Everything that one configuration needs to send, watch and judge, built once and taken down in order.

In: a loaded configuration and the signing keys. Out: a running whole: watchers, ledger, journal and the totals behind
`/metrics`. Whether anything is sent is decided by who uses it: the daemon's scheduler, or one probe of the command line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from smtp_probe.app.connectors import Connector, connect
from smtp_probe.app.credentials import Credentials
from smtp_probe.app.domains import WatchedDomains, view_domains
from smtp_probe.app.paths import configure_clocks
from smtp_probe.app.queues import WatchedQueues
from smtp_probe.app.route_facts import RouteFacts, facts_by_mailbox, put_together
from smtp_probe.config.settings import Config, Mailbox, ResolverSettings, Sender
from smtp_probe.errors import JournalError
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import (
    Cause,
    DnsAnswer,
    DomainReport,
    Event,
    ProbeSubmitted,
    QueueLook,
    RetryLook,
    SubmissionDeferred,
)
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.mailbox import ImapConnector
from smtp_probe.network.resolver import DnsResolver
from smtp_probe.network.submission import SmtpSubmitter
from smtp_probe.ports import Journal, Sink
from smtp_probe.probes.arrivals import Arrivals
from smtp_probe.probes.clock_calibration import CalibrationPlan, Calibrations
from smtp_probe.probes.folder_watch import WatchEvents, WatchSettings
from smtp_probe.probes.ledger import Ledger
from smtp_probe.probes.path_reading import PathReader
from smtp_probe.probes.record_watch import RecordWatch
from smtp_probe.probes.round_trip import RoundTrips, RouteUnderTest
from smtp_probe.probes.verdict_watch import VerdictWatch
from smtp_probe.probes.watchers import Watchers, WatchPlan
from smtp_probe.report.archive import Archive, ArchiveError
from smtp_probe.report.journal import SqliteJournal
from smtp_probe.report.known_series import endpoint_name, mailboxes_in_use
from smtp_probe.report.log import LogHandler
from smtp_probe.report.telemetry import Telemetry
from smtp_probe.report.web.checked import Checks

_log = logging.getLogger(__name__)
_RECALLED_OUTCOMES = 5_000
_RECALL_PAUSES = 2.0


class Program:
    """The parts, wired. `open` before anything is sent; `close` at the end, always."""

    def __init__(  # noqa: PLR0913 - what the command line and the engine's roles do not share
        self,
        config: Config,
        keys: Sequence[TagKey],
        journal_path: Path,
        sinks: Sequence[Sink] = (),
        *,
        log: LogHandler | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self.config = config
        self.clock = ReferenceClock()
        self.telemetry = telemetry or Telemetry(self.clock.now_ns, log)
        self.telemetry.before_page = self.refresh
        observations = self.telemetry.observations
        self.journal = SqliteJournal(
            journal_path, self.clock, self.telemetry.totals, observations.journal_state
        )
        self.archive = Archive(journal_path)
        self.checks = Checks()
        self.path_reader = PathReader()
        self.ledger = self._make_ledger(sinks)
        self.arrivals = Arrivals(self.ledger, self._events, self.clock, keys)
        self.sequences: dict[str, int] = {}
        self.round_trips = RoundTrips(self.ledger, self.clock, keys, self.sequences)
        self.watchers = Watchers(self.clock, self._watch_events, self.ledger.mailboxes_in_use)
        self.calibrations = Calibrations(self.clock, self.path_reader.sight)
        self.queues = WatchedQueues(self.clock, self.ledger.open_probes, self._queue_looked_into)
        self.verdicts = VerdictWatch(self._ask, self.clock, self.ledger.record)
        self.arrivals.verdicts = self.round_trips.verdicts = self.verdicts
        self.targets: list[RouteUnderTest] = []
        self._resolver = self._new_resolver(config)
        self.records = RecordWatch(self._events, self.clock)
        self.domains = WatchedDomains(self.clock, self.records, self._domain_looked_at)
        self.verdicts.on_change = self.domains.watch.check_soon
        self.verdicts.on_seen = self.domains.watch.note
        self.credentials = Credentials(self.clock, self.telemetry.credentials.show)
        self._submitters: dict[str, tuple[Sender, SmtpSubmitter]] = {}
        self._connectors: dict[str, tuple[str, Connector]] = {}
        self._plans: dict[str, tuple[Mailbox, ResolverSettings, WatchPlan]] = {}
        self._judging: asyncio.Task[None] | None = None
        self._shown_in_flight: frozenset[str] = frozenset()
        self._bounce_mailboxes: frozenset[str | None] = frozenset()

    async def open(self) -> None:
        """Open the journal and take up what an earlier run left open. Raises JournalError."""
        await self.journal.open()
        self.sequences.update(await self.journal.last_sequences())
        left_open = await self.journal.open_probes()
        await self.telemetry.recall(self.journal.last_outcomes(_RECALLED_OUTCOMES), left_open)
        self.telemetry.verdicts.recall(await self.journal.last_verdicts(_RECALLED_OUTCOMES))
        memos = await self.journal.memos()
        self.path_reader.restore(memos)
        self.records.restore(memos)
        self.ledger.restore(left_open)
        await self._warm()

    async def _warm(self) -> None:
        """Have the first page as quick as every other one."""
        await self.telemetry.warm()

    @property
    def _events(self) -> Journal:
        """Where events are written, and what is known of them."""
        return self.journal

    def _make_ledger(self, sinks: Sequence[Sink]) -> Ledger:
        told = [self.telemetry.observe, self._submitted, *sinks]
        return Ledger(self._events, self.clock, told, self.path_reader)

    def start(self) -> None:
        """Watch the mailboxes and judge what is open. Sends nothing."""
        self.configure(self.config)
        self._judging = asyncio.create_task(self.ledger.run(), name="ledger")

    def configure(self, config: Config) -> None:
        """Take over a configuration. Probes in flight go on; unchanged connections are kept."""
        if config.resolver != self.config.resolver:
            self._resolver = self._new_resolver(config)
            self._submitters.clear()
        self.config = config
        self._declare(config)
        self.credentials.configure(config, self._resolver)
        submitters = {
            name: self.submitter(name) for name in {route.sender for route in config.routes.values()}
        }
        self.targets = [
            RouteUnderTest(name, route, config.senders[route.sender], submitters[route.sender])
            for name, route in config.routes.items()
        ]
        self._bounce_mailboxes = frozenset(route.bounce_mailbox for route in config.routes.values())
        configure_clocks(self.path_reader, config)
        self._know_routes(config)
        self._watch_mailboxes()
        self.domains.configure(config, self._resolver)
        self._show_domains()
        self.queues.configure(config)
        self.checks = replace(self.checks, queue=self.queues.view(), queued=self.queues.queued())

    def _declare(self, config: Config) -> None:
        self.telemetry.declare(config)

    def _know_routes(self, config: Config) -> None:
        """Know what arrives on which route."""
        facts = facts_by_mailbox(config)
        self._take_facts(put_together(facts, facts))

    def _take_facts(self, facts: RouteFacts) -> None:
        self.arrivals.routes = facts.identities
        self.path_reader.routes = facts.paths
        self.verdicts.terms = facts.verdicts

    async def close(self) -> None:
        """Log out, stop judging, close the journal. Takes a few seconds at most, and never raises."""
        if self._judging is not None:
            self._judging.cancel()
            with suppress(asyncio.CancelledError):
                await self._judging
        await self.queues.close()
        await self.calibrations.close()
        await self.watchers.close()
        await self.verdicts.close()
        await self.credentials.close()
        await self.archive.close()
        await self.journal.close()
        await self._resolver.close()

    async def recall_routes(self) -> None:
        """Have the pages know the past of each route. May take a minute with many routes; nothing waits for it.

        Two thirds of the time are left to everything else: to read outcomes holds Python's lock, in whichever thread.
        """
        loop = asyncio.get_running_loop()
        for name in tuple(self.config.routes):
            begun = loop.time()
            try:
                self.telemetry.history.recall_route(name, *await self.archive.beats(name))
            except ArchiveError as error:
                _log.warning("the pages begin without the past of the routes: %s", error)
                return
            await asyncio.sleep(_RECALL_PAUSES * (loop.time() - begun))

    async def _ask(self, name: str, kind: str) -> DnsAnswer:
        """Ask the resolver that is configured now. Fits `ports.Ask`."""
        return await self._resolver.ask(name, kind)

    def refresh(self) -> None:
        """Bring what is asked and not told up to date: to be called before a page is rendered."""
        observations, flying = self.telemetry.observations, self.ledger.routes_in_flight()
        for name in (
            flying | self._shown_in_flight
        ):  # of the others nothing has changed: there may be thousands
            if name in self.config.routes:
                observations.in_flight(name, self.ledger.in_flight(name), self.ledger.oldest_ns(name))
        self._shown_in_flight = flying
        observations.clock_step(self.clock.wall_step_seconds())

    async def forget_old(self) -> None:
        """Drop history that is older than the configuration wants kept."""
        now_ns, config = self.clock.now_ns(), self.config
        before_ns, failures_before_ns = (
            now_ns - round(days * 86_400e9)
            for days in (config.history_days, max(config.history_days, config.failure_history_days))
        )
        try:
            forgotten = await self.journal.forget(before_ns, failures_before_ns)
        except JournalError as error:
            _log.warning("old probes could not be dropped: %s", error)
            return
        if forgotten:
            _log.info("old probes dropped", extra={"count": forgotten})

    def _domain_looked_at(self, report: DomainReport) -> None:
        """Show what a look at a domain saw, in the metrics and on the pages."""
        self.telemetry.domains.show(report, self.clock.now_ns())
        self._show_domains()

    def _show_domains(self) -> None:
        views = view_domains(self.config, self.telemetry.domains.latest)
        self.checks = replace(self.checks, domains=views["domains"], exchangers=views["exchangers"])

    def _queue_looked_into(self, look: QueueLook | RetryLook) -> None:
        """Show what a look into a queue saw, or at its server's retries, in the metrics and on the pages."""
        self.telemetry.queues.show(look)
        self.checks = replace(self.checks, queue=self.queues.view(), queued=self.queues.queued())

    def _submitted(self, event: Event) -> None:
        """Look whether a login was refused. Fits `ports.Sink`."""
        if isinstance(event, ProbeSubmitted | SubmissionDeferred):
            failure, sender = event.submission.failure, self.config.senders.get(event.probe.sender)
            if failure is not None and failure.cause == Cause.AUTH_REFUSED and sender is not None:
                self.credentials.refused(sender.auth)

    # Adapters from their sections.

    def _new_resolver(self, config: Config) -> DnsResolver:
        return DnsResolver(config.resolver, on_answer=self.telemetry.domains.observe_answer)

    def submitter(self, name: str) -> SmtpSubmitter:
        """Who hands mail to the server of a sender, as it is configured now."""
        settings = self.config.senders[name]
        known = self._submitters.get(name)
        if known is not None and known[0] == settings:
            return known[1]
        secret = self.credentials.secret(settings.auth, f"senders.{name}.auth")
        submitter = SmtpSubmitter(name, settings, self._resolver, self.clock, secret)
        submitter.on_refused = partial(self.credentials.refused, settings.auth)
        self._submitters[name] = (settings, submitter)
        return submitter

    def _connector(self, name: str, fingerprint: str, settings: Mailbox) -> Connector:
        known = self._connectors.get(name)
        if known is not None and known[0] == fingerprint:
            return known[1]
        secret = self.credentials.secret(settings.auth, f"mailboxes.{name}.auth")
        connector = connect(name, settings, self._resolver, self.clock, secret)
        self._connectors[name] = fingerprint, connector
        return connector

    def _wanted_mailboxes(self) -> Collection[str]:
        """Which mailboxes are to be watched."""
        return mailboxes_in_use(self.config)

    def _watch_mailboxes(self) -> None:
        wanted = set(self._wanted_mailboxes())
        mailboxes = self.config.mailboxes.items()
        plans = {name: self._plan(name, each) for name, each in mailboxes if name in wanted}
        self.watchers.configure(plans)
        self.ledger.views.current = self.watchers.views()
        self.ledger.views.former = self.watchers.former_views()
        self.calibrations.configure(
            {
                name: CalibrationPlan(plan.fingerprint, connector, folder, each.clock_interval)
                for name, plan in plans.items()
                if (folder := (each := self.config.mailboxes[name]).clock_folder) is not None
                and isinstance(connector := self._connectors[name][1], ImapConnector)
            }
        )

    def _plan(self, name: str, settings: Mailbox) -> WatchPlan:
        """How to watch a mailbox; made once for a configuration, since there may be thousands."""
        resolver, known = self.config.resolver, self._plans.get(name)
        if known is not None and known[0] is settings and known[1] is resolver:
            return known[2]
        fingerprint = settings.model_dump_json() + resolver.model_dump_json()
        connector = self._connector(name, fingerprint, settings)
        endpoint = endpoint_name(settings.host, settings.effective_port)
        plan = WatchPlan(fingerprint, connector.account, connector, self._watch_settings(settings), endpoint)
        self._plans[name] = settings, resolver, plan
        return plan

    def _watch_settings(self, settings: Mailbox) -> WatchSettings:
        return _how_to_watch(settings)

    def _watch_events(self, name: str) -> WatchEvents:
        return WatchEvents(
            dispatch=self.arrivals.look_at,
            expected_since_ns=lambda: self.ledger.expected_since_ns(name),
            quiet_until_ns=lambda: self._quiet_until_ns(name),
            is_waited_for=lambda: self.ledger.is_waited_for(name),
            changed=lambda _: self._mailbox_changed(name),
            reconnected=lambda: self.telemetry.observations.mailbox_reconnected(name),
            quotas=partial(self.telemetry.observations.mailbox_quotas, name),
        )

    def _quiet_until_ns(self, mailbox: str) -> int | None:
        """Until when looking is in vain. A bounce has no time but that of our seeing it: it is never kept waiting."""
        return None if mailbox in self._bounce_mailboxes else self.ledger.quiet_until_ns(mailbox)

    def _mailbox_changed(self, name: str) -> None:
        """Tell how a mailbox is: the account that its name stands for now, whichever watcher has said something."""
        watcher, settings = self.watchers.state(name), self.config.mailboxes.get(name)
        if watcher is None or settings is None:
            return
        error, observations = watcher.last_error, self.telemetry.observations
        if error is not None and error.cause is Cause.AUTH_REFUSED:
            self.credentials.refused(settings.auth)
        observations.mailbox_state(name, watcher.is_up, "" if error is None else str(error))
        facts = self._connectors[name][1].tls_facts if name in self._connectors else None
        if facts is not None:
            observations.tls_facts(endpoint_name(settings.host, settings.effective_port), facts)


def _how_to_watch(settings: Mailbox) -> WatchSettings:
    return WatchSettings(
        poll_minimum=settings.poll_minimum,
        poll_fraction=settings.poll_fraction,
        poll_maximum=settings.poll_maximum,
        idle=settings.timeouts.idle,
        reconnect_minimum=settings.timeouts.reconnect_minimum,
        reconnect_maximum=settings.timeouts.reconnect_maximum,
    )
