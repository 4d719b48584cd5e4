"""The domains of a configuration, watched: settings become plans, reports go to the metrics and the pages.

In: a configuration, and the events of probes. Out: samples. How a domain is looked at is known to `domain_looks`, which is imported
when one is configured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from smtp_probe.config.settings import Config
from smtp_probe.model import CheckResult, DomainReport, DomainUnderCheck
from smtp_probe.network.resolver import DnsResolver
from smtp_probe.ports import Clock
from smtp_probe.probes.domain_watch import DomainPlan, DomainWatch
from smtp_probe.probes.record_watch import RecordWatch
from smtp_probe.report.web.checked import CheckedSubject

if TYPE_CHECKING:
    from smtp_probe.app.domain_looks import DomainLooks

_UP = {True: "up", False: "down", None: "not observed"}


class WatchedDomains:
    """Wires `probes.domain_watch` to a configuration."""

    def __init__(self, clock: Clock, records: RecordWatch, on_report: Callable[[DomainReport], None]) -> None:
        self.watch = DomainWatch(self._look, on_report, clock)
        self._clock = clock
        self._records = records
        self._looks: DomainLooks | None = None

    def configure(self, config: Config, resolver: DnsResolver) -> None:
        """Take over a configuration and the resolver that goes with it."""
        if config.domains:
            from smtp_probe.app.domain_looks import DomainLooks

            if self._looks is None or self._looks.resolver is not resolver:
                self._looks = DomainLooks(resolver, self._clock)
            self._looks.config = config
        self.watch.configure([_plan(name, config) for name in config.domains])

    async def _look(self, plan: DomainPlan, subject: DomainUnderCheck, visits: bool) -> DomainReport:
        assert self._looks is not None  # there is no plan without
        return await self._records.note(await self._looks.look(subject, dials=plan.dials, visits=visits))


def view_domains(
    config: Config, latest: Mapping[str, tuple[DomainReport, int]]
) -> dict[str, tuple[CheckedSubject, ...] | None]:
    """What the pages show of domains and of exchangers; None for both where no domain is configured."""
    if not config.domains:
        return {"domains": None, "exchangers": None}
    subjects, exchangers = [], []
    for name in config.domains:
        report, at_ns = latest.get(name, (None, None))
        if report is None:
            subjects.append(CheckedSubject(name=name))
            continue
        visited = report.results.get("exchangers")
        others = [result for part, result in report.results.items() if part != "exchangers"]
        subjects.append(_view(name, at_ns, others, _domain_facts(report)))
        if visited is not None:
            exchangers.append(_view(name, at_ns, [visited], _visit_facts(visited)))
    return {"domains": tuple(subjects), "exchangers": tuple(exchangers)}


def _view(
    name: str, at_ns: int | None, results: Sequence[CheckResult], facts: Mapping[str, str]
) -> CheckedSubject:
    return CheckedSubject(
        name=name,
        checked_ns=at_ns,
        findings=tuple(finding for result in results for finding in result.findings),
        unobserved=tuple(dict.fromkeys(text for result in results for text in result.unobserved)),
        facts=facts,
    )


def _domain_facts(report: DomainReport) -> dict[str, str]:
    """A few words on what is published."""
    wanted = {
        "MX": ("mx", "hosts"),
        "SPF": ("spf", "record"),
        "SPF look-ups": ("spf", "lookups"),
        "SPF result": ("spf", "result"),
        "MTA-STS": ("mta_sts", "mode"),
        "DNSSEC": ("dnssec", "security"),
    }
    facts = {}
    for title, (part, key) in wanted.items():
        value = report.results[part].facts.get(key) if part in report.results else None
        if value not in (None, [], ""):
            facts[title] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return facts


def _visit_facts(result: CheckResult) -> dict[str, str]:
    """One line for each address."""
    return {
        key: f"{_UP[visit['up']]}, {visit['tls_version'] or 'no TLS'}, {visit['greeting'] or 'no greeting'}"
        for key, visit in result.facts.get("visits", {}).items()
    }


def _plan(name: str, config: Config) -> DomainPlan:
    settings = config.domains[name]
    senders = config.senders.values()
    own = (each.ehlo_name for each in senders if each.envelope_from.rpartition("@")[2].lower() == name)
    return DomainPlan(
        subject=DomainUnderCheck(
            domain=name,
            selectors=settings.selectors,
            egress=settings.egress,
            ehlo_name=settings.ehlo_name.lower() if settings.ehlo_name else None,
            sender=settings.sender,
            own_ehlo_names=tuple(dict.fromkeys(own)),
        ),
        interval_seconds=settings.interval,
        visit_interval_seconds=settings.exchanger_interval,
        dials=settings.dial,
        detail=settings.model_dump_json(),
    )
