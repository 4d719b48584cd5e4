"""Looks into the queues of mail servers on this machine, each at its interval, in the background.

In: plans, each with a reader. Out: a `QueueLook` for each look, also for one that failed: what cannot be read is unknown,
never empty. A look never overlaps the one before it; a scrape never waits for one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from smtp_probe.errors import QueueError
from smtp_probe.mail.queue_listing.survey import QueueCount, Recognise
from smtp_probe.model import QueueFailure, QueueLook, QueueState, RetryLook
from smtp_probe.policy.retry_schedule import RetryLimits, judge_schedule
from smtp_probe.ports import Clock, QueueReader, RetryPolicyReader

_log = logging.getLogger(__name__)
_NS = 1_000_000_000
GROWTH_WINDOW_SECONDS = 900.0
RETRY_CHECK_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlan:
    """One queue to be watched. `detail` changes whenever anything in its settings does."""

    name: str
    reader: QueueReader
    states: tuple[QueueState, ...]
    interval_seconds: float
    top_destinations: int
    detail: str
    retry_reader: RetryPolicyReader | None = None
    retry_limits: RetryLimits = field(default_factory=RetryLimits)


class QueueWatch:
    """Watches every configured queue. `recognise` names our own messages, as they stand when a look begins."""

    def __init__(
        self,
        clock: Clock,
        on_look: Callable[[QueueLook | RetryLook], None],
        recogniser: Callable[[], Recognise],
    ) -> None:
        self._clock = clock
        self._on_look = on_look
        self._recogniser = recogniser
        self._watching: dict[str, tuple[QueuePlan, tuple[asyncio.Task[None], ...]]] = {}

    def configure(self, plans: Sequence[QueuePlan]) -> None:
        """Take over a set of queues; those that have not changed go on undisturbed."""
        wanted = {plan.name: plan for plan in plans}
        for name, (plan, tasks) in list(self._watching.items()):
            if name not in wanted or wanted[name].detail != plan.detail:
                for task in tasks:
                    task.cancel()
                del self._watching[name]
        for name, plan in wanted.items():
            if name not in self._watching:
                begun = [asyncio.create_task(self._watch(plan), name=f"queue {name}")]
                if plan.retry_reader is not None:
                    begun.append(asyncio.create_task(self._watch_retries(plan), name=f"retries {name}"))
                self._watching[name] = plan, tuple(begun)

    async def close(self) -> None:
        """End every look. A program that is being read is killed."""
        tasks = [task for _, own in self._watching.values() for task in own]
        self._watching.clear()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self, plan: QueuePlan) -> None:
        counts: deque[tuple[int, int]] = deque()
        said: QueueFailure | None = None
        while True:
            began_ns = self._clock.now_ns()
            try:
                look = await look_into(plan, self._clock, self._recogniser(), counts)
                self._on_look(look)
                if look.failure is not said:
                    said = look.failure
                    _say(look)
            except Exception:  # noqa: BLE001 - a bug in one look must not end the watch
                _log.exception("a look into a queue failed by our own fault", extra={"queue": plan.name})
            passed_seconds = (self._clock.now_ns() - began_ns) / _NS
            await self._clock.sleep(max(plan.interval_seconds - passed_seconds, plan.interval_seconds / 10))

    async def _watch_retries(self, plan: QueuePlan) -> None:
        while True:
            try:
                self._on_look(await look_at_retries(plan, self._clock))
            except Exception:  # noqa: BLE001 - as above
                _log.exception("a look at retries failed by our own fault", extra={"queue": plan.name})
            await self._clock.sleep(RETRY_CHECK_SECONDS)


async def look_at_retries(plan: QueuePlan, clock: Clock) -> RetryLook:
    """Ask the server of a queue how it retries, and judge it."""
    assert plan.retry_reader is not None
    now_ns = clock.now_ns()
    try:
        schedule = await plan.retry_reader.read()
    except QueueError as error:
        _log.warning("how the server retries is not known: %s", error, extra={"queue": plan.name})
        return RetryLook(queue=plan.name, at_ns=now_ns, failure=error.failure, detail=error.detail)
    findings = judge_schedule(schedule, plan.retry_limits)
    return RetryLook(queue=plan.name, at_ns=now_ns, schedule=schedule, findings=findings)


async def look_into(
    plan: QueuePlan, clock: Clock, recognise: Recognise, counts: deque[tuple[int, int]]
) -> QueueLook:
    """Look once. `counts` are the instants and sizes of earlier looks; this one is added to them."""
    began_ns = clock.now_ns()
    count = QueueCount(
        began_ns / _NS, plan.states, top_destinations=plan.top_destinations, recognise=recognise
    )
    try:
        await plan.reader.read(count.add)
    except QueueError as error:
        # Across a gap nothing is known of the growth.
        counts.clear()
        return QueueLook(
            queue=plan.name,
            at_ns=began_ns,
            duration_seconds=(clock.now_ns() - began_ns) / _NS,
            failure=error.failure,
            detail=error.detail,
        )
    survey = count.total()
    counts.append((began_ns, survey.messages))
    return QueueLook(
        queue=plan.name,
        at_ns=began_ns,
        duration_seconds=(clock.now_ns() - began_ns) / _NS,
        survey=survey,
        growth_per_second=_growth(counts),
    )


def _growth(counts: deque[tuple[int, int]]) -> float | None:
    newest_ns, newest = counts[-1]
    while len(counts) > 2 and newest_ns - counts[0][0] > GROWTH_WINDOW_SECONDS * _NS:
        counts.popleft()
    oldest_ns, oldest = counts[0]
    return None if newest_ns <= oldest_ns else (newest - oldest) * _NS / (newest_ns - oldest_ns)


def _say(look: QueueLook) -> None:
    if look.failure is None:
        _log.info("queue is read again", extra={"queue": look.queue})
    else:
        _log.warning("queue cannot be read: %s", look.detail, extra={"queue": look.queue})
