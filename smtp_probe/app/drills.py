"""The drills of a configuration, watched: settings become plans, reports go to the metrics and the pages.

In: a configuration, the signing keys, and who can hand mail to a sender's server. Out: reports. How a drill of each kind is run is
known to `drill_kinds`, which is imported when one is configured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from smtp_probe.config.drills import AnyDrill
from smtp_probe.config.section import Settings
from smtp_probe.config.settings import Config
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import DrillReport, DrillResult
from smtp_probe.network.submission import SmtpSubmitter
from smtp_probe.ports import Clock
from smtp_probe.probes.drill_watch import DrillPlan, DrillWatch
from smtp_probe.report.web.checked import CheckedSubject


class Drills:
    """Wires `probes.drill_watch` to a configuration."""

    def __init__(
        self,
        clock: Clock,
        keys: Sequence[TagKey],
        submitter: Callable[[str], SmtpSubmitter],
        on_report: Callable[[DrillReport], None],
    ) -> None:
        self._clock = clock
        self._keys = keys
        self._submitter = submitter
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
        from smtp_probe.app.drill_kinds import DrillKinds, places_of

        assert self._config is not None
        config = self._config
        kinds = DrillKinds(self._clock, self._keys, self._submitter)
        settings = config.drills.by_name[name]
        sender = config.senders[settings.sender]
        return DrillPlan(
            name=name,
            interval_seconds=settings.interval,
            run=partial(kinds.run, name, settings, sender, config),
            places=places_of(settings),
            detail=_detail(settings, config),
        )


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


def _detail(settings: AnyDrill, config: Config) -> str:
    """Everything that a drill depends on."""
    mailboxes = (getattr(settings, field, None) for field in ("mailbox", "other_mailbox"))
    parts: list[Settings] = [settings, config.resolver, config.senders[settings.sender]]
    parts += [config.mailboxes[name] for name in mailboxes if name is not None]
    return json.dumps([type(settings).__name__, *(part.model_dump_json() for part in parts)])
