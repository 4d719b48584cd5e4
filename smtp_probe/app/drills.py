"""The drills of a configuration: settings become adapters and plans, reports go to the metrics and the pages.

In: a configuration, the signing keys, and who can hand mail to a sender's server. Out: reports. The bounce drill is one probe of
the program's own kind, on a route of its own that no file has; the others have their parts in `probes`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from smtp_probe.config.drills import (
    AnyDrill,
    BounceDrill,
    FailoverDrill,
    Listener,
    RejectionDrill,
    RetryDrill,
)
from smtp_probe.config.section import Settings
from smtp_probe.config.settings import Config, Sender
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import Desk, DrillReport, DrillResult, Manner
from smtp_probe.network.drill_receiver import DrillReceiver, Limits
from smtp_probe.network.submission import SmtpSubmitter
from smtp_probe.network.trespass import SmtpTrespasser
from smtp_probe.ports import Clock, MailReceiver, Reception
from smtp_probe.probes.drill_mail import DrillSender
from smtp_probe.probes.drill_watch import DrillPlan, DrillWatch
from smtp_probe.probes.failover_drill import run_failover_drill
from smtp_probe.probes.rejection_drill import run_rejection_drill
from smtp_probe.probes.retry_drill import run_retry_drill
from smtp_probe.report.web.checked import CheckedSubject

RunBounce = Callable[[str, BounceDrill, Config], Awaitable[DrillReport]]


class Drills:
    """Wires `probes.drill_watch` to a configuration."""

    def __init__(
        self,
        clock: Clock,
        keys: Sequence[TagKey],
        submitter: Callable[[str], SmtpSubmitter],
        run_bounce: RunBounce,
        on_report: Callable[[DrillReport], None],
    ) -> None:
        self._clock = clock
        self._keys = keys
        self._submitter = submitter
        self._run_bounce = run_bounce
        self._watch = DrillWatch(clock, on_report)
        self._config: Config | None = None
        self._is_watching = False

    def configure(self, config: Config) -> None:
        """Take over a configuration."""
        self._config = config
        if self._is_watching:
            self._watch.configure([self.plan(name) for name in config.drills.by_name])

    def start(self) -> None:
        """Begin to run what is configured. Who sends one probe by hand runs no drill."""
        self._is_watching = True
        if self._config is not None:
            self.configure(self._config)

    async def close(self) -> None:
        """End every drill."""
        await self._watch.close()

    async def run_now(self, name: str) -> DrillReport:
        """Run one drill of the configuration, out of turn."""
        return await self._watch.run(self.plan(name))

    def plan(self, name: str) -> DrillPlan:
        """One drill of the configuration, ready to be run."""
        assert self._config is not None
        config = self._config
        settings = config.drills.by_name[name]
        sender = config.senders[settings.sender]
        return DrillPlan(
            name=name,
            interval_seconds=settings.interval,
            run=partial(self._run, name, settings, sender, config),
            places=_places(settings),
            detail=_detail(settings, config),
        )

    async def _run(self, name: str, settings: AnyDrill, sender: Sender, config: Config) -> DrillReport:
        if isinstance(settings, BounceDrill):
            return await self._run_bounce(name, settings, config)
        submitter = self._submitter(settings.sender)
        if isinstance(settings, RejectionDrill):
            trespasser = SmtpTrespasser(submitter.terms, settings.wrong_username)
            return await run_rejection_drill(name, settings, sender, trespasser, self._clock)
        hand_over = DrillSender(sender, submitter, self._keys, self._clock)
        if isinstance(settings, RetryDrill):
            listen = partial(self._listen, sender, settings.listen)
            return await run_retry_drill(name, settings, hand_over, listen)
        return await run_failover_drill(
            name, settings, hand_over, partial(self._listen_twice, sender, settings)
        )

    def _listen(
        self,
        sender: Sender,
        place: Listener,
        reception: Reception,
        manner: Manner = Manner.SERVE,
        hold_seconds: float | None = None,
    ) -> MailReceiver:
        limits = Limits() if hold_seconds is None else Limits(hold_seconds=hold_seconds)
        return DrillReceiver(
            place.address, place.port, sender.ehlo_name, reception, self._clock, manner=manner, limits=limits
        )

    def _listen_twice(
        self, sender: Sender, settings: FailoverDrill, desk: Desk, reception: Reception, manner: Manner
    ) -> MailReceiver:
        place = settings.preferred if desk is Desk.PREFERRED else settings.fallback
        return self._listen(sender, place, reception, manner, settings.hold)


def view_drills(config: Config, latest: Mapping[str, DrillReport]) -> tuple[CheckedSubject, ...] | None:
    """What the pages show of drills; None where none is configured."""
    if not config.drills.by_name:
        return None
    return tuple(_view(name, latest.get(name)) for name in config.drills.by_name)


def _view(name: str, report: DrillReport | None) -> CheckedSubject:
    if report is None:
        return CheckedSubject(name=name)
    ended_ns = report.started_ns + round(report.duration_seconds * 1e9)
    return CheckedSubject(
        name=name,
        checked_ns=ended_ns,
        findings=report.findings,
        unobserved=report.unobserved,
        facts={"kind": report.kind.value, "result": report.result.value, **report.facts},
        is_unhealthy=report.result is DrillResult.UNHEALTHY,
    )


def _places(settings: AnyDrill) -> tuple[tuple[str, int], ...]:
    if isinstance(settings, RetryDrill):
        return ((settings.listen.address, settings.listen.port),)
    if isinstance(settings, FailoverDrill):
        # Also where it is to refuse: another drill must not listen there meanwhile.
        return tuple((place.address, place.port) for place in (settings.preferred, settings.fallback))
    return ()


def _detail(settings: AnyDrill, config: Config) -> str:
    """Everything that a drill depends on."""
    mailboxes = (getattr(settings, field, None) for field in ("mailbox", "other_mailbox"))
    parts: list[Settings] = [settings, config.resolver, config.senders[settings.sender]]
    parts += [config.mailboxes[name] for name in mailboxes if name is not None]
    return json.dumps([type(settings).__name__, *(part.model_dump_json() for part in parts)])
