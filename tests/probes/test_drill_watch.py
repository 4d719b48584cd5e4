"""The rhythm of drills: each its own, never two at one place, and none ended by another's fault."""

import asyncio

from smtp_probe.model import DrillKind, DrillReport
from smtp_probe.probes.drill_watch import DrillPlan, DrillWatch
from tests.probes.fakes import FakeClock, settle

PLACE = (("192.0.2.25", 25),)


class Runs:
    """Counts the runs of drills, and how many are at work at once."""

    def __init__(self, clock):
        self.clock = clock
        self.done = []
        self.at_work = 0
        self.most_at_work = 0

    def plan(self, name, interval=100.0, seconds=1.0, places=(), detail="", error=None):
        async def run():
            self.at_work += 1
            self.most_at_work = max(self.most_at_work, self.at_work)
            try:
                await self.clock.sleep(seconds)
                if error is not None:
                    raise error
            finally:
                self.at_work -= 1
            return DrillReport(
                drill=name, kind=DrillKind.RETRY, started_ns=self.clock.now_ns(), duration_seconds=seconds
            )

        return DrillPlan(name=name, interval_seconds=interval, run=run, places=places, detail=detail)


def make():
    clock = FakeClock()
    runs = Runs(clock)
    return clock, runs, DrillWatch(clock, lambda report: runs.done.append(report.drill))


async def test_each_drill_runs_at_its_own_interval():
    clock, runs, watch = make()
    watch.configure([runs.plan("a"), runs.plan("b", interval=300.0)])

    await clock.advance(610)

    assert runs.done.count("a") in (6, 7)
    assert runs.done.count("b") == 2
    await watch.close()


async def test_a_drill_that_takes_long_never_overlaps_itself():
    clock, runs, watch = make()
    watch.configure([runs.plan("a", interval=10.0, seconds=95.0)])

    await clock.advance(400)

    assert runs.most_at_work == 1
    assert len(runs.done) >= 3
    await watch.close()


async def test_drills_at_one_place_take_turns_and_others_do_not_wait():
    clock, runs, watch = make()
    together = [runs.plan(name, interval=20.0, seconds=15.0, places=PLACE) for name in "ab"]
    watch.configure(together)
    await clock.advance(200)
    assert runs.most_at_work == 1
    assert {"a", "b"} <= set(runs.done)
    await watch.close()

    clock, runs, watch = make()
    watch.configure([runs.plan(name, interval=20.0, seconds=15.0) for name in "ab"])
    await clock.advance(200)
    assert runs.most_at_work == 2
    await watch.close()


async def test_a_bug_in_one_drill_ends_neither_it_nor_others(caplog):
    clock, runs, watch = make()
    watch.configure([runs.plan("broken", error=ZeroDivisionError()), runs.plan("well")])

    await clock.advance(450)

    assert runs.done.count("well") >= 4
    assert caplog.text.count("a drill failed by our own fault") >= 4
    await watch.close()


async def test_a_reload_leaves_alone_what_has_not_changed():
    clock, runs, watch = make()
    watch.configure(
        [runs.plan("same", interval=10.0, seconds=50.0), runs.plan("gone", interval=10.0, seconds=50.0)]
    )
    await clock.advance(15)
    assert runs.at_work == 2

    watch.configure([runs.plan("same", interval=10.0, seconds=50.0)])
    await settle()

    assert runs.at_work == 1
    watch.configure([runs.plan("same", interval=10.0, seconds=50.0, detail="changed")])
    await settle()
    assert runs.at_work == 0
    await watch.close()


async def test_closing_ends_what_runs():
    clock, runs, watch = make()
    watch.configure([runs.plan("a", interval=10.0, seconds=1000.0)])
    await clock.advance(15)
    assert runs.at_work == 1

    await asyncio.wait_for(watch.close(), 1)

    assert runs.at_work == 0
    assert runs.done == []
