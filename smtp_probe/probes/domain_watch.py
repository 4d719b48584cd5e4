"""The checks of all configured domains, each in its own rhythm, and at once where something has changed.

In: domains with what is known of their mail, and a function that looks at one. Out: a report after each look, to whoever
shows it. Exchangers are visited more seldom than DNS is asked; between two visits what they showed stands. It holds up
nothing else: a few looks run at once, each bounded in time, and no probe waits for any of them.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from smtp_probe.model import CheckResult, DomainReport, DomainUnderCheck, SeenMail
from smtp_probe.ports import Clock
from smtp_probe.probes.seen_mail import SeenByDomain
from smtp_probe.schedule import next_slot, rhythm_of, slot_ns

_log = logging.getLogger(__name__)

MOST_AT_ONCE = 4
_FIRST_WITHIN_SECONDS = 30.0
_LEAST_SECONDS = 10.0
"""Between two looks at one domain, whatever asks for them: changes that come in a row are one."""
_JITTER = 0.1
"""How late a look may be, by chance, as a part of the interval: no two programs go on asking together."""
_DUE = 0.85
"""The part of the interval between visits after which one is due: two looks may be less than an interval apart."""
_VISITED = ("exchangers", "dane")
"""Checks that stand until the next visit."""
_NS = 10**9


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DomainPlan:
    """One domain, and how often it is looked at."""

    subject: DomainUnderCheck
    interval_seconds: float
    visit_interval_seconds: float
    dials: bool = True
    detail: str = ""
    """The rest of the settings: a plan that differs in it is another plan."""


Look = Callable[[DomainPlan, DomainUnderCheck, bool], Awaitable[DomainReport]]
"""Looks at one domain; the last argument says whether its exchangers are visited. Bounded in time."""
OnReport = Callable[[DomainReport], None]


class DomainWatch:
    """All domains. `configure` may be called at any time; `run` ends when it is cancelled."""

    def __init__(
        self,
        look: Look,
        on_report: OnReport,
        clock: Clock,
        dice: Callable[[], float] = random.random,  # spreads looks, guards nothing
    ) -> None:
        self._dice = dice
        self._look = look
        self._on_report = on_report
        self._clock = clock
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._plans: dict[str, DomainPlan] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._wanted: dict[str, asyncio.Event] = {}
        self._seen = SeenByDomain()
        self._is_running = False

    def configure(self, plans: Sequence[DomainPlan]) -> None:
        """Take over what is configured. A domain whose plan is the same keeps its rhythm."""
        wanted = {plan.subject.domain: plan for plan in plans}
        self._seen.keep(wanted)
        for domain, plan in list(self._plans.items()):
            if wanted.get(domain) != plan:
                self._end(domain)
        for index, (domain, plan) in enumerate(wanted.items()):
            if domain not in self._plans:
                self._plans[domain] = plan
                self._wanted[domain] = asyncio.Event()
                if self._is_running:
                    self._begin(domain, index)

    async def run(self) -> None:
        """Keep all rhythms until cancelled."""
        self._is_running = True
        try:
            for index, domain in enumerate(self._plans):
                self._begin(domain, index)
            await asyncio.Event().wait()  # the keepers work; configurations come and go
        finally:
            self._is_running = False
            keepers = list(self._keepers.values())
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)

    def check_soon(self, domain: str) -> None:
        """Look at a domain at once: something that its mail showed has changed. Ignored for one not configured."""
        if domain in self._wanted:
            self._wanted[domain].set()

    def note(self, route: str, domain: str, seen: SeenMail) -> None:
        """Learn from a delivered probe how a domain's mail leaves; a change is looked at, at once."""
        if domain in self._wanted and self._seen.note(route, domain, seen):
            self.check_soon(domain)

    # One domain.

    def _begin(self, domain: str, index: int) -> None:
        self._keepers[domain] = asyncio.create_task(self._keep(domain, index), name=f"domain {domain}")

    def _end(self, domain: str) -> None:
        keeper = self._keepers.pop(domain, None)
        if keeper is not None:
            keeper.cancel()
        del self._plans[domain], self._wanted[domain]

    async def _keep(self, domain: str, index: int) -> None:
        """Look, wait, look again. A bug in a look is logged, and the rhythm goes on."""
        plan, wanted = self._plans[domain], self._wanted[domain]
        rhythm = rhythm_of(index, plan.interval_seconds)
        first = rhythm.phase_seconds % min(plan.interval_seconds, _FIRST_WITHIN_SECONDS)
        await self._wait(wanted, first)
        visits: dict[str, CheckResult] = {}
        visited_ns: int | None = None
        while True:
            wanted.clear()
            now_ns = self._clock.now_ns()
            is_due = visited_ns is None or now_ns - visited_ns >= plan.visit_interval_seconds * _NS * _DUE
            visited_ns = now_ns if is_due else visited_ns
            try:
                async with self._turns:
                    report = await self._look(plan, self._complete(plan), plan.dials and is_due)
                visits = (
                    {name: report.results[name] for name in _VISITED if name in report.results}
                    if is_due
                    else visits
                )
                self._on_report(dataclasses.replace(report, results={**report.results, **visits}))
            except Exception as error:  # noqa: BLE001 - a bug met with one domain must not end the watching of others
                _log.error("a domain could not be checked", exc_info=error, extra={"domain": domain})
            await asyncio.sleep(min(_LEAST_SECONDS, plan.interval_seconds))
            now_ns = self._clock.now_ns()
            seconds = (slot_ns(rhythm, next_slot(rhythm, now_ns)) - now_ns) / _NS
            await self._wait(wanted, seconds + plan.interval_seconds * _JITTER * self._dice())

    async def _wait(self, wanted: asyncio.Event, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await wanted.wait()

    def _complete(self, plan: DomainPlan) -> DomainUnderCheck:
        """What is configured, with what probes have shown."""
        return self._seen.complete(plan.subject)
