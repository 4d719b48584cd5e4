"""All that is counted and shown, put together: one object for the composition root to hold.

In: a configuration, events, the program's statements about itself. Out: the metrics page, and what the landing page
shows. Only wires; what each part does is told in its own file.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable

from smtp_probe.config.settings import Config
from smtp_probe.model import Event, Outcome
from smtp_probe.ports import OpenProbe
from smtp_probe.report.credential_results import CredentialResults
from smtp_probe.report.detail import left_out
from smtp_probe.report.domain_results import DomainResults
from smtp_probe.report.drill_results import DrillResults
from smtp_probe.report.engine_results import EngineResults
from smtp_probe.report.exposition import PROCESS_COLLECTORS, Exposition
from smtp_probe.report.history import History
from smtp_probe.report.known_series import (
    credentials_in_use,
    endpoint_name,
    mailboxes_in_use,
    senders_in_use,
)
from smtp_probe.report.last_results import LastResults
from smtp_probe.report.log import LogHandler
from smtp_probe.report.message_findings import MessageFindings
from smtp_probe.report.metric import Metric
from smtp_probe.report.observations import Observations
from smtp_probe.report.queue_results import QueueResults
from smtp_probe.report.series import Series
from smtp_probe.report.standing import leave_standing
from smtp_probe.report.state_changes import End, changes_among
from smtp_probe.report.totals import Totals
from smtp_probe.report.verdict_results import VerdictResults


class Telemetry:
    """The samples and those who make them. `now_ns` is the reference clock.

    The journal moves `totals`; the application speaks to `observations`; the ledger's sinks include `observe`.
    """

    def __init__(
        self, now_ns: Callable[[], int], log: LogHandler | None = None, *, with_process: bool = True
    ) -> None:
        self.series = Series()
        self.totals = Totals(self.series)
        self._findings = MessageFindings(self.series)
        self.last_results = LastResults(self.series, self.totals.caps, self._findings)
        self.observations = Observations(self.series, now_ns)
        self.verdicts = VerdictResults(self.series, self._findings)
        self.domains = DomainResults(self.series)
        self.queues = QueueResults(self.series)
        self.drills = DrillResults(self.series)
        self.credentials = CredentialResults(self.series)
        self.engine = EngineResults(self.series, now_ns)
        self.history = History()
        self.before_page: Callable[[], None] = lambda: None
        """Called before a page is rendered: for what is asked for and not told."""
        self._log = log
        self.exposition = Exposition(
            self.series,
            collectors=PROCESS_COLLECTORS if with_process else (),
            start_times=self._started_ns,
            before_scrape=self._refresh,
        )

    def declare(self, config: Config) -> None:
        """Take over a configuration that has been loaded. What is gone is shown no more; its counters are kept,
        as the journal keeps them, and are shown again when it comes back.
        """
        shown = _watched(config) | {
            "route": set(config.routes),
            "sender": set(senders_in_use(config)),
            "domain": set(config.domains),
            "queue": set(config.queues),
            "drill": set(config.drills.by_name),
        }
        for label, names in shown.items():
            self.series.show_only(label, names)
        self.series.leave_out(left_out(config.metrics.detail))
        for part in (
            self.totals,
            self._findings,
            self.last_results,
            self.observations,
            self.domains,
            self.queues,
            self.drills,
            self.credentials,
            self.history,
            self.exposition,
        ):
            part.declare(config)
        self.verdicts.declare(config)

    def watch(self, config: Config) -> None:
        """Take over which mailboxes are watched now, of a configuration that has been declared. `config`: with routes
        to these mailboxes only.
        """
        for label, names in _watched(config).items():
            self.series.show_only(label, names)
        self.observations.watch(mailboxes_in_use(config))
        self.credentials.declare(config)

    def observe(self, event: Event) -> None:
        """Learn from one event that the journal has. Fits `ports.Sink`."""
        self.last_results.observe(event)
        self.history.observe(event)
        self.verdicts.observe(event)

    async def recall(self, outcomes: AsyncIterable[Outcome], left_open: Iterable[OpenProbe] = ()) -> None:
        """Learn from outcomes of earlier runs, those that ended first before, and from the probes that they left open."""
        ends = []
        async for outcome in outcomes:
            self.last_results.recall(outcome)
            self.history.recall(outcome)
            ends.append(End.of(outcome))
        self.history.recall_changes(changes_among(ends))
        for known in left_open:
            if known.overdue:
                self.history.recall_overdue(known.probe)

    async def warm(self) -> None:
        """Render every line once, and have the garbage collector leave alone what stands. To be called when the
        configuration has been declared and the totals restored.

        With thousands of routes the collector would stop everything for some 50 ms now and then to look at samples
        that live as long as the program. It still looks at whatever comes later.
        """
        leave_standing()
        await self.exposition.warm()

    def _started_ns(self, metric: Metric) -> int | None:
        return self.totals.since_ns if metric.is_durable else self.observations.started_ns

    def _refresh(self) -> None:
        self.before_page()
        self.observations.refresh()
        if self._log is not None:
            self.observations.log_messages(self._log.by_level, self._log.internal_errors)


def _watched(config: Config) -> dict[str, set[str]]:
    """What is shown of the mailboxes of some routes, by label."""
    return {
        "mailbox": set(mailboxes_in_use(config)),
        "endpoint": _endpoints(config),
        "credential": set(credentials_in_use(config)),
    }


def _endpoints(config: Config) -> set[str]:
    """The servers that routes use: of the others, no certificate is seen any more."""
    senders = (config.senders[name] for name in senders_in_use(config))
    mailboxes = (config.mailboxes[name] for name in mailboxes_in_use(config))
    ports = [(sender.host, sender.effective_port) for sender in senders]
    ports += [(mailbox.host, mailbox.effective_port) for mailbox in mailboxes]
    return {endpoint_name(*each) for each in ports}
