"""The scheduler: which route is sent when, and which is not sent, and why.

In: the routes with their rhythms, and the passing of time. Out: calls of `RoundTrips.send`, and a `SlotMissed` event
for every slot that was not kept. One heap and one sleep for all routes: an idle route costs nothing.

Politeness, in this order: one submission of a route at a time; a bound on its messages in flight; an endpoint that
failed is left alone for a growing while; a budget of messages a minute for each endpoint and for all; a bound on
submissions under way.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from smtp_probe.config.settings import Schedule
from smtp_probe.errors import JournalError
from smtp_probe.model import Disposition, Phase, SlotMissed, Submission
from smtp_probe.ports import Clock
from smtp_probe.probes.ledger import Ledger
from smtp_probe.probes.round_trip import RoundTrips, RouteUnderTest
from smtp_probe.schedule import (
    Backoff,
    Budget,
    Rhythm,
    back_off,
    change_budget,
    keep_slot,
    next_slot,
    open_budget,
    rhythm_of,
    slot_ns,
    spend,
)

_log = logging.getLogger(__name__)
_NS = 1_000_000_000


@dataclass(slots=True)
class _Entry:
    """One scheduled route and the slot that it waits for."""

    target: RouteUnderTest
    rhythm: Rhythm
    slot: int
    is_submitting: bool = False


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
        self._is_stopping = False

    def configure(self, targets: Sequence[RouteUnderTest], settings: Schedule) -> None:
        """Take over a new set of routes; back-off and budgets of endpoints that stay are kept."""
        now_ns = self._clock.now_ns()
        old = self._entries
        self._settings = settings
        self._entries = {}
        for index, target in enumerate(targets):
            rhythm = rhythm_of(index, target.route.interval)
            entry = _Entry(target, rhythm, next_slot(rhythm, now_ns))
            previous = old.get(target.name)
            entry.is_submitting = previous.is_submitting if previous is not None else False
            self._entries[target.name] = entry
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

    def send_now(self, name: str) -> str | None:
        """Send on one route out of turn, within the same budgets. Gives the reason why not, or None."""
        entry = self._entries.get(name)
        if entry is None or self._is_stopping:
            return "shutdown" if self._is_stopping else "unknown"
        now_ns = self._clock.now_ns()
        reason = self._reason_not_to_send(entry, now_ns)
        if reason is None:
            self._start(entry, now_ns)
        return reason

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

    def _start(self, entry: _Entry, scheduled_ns: int) -> None:
        entry.is_submitting = True
        task = asyncio.create_task(self._send(entry, scheduled_ns))
        self._submissions.add(task)
        task.add_done_callback(self._submissions.discard)

    def _reason_not_to_send(self, entry: _Entry, now_ns: int) -> str | None:
        target = entry.target
        if entry.is_submitting or len(self._submissions) >= self._settings.max_submissions:
            return "busy"
        if self._ledger.in_flight(target.name) >= target.route.max_in_flight:
            return "busy"
        endpoint = self._endpoints[endpoint_of(target)]
        if len(self._endpoints) > 1 and endpoint.submitting >= max(1, self._settings.max_submissions // 2):
            return "busy"  # an endpoint that hangs must leave room for the others
        if not endpoint.backoff.is_open(now_ns):
            return "backoff"
        own, common = spend(endpoint.budget, now_ns), self._budget and spend(self._budget, now_ns)
        if own is None or common is None:
            return "budget"
        endpoint.budget, self._budget = own, common
        return None

    async def _send(self, entry: _Entry, scheduled_ns: int) -> None:
        state = self._endpoints[endpoint_of(entry.target)]
        state.submitting += 1
        try:
            flight = await self._round_trips.send(entry.target, scheduled_ns)
            if flight.submission is not None:
                self._learn(endpoint_of(entry.target), flight.submission)
        except JournalError as error:
            _log.warning("not sent, because it could not be written down: %s", error)
            self._miss(entry, "journal")
        except Exception:  # noqa: BLE001 - a bug in one probe must not end the others
            _log.exception("a probe failed by our own fault", extra={"route": entry.target.name})
        finally:
            state.submitting -= 1
            entry.is_submitting = False
            current = self._entries.get(entry.target.name)
            if current is not None:
                current.is_submitting = False

    def _learn(self, endpoint: str, submission: Submission) -> None:
        state = self._endpoints.get(endpoint)
        if state is None:
            return
        failed = submission.disposition in (
            Disposition.DEFERRED,
            Disposition.UNREACHABLE,
            Disposition.UNCERTAIN,
        )
        # A refused password is an answer too, but one that must not be asked for again and again.
        if failed or (submission.failure is not None and submission.failure.stage == Phase.AUTH):
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
        task = asyncio.create_task(self._count_miss(entry, reason, count))
        self._misses.add(task)
        task.add_done_callback(self._misses.discard)

    async def _count_miss(self, entry: _Entry, reason: str, count: int) -> None:
        try:
            await self._ledger.record(SlotMissed(route=entry.target.name, count=count, reason=reason))
        except JournalError as error:
            _log.warning("missed slot not counted: %s", error, extra={"route": entry.target.name})

    async def _sleep_until_due(self) -> None:
        waiter = asyncio.ensure_future(self._changed.wait())
        pending = {waiter}
        if self._heap:
            seconds = max(0.0, (self._heap[0][0] - self._clock.now_ns()) / _NS)
            pending.add(asyncio.ensure_future(self._clock.sleep(seconds)))  # type: ignore[arg-type]
        try:
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in pending:
                task.cancel()


def _endpoint_budgets(targets: Sequence[RouteUnderTest]) -> Mapping[str, int]:
    """Give the budget of each endpoint: the most modest of the senders that share it."""
    budgets: dict[str, int] = {}
    for target in targets:
        endpoint, most = endpoint_of(target), target.sender.max_per_minute
        budgets[endpoint] = min(most, budgets.get(endpoint, most))
    return budgets
