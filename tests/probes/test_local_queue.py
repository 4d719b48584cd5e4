"""The watch: one look after the other, a gap where a look failed, growth only across what was seen."""

import asyncio
from collections import deque
from dataclasses import replace

from smtp_probe.errors import QueueError
from smtp_probe.mail.queue_listing.states import POSTFIX_STATES
from smtp_probe.model import QueueEntry, QueueFailure, QueueState
from smtp_probe.probes.local_queue import QueuePlan, QueueWatch, look_at_retries, look_into

NS = 10**9


class StageClock:
    """Moves by what is slept; after some sleeps it stands still."""

    def __init__(self, sleeps=0):
        self.now = 1_000 * NS
        self.slept = []
        self._sleeps = sleeps

    def now_ns(self):
        return self.now

    def wall_step_seconds(self):
        return 0.0

    async def sleep(self, seconds):
        self.slept.append(seconds)
        if len(self.slept) > self._sleeps:
            await asyncio.Event().wait()
        self.now += round(seconds * NS)


class StageReader:
    """Gives queues of these sizes, one a look; raises what is an exception."""

    def __init__(self, *looks):
        self._looks = list(looks)

    async def read(self, take):
        size = self._looks.pop(0)
        for number in range(size if isinstance(size, int) else 3):
            take(
                QueueEntry(
                    queue_id=str(number),
                    state=QueueState.DEFERRED,
                    arrived_seconds=900,
                    size_bytes=1,
                    sender="",
                )
            )
        if isinstance(size, Exception):
            raise size


def make_plan(*looks, name="out", detail="1"):
    return QueuePlan(
        name=name,
        reader=StageReader(*looks),
        states=POSTFIX_STATES,
        interval_seconds=60.0,
        top_destinations=5,
        detail=detail,
    )


BROKEN = QueueError(QueueFailure.TIMEOUT, "not read within 20 s")


async def test_a_look_that_failed_has_no_survey_although_entries_had_come():
    look = await look_into(make_plan(BROKEN), StageClock(), lambda _: None, deque())

    assert (look.survey, look.failure, look.detail) == (None, QueueFailure.TIMEOUT, "not read within 20 s")


async def watch(*looks):
    clock, seen = StageClock(sleeps=len(looks) - 1), []
    watching = QueueWatch(clock, seen.append, lambda: lambda _: None)
    watching.configure([make_plan(*looks)])
    async with asyncio.timeout(5):
        while len(clock.slept) < len(looks):
            await asyncio.sleep(0)
    await watching.close()
    return seen


async def test_growth_is_told_across_what_was_seen_and_not_across_a_gap():
    seen = await watch(10, 70, 10, BROKEN, 500, 500)

    assert [look.growth_per_second for look in seen] == [None, 1.0, 0.0, None, None, 0.0]
    assert [look.survey is None for look in seen] == [False, False, False, True, False, False]


async def test_growth_forgets_what_is_older_than_a_quarter_of_an_hour():
    seen = await watch(*([0] * 5 + [1000] * 20))

    assert seen[-1].growth_per_second == 0.0


async def test_a_bug_in_a_look_does_not_end_the_watch(caplog):
    seen = await watch(1, ValueError("a bug"), 2)

    assert [look.survey.messages for look in seen] == [1, 2]
    assert "by our own fault" in caplog.text


async def test_only_what_changed_is_begun_anew():
    clock, seen = StageClock(), []
    watching = QueueWatch(clock, seen.append, lambda: lambda _: None)
    watching.configure([make_plan(1, 1), make_plan(1, 1, name="in"), make_plan(1, 1, name="gone")])
    await asyncio.sleep(0.01)
    watching.configure([make_plan(1, 1), make_plan(1, 1, name="in", detail="2")])
    await asyncio.sleep(0.01)
    await watching.close()

    assert [look.queue for look in seen] == ["out", "in", "gone", "in"]


class StageRetries:
    """Says this of how a server retries."""

    def __init__(self, said):
        self._said = said

    async def read(self):
        if isinstance(self._said, Exception):
            raise self._said
        return self._said


async def test_retries_are_judged_and_what_is_not_told_is_not():
    none = replace(make_plan(), retry_reader=StageRetries(None))
    unknown = replace(make_plan(), retry_reader=StageRetries(BROKEN))

    assert [each.check for each in (await look_at_retries(none, StageClock())).findings] == ["retry_none"]
    look = await look_at_retries(unknown, StageClock())
    assert (look.findings, look.failure) == ((), QueueFailure.TIMEOUT)


async def test_the_queue_and_the_retries_of_a_server_are_watched_side_by_side():
    clock, seen = StageClock(), []
    watching = QueueWatch(clock, seen.append, lambda: lambda _: None)
    watching.configure([replace(make_plan(1), retry_reader=StageRetries(None))])
    await asyncio.sleep(0.01)
    await watching.close()

    assert {type(look).__name__ for look in seen} == {"QueueLook", "RetryLook"}
    assert sorted(clock.slept) == [60.0, 3600.0]
