"""The scheduler: which route is sent when, and which is not sent, and why.

In: the routes with their rhythms, and the passing of time. Out: calls of `RoundTrips.send`, and a `SlotMissed` event
for every slot that was not kept. One heap and one sleep for all routes: an idle route costs nothing.

A server that answers 4xx is asked again with the same message, as a mail server would: after `backoff_minimum`, then
twice as long each time, not while its endpoint is left alone, and not beyond the probe's deadline. Meanwhile nothing
else is sent on that route.

Politeness, in this order: one submission of a route at a time; a bound on its messages in flight; an endpoint that
failed is left alone for a growing while; a budget of messages a minute for each endpoint and for all; a bound on
submissions under way.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from smtp_probe.config.settings import Schedule
from smtp_probe.errors import AlreadyStarted, JournalError
from smtp_probe.model import Disposition, Phase, SlotMissed, Submission
from smtp_probe.ports import Clock
from smtp_probe.probes.ledger import Ledger
from smtp_probe.probes.recurring_trouble import RecurringTrouble
from smtp_probe.probes.round_trip import Handover, RoundTrips, RouteUnderTest
from smtp_probe.probes.waiting import wait_for_event
from smtp_probe.schedule import (
    Backoff,
    Budget,
    Rhythm,
    back_off,
    change_budget,
    keep_slot,
    next_slot,
    open_budget,
    retry_wait_seconds,
    rhythm_of,
    slot_ns,
    spend,
)

_log = logging.getLogger(__name__)
_NS = 1_000_000_000
_TURN_NS = _NS
"""How long a message whose time has come waits where nothing may be sent just then."""


@dataclass(frozen=True, slots=True)
class Run:
    """One slot that somebody else has given to us. `take` is called when it has been written down."""

    scheduled_ns: int
    take: Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Entry:
    """One scheduled route and the slot that it waits for."""

    target: RouteUnderTest
    rhythm: Rhythm
    slot: int


@dataclass(slots=True)
class _EndpointState:
    """How one SMTP endpoint is to be treated."""

    budget: Budget
    backoff: Backoff = field(default_factory=Backoff)
    submitting: int = 0


def endpoint_of(target: RouteUnderTest) -> str:
    """Name the SMTP endpoint of a route: what back-off and budget belong to."""
    return f"{target.sender.host}:{target.sender.effective_port}"


class Runner:
    """Sends on every route at its times, until cancelled."""

    def __init__(
        self,
        round_trips: RoundTrips,
        ledger: Ledger,
        clock: Clock,
        lag: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._round_trips = round_trips
        self._ledger = ledger
        self._clock = clock
        self._lag = lag
        self._settings = Schedule()
        self._entries: dict[str, _Entry] = {}
        self._endpoints: dict[str, _EndpointState] = {}
        self._budget: Budget | None = None
        self._heap: list[tuple[int, str]] = []
        self._changed = asyncio.Event()
        self._submissions: set[asyncio.Task[None]] = set()
        self._misses: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()
        """The probes that were put off and will be tried again."""
        self._busy: set[str] = set()
        """The routes with a probe that has not been handed over yet, also while it waits for another attempt."""
        self._is_stopping = False
        self._unwritten = RecurringTrouble(
            _log, clock, "probes are not sent, because they cannot be written down"
        )
        self._uncounted = RecurringTrouble(_log, clock, "missed slots are not counted")

    def configure(self, targets: Sequence[RouteUnderTest], settings: Schedule) -> None:
        """Take over a new set of routes; back-off and budgets of endpoints that stay are kept."""
        now_ns = self._clock.now_ns()
        self._settings = settings
        self._entries = {}
        for index, target in enumerate(targets):
            rhythm = rhythm_of(index, target.route.interval)
            self._entries[target.name] = _Entry(target, rhythm, next_slot(rhythm, now_ns))
        self._endpoints = {
            endpoint: self._endpoints.get(endpoint) or _EndpointState(open_budget(per_minute, now_ns))
            for endpoint, per_minute in _endpoint_budgets(targets).items()
        }
        for endpoint, per_minute in _endpoint_budgets(targets).items():
            state = self._endpoints[endpoint]
            state.budget = change_budget(state.budget, per_minute)
        budget = self._budget or open_budget(settings.max_per_minute, now_ns)
        self._budget = change_budget(budget, settings.max_per_minute)
        self._heap = [(slot_ns(entry.rhythm, entry.slot), name) for name, entry in self._entries.items()]
        heapq.heapify(self._heap)
        self._changed.set()

    async def run(self) -> None:
        """Keep the slots until cancelled."""
        while not self._is_stopping:
            self._changed.clear()
            now_ns = self._clock.now_ns()
            while self._heap and self._heap[0][0] <= now_ns:
                _, name = heapq.heappop(self._heap)
                entry = self._entries.get(name)
                if entry is not None:
                    self._come_due(entry, now_ns)
                now_ns = self._clock.now_ns()
            await self._sleep_until_due()

    def send_now(self, name: str, run: Run | None = None) -> str | None:
        """Send on one route out of turn, or for a run that was given to us, within the same budgets.

        Gives the reason why not, or None.
        """
        entry = self._entries.get(name)
        if entry is None or self._is_stopping:
            return "shutdown" if self._is_stopping else "unknown"
        now_ns = self._clock.now_ns()
        reason = self._reason_not_to_send(entry, now_ns)
        if reason is None:
            self._start(entry, now_ns if run is None else run.scheduled_ns, run)
        return reason

    @property
    def has_room(self) -> bool:
        """Whether one more submission may begin, as far as their number goes."""
        return self.room > 0

    @property
    def room(self) -> int:
        """How many more submissions may begin, as far as their number goes."""
        return max(0, self._settings.max_submissions - len(self._submissions))

    def is_busy(self, name: str) -> bool:
        """Whether a probe of a route has not been handed over yet."""
        return name in self._busy

    def miss(self, name: str, reason: str) -> None:
        """Have it counted that a route was not sent on."""
        entry = self._entries.get(name)
        if entry is not None:
            self._miss(entry, reason)

    async def stop(self, seconds: float) -> None:
        """Start nothing more; let submissions under way end, at most so long, then cut them."""
        self._is_stopping = True
        self._changed.set()
        if self._submissions:
            _, late = await asyncio.wait(self._submissions, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=2.0)
        for task in self._waiting:
            task.cancel()
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=2.0)
        if self._misses:
            await asyncio.wait(self._misses, timeout=1.0)

    # One slot.

    def _come_due(self, entry: _Entry, now_ns: int) -> None:
        expected_ns = slot_ns(entry.rhythm, entry.slot)
        due = keep_slot(entry.rhythm, entry.slot, now_ns)
        entry.slot = due.following
        heapq.heappush(self._heap, (slot_ns(entry.rhythm, due.following), entry.target.name))
        self._lag((now_ns - expected_ns) / _NS)
        if due.missed:
            self._miss(entry, "late", due.missed)
        if due.slot is None:
            return
        reason = self._reason_not_to_send(entry, now_ns)
        if reason is not None:
            self._miss(entry, reason)
            return
        self._start(entry, slot_ns(entry.rhythm, due.slot))

    def _start(self, entry: _Entry, scheduled_ns: int, run: Run | None = None) -> None:
        self._busy.add(entry.target.name)
        _keep(self._submissions, asyncio.create_task(self._send(entry, scheduled_ns, run)))

    def _reason_not_to_send(self, entry: _Entry, now_ns: int) -> str | None:
        target = entry.target
        if target.name in self._busy or self._ledger.in_flight(target.name) >= target.route.max_in_flight:
            return "busy"
        return self._reason_to_wait(self._endpoints[endpoint_of(target)], now_ns)

    def _reason_to_wait(self, endpoint: _EndpointState, now_ns: int) -> str | None:
        """Why no submission may begin now; None: one may, and the budgets are charged with it."""
        if len(self._submissions) >= self._settings.max_submissions:
            return "busy"
        if len(self._endpoints) > 1 and endpoint.submitting >= max(1, self._settings.max_submissions // 2):
            return "busy"  # an endpoint that hangs must leave room for the others
        if not endpoint.backoff.is_open(now_ns):
            return "backoff"
        own, common = spend(endpoint.budget, now_ns), self._budget and spend(self._budget, now_ns)
        if own is None or common is None:
            return "budget"
        endpoint.budget, self._budget = own, common
        return None

    async def _send(self, entry: _Entry, scheduled_ns: int, run: Run | None) -> None:
        try:
            handover = await self._round_trips.open(entry.target, scheduled_ns)
            if run is not None:
                await run.take()
        except AlreadyStarted:
            _log.info("not sent: another worker has done so", extra={"route": entry.target.name})
            self._busy.discard(entry.target.name)
            if run is not None:
                await run.take()
        except JournalError as error:
            self._unwritten.met(error)
            if run is None:  # a run that is not taken is given to somebody again
                self._miss(entry, "journal")
            self._busy.discard(entry.target.name)
        except Exception:  # noqa: BLE001 - a bug in one probe must not end the others
            _log.exception("a probe failed by our own fault", extra={"route": entry.target.name})
            self._busy.discard(entry.target.name)
        else:
            self._unwritten.not_met()
            await self._attempt(handover)

    async def _attempt(self, handover: Handover) -> None:
        """Run one transaction; the probe ends with it, or waits for the next one and its route with it."""
        endpoint = endpoint_of(handover.target)
        state = self._endpoints.get(endpoint)
        retry_ns: int | None = None
        if state is not None:
            state.submitting += 1
        try:
            submission = await self._round_trips.attempt(handover)
            self._learn(endpoint, submission)
            retry_ns = self._retry_ns(handover, submission)
            if retry_ns is None:
                await self._round_trips.end(handover, submission)
            else:
                await self._round_trips.put_off(handover, submission)
                _keep(self._waiting, asyncio.create_task(self._retry(handover, retry_ns)))
        except Exception:  # noqa: BLE001 - a bug in one probe must not end the others
            _log.exception("a probe failed by our own fault", extra={"route": handover.target.name})
            retry_ns = None
        finally:
            if state is not None:
                state.submitting -= 1
            if retry_ns is None:
                self._busy.discard(handover.target.name)

    def _retry_ns(self, handover: Handover, submission: Submission) -> int | None:
        """When to try a message that was put off again; None where it was not, or there is no time for it."""
        state = self._endpoints.get(endpoint_of(handover.target))
        if submission.disposition is not Disposition.DEFERRED or state is None:
            return None
        wait = retry_wait_seconds(
            handover.attempts,
            minimum_seconds=self._settings.backoff_minimum,
            maximum_seconds=self._settings.backoff_maximum,
            jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
        )
        retry_ns = max(self._clock.now_ns() + round(wait * _NS), state.backoff.until_ns)
        return retry_ns if retry_ns < _last_attempt_ns(handover) else None

    async def _retry(self, handover: Handover, at_ns: int) -> None:
        """Wait for the time and for a turn, then try the same message again."""
        try:
            is_allowed = await self._wait_for_turn(handover, at_ns)
        except asyncio.CancelledError:
            await asyncio.shield(self._round_trips.cut(handover))
            raise
        if is_allowed:
            _keep(self._submissions, asyncio.create_task(self._attempt(handover)))
            return
        await self._round_trips.give_up(handover)
        self._busy.discard(handover.target.name)

    async def _wait_for_turn(self, handover: Handover, at_ns: int) -> bool:
        """False when there is no time left for another attempt, or no need."""
        flight = handover.flight
        while True:
            await self._clock.sleep(max(0.0, (at_ns - self._clock.now_ns()) / _NS))
            now_ns = self._clock.now_ns()
            state = self._endpoints.get(endpoint_of(handover.target))
            came = flight.arrival is not None or flight.bounce is not None
            if state is None or came or now_ns >= _last_attempt_ns(handover):
                return False
            if self._reason_to_wait(state, now_ns) is None:
                return True
            at_ns = now_ns + _TURN_NS

    def _learn(self, endpoint: str, submission: Submission) -> None:
        state = self._endpoints.get(endpoint)
        if state is None:
            return
        stage = submission.failure.stage if submission.failure is not None else None
        if submission.disposition is Disposition.DEFERRED and stage == Phase.RCPT:
            return  # about this recipient: its message waits by itself, and others need not
        failed = submission.disposition in (
            Disposition.DEFERRED,
            Disposition.UNREACHABLE,
            Disposition.UNCERTAIN,
        )
        # A refused password is an answer too, but one that must not be asked for again and again.
        if failed or stage == Phase.AUTH:
            state.backoff = back_off(
                state.backoff,
                self._clock.now_ns(),
                minimum_seconds=self._settings.backoff_minimum,
                maximum_seconds=self._settings.backoff_maximum,
                jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
            )
        elif submission.disposition in (Disposition.ACCEPTED, Disposition.REFUSED):
            state.backoff = Backoff()

    def _miss(self, entry: _Entry, reason: str, count: int = 1) -> None:
        """Have it counted, and wait for nothing: the journal writes what comes together in one transaction."""
        _keep(self._misses, asyncio.create_task(self._count_miss(entry, reason, count)))

    async def _count_miss(self, entry: _Entry, reason: str, count: int) -> None:
        try:
            await self._ledger.record(SlotMissed(route=entry.target.name, count=count, reason=reason))
        except JournalError as error:
            self._uncounted.met(error)
        else:
            self._uncounted.not_met()

    async def _sleep_until_due(self) -> None:
        if self._heap:
            seconds = max(0.0, (self._heap[0][0] - self._clock.now_ns()) / _NS)
            await wait_for_event(self._changed, self._clock, seconds)
        else:
            await self._changed.wait()


def _keep(tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def _last_attempt_ns(handover: Handover) -> int:
    """When the last attempt must have begun: a message that is put off until its deadline has failed by then."""
    probe = handover.flight.probe
    return probe.created_ns + round(probe.deadline_seconds * _NS)


def _endpoint_budgets(targets: Sequence[RouteUnderTest]) -> Mapping[str, int]:
    """Give the budget of each endpoint: the most modest of the senders that share it."""
    budgets: dict[str, int] = {}
    for target in targets:
        endpoint, most = endpoint_of(target), target.sender.max_per_minute
        budgets[endpoint] = min(most, budgets.get(endpoint, most))
    return budgets
