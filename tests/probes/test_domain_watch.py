"""The rhythm of the checks: how often, how many at once, and what makes one come early."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from smtp_probe.model import CheckResult, DomainReport, DomainUnderCheck, SeenMail
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.probes import domain_watch
from smtp_probe.probes.domain_watch import DomainPlan, DomainWatch
from tests.probes.fakes import FakeClock


class Looks:
    """Remembers each look, and takes as long as it is told to."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.seen: list[tuple[DomainUnderCheck, bool]] = []
        self.at_once = 0
        self.most_at_once = 0

    async def __call__(self, plan: DomainPlan, subject: DomainUnderCheck, visits: bool) -> DomainReport:
        self.seen.append((subject, visits))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.seconds)
        self.at_once -= 1
        results = {"spf": CheckResult()} | (
            {"exchangers": CheckResult(facts={"n": len(self.seen)})} if visits else {}
        )
        return DomainReport(subject=subject, results=results)


def _plan(domain: str = "e.test", interval: float = 0.05, visits: float = 0.05) -> DomainPlan:
    return DomainPlan(
        subject=DomainUnderCheck(domain=domain), interval_seconds=interval, visit_interval_seconds=visits
    )


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain_watch, "_LEAST_SECONDS", 0.01)
    monkeypatch.setattr(domain_watch, "_FIRST_WITHIN_SECONDS", 0.01)


@contextlib.asynccontextmanager
async def _running(looks: Looks, *plans: DomainPlan) -> AsyncIterator[tuple[DomainWatch, list[DomainReport]]]:
    reports: list[DomainReport] = []
    watch = DomainWatch(looks, reports.append, ReferenceClock())
    watch.configure(plans)
    task = asyncio.create_task(watch.run())
    try:
        yield watch, reports
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not claim():
            await asyncio.sleep(0.005)


async def test_a_domain_is_looked_at_again_and_again() -> None:
    looks = Looks()
    async with _running(looks, _plan()) as (_, reports):
        await _until(lambda: len(reports) >= 3)
    assert looks.seen[0][0].domain == "e.test"


async def test_chance_makes_a_look_late_by_a_tenth_of_the_interval_at_most() -> None:
    waits: dict[float, float] = {}

    class Noting(DomainWatch):
        async def _wait(self, wanted: asyncio.Event, seconds: float) -> None:
            waits[self._dice()] = seconds  # the last one, which is that for the second look
            await super()._wait(wanted, seconds)

    clock = FakeClock()
    for chance in (0.0, 1.0):
        looks = Looks()
        watch = Noting(looks, lambda _: None, clock, lambda chance=chance: chance)  # type: ignore[misc]
        watch.configure([_plan(interval=1000)])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await watch.run()
        assert len(looks.seen) == 1
    assert 0 < waits[0.0] <= 1000
    assert waits[1.0] == pytest.approx(waits[0.0] + 100)


async def test_exchangers_are_visited_more_seldom_and_what_they_showed_stands() -> None:
    looks = Looks()
    async with _running(looks, _plan(visits=600)) as (_, reports):
        await _until(lambda: len(reports) >= 3)
    assert [visits for _, visits in looks.seen[:3]] == [True, False, False]
    assert [report.results["exchangers"].facts["n"] for report in reports[:3]] == [1, 1, 1]


async def test_only_a_few_are_looked_at_at_once() -> None:
    looks = Looks(0.03)
    async with _running(looks, *(_plan(f"{number}.test") for number in range(12))) as (_, reports):
        await _until(lambda: len(reports) >= 12)
    assert looks.most_at_once == domain_watch.MOST_AT_ONCE


async def test_a_change_is_looked_at_at_once_and_shown_to_the_checks() -> None:
    looks = Looks()
    async with _running(looks, _plan(interval=600, visits=600)) as (watch, reports):
        await _until(lambda: len(reports) == 1)
        seen = SeenMail(address="192.0.2.1", ehlo_name="mail.e.test")
        watch.note("daily", "e.test", seen)
        await _until(lambda: len(reports) == 2)
        watch.note("daily", "e.test", seen)
        watch.note("daily", "other.test", seen)
        watch.check_soon("other.test")
        await asyncio.sleep(0.1)
        assert len(reports) == 2
        watch.check_soon("e.test")
        await _until(lambda: len(reports) == 3)
    assert looks.seen[1][0].egress == ("192.0.2.1",)
    assert looks.seen[1][0].ehlo_of("192.0.2.1") == "mail.e.test"


async def test_a_new_configuration_begins_and_ends_rhythms() -> None:
    looks = Looks()
    async with _running(looks, _plan("a.test"), _plan("b.test")) as (watch, reports):
        await _until(lambda: {report.subject.domain for report in reports} == {"a.test", "b.test"})
        watch.configure([_plan("b.test"), _plan("c.test")])
        reports.clear()
        await _until(lambda: {report.subject.domain for report in reports} == {"b.test", "c.test"})


async def test_a_bug_in_one_look_does_not_end_the_watching(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Looks):
        async def __call__(self, plan: DomainPlan, subject: DomainUnderCheck, visits: bool) -> DomainReport:
            report = await super().__call__(plan, subject, visits)
            if len(self.seen) == 1:
                raise ZeroDivisionError
            return report

    with caplog.at_level(logging.ERROR):
        async with _running(Broken(), _plan()) as (_, reports):
            await _until(lambda: len(reports) >= 2)
    assert "ZeroDivisionError" in caplog.text
