"""The open probes: what is known of each, when it must be judged next, and its one end.

In: facts about probes (handed over, submitted, arrived, bounced) and the passing of time. Out: events, first to the
journal and then to the sinks. The policy is `judgement`; this file only brings evidence and carries out the answer.

Rules:

1. The journal comes first. An event that the journal has not taken did not happen: it is tried again, no sink hears
   of it, and the message it speaks of stays in the mailbox.
2. A probe ends once: under its own lock, and by the journal's word.
3. A copy is given to be deleted only after the event that speaks of it has been recorded.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from smtp_probe.errors import JournalError
from smtp_probe.judgement import Overdue, Wait, cut_short, judge
from smtp_probe.model import (
    Arrival,
    Bounce,
    BounceSeen,
    Event,
    Evidence,
    Location,
    Memo,
    Outcome,
    Probe,
    ProbeEnded,
    ProbeHandedOver,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    Submission,
    SubmissionDeferred,
)
from smtp_probe.ports import Clock, Journal, OpenProbe, Sink
from smtp_probe.probes.earliest_arrivals import EarliestArrivals
from smtp_probe.probes.path_reading import PathReader, PathReading
from smtp_probe.probes.recurring_trouble import RecurringTrouble
from smtp_probe.probes.views import Views, Watched, bounces_of, inbox_of
from smtp_probe.probes.waiting import wait_for_event

_log = logging.getLogger(__name__)
_NS = 1_000_000_000
_RECORD_AGAIN_SECONDS = 2.0
_VIEW_SECONDS = 0.25
"""How often to ask whether a mailbox that is waited for has come into view: once for all who wait for it."""


@dataclass(slots=True, eq=False)
class Flight:
    """One open probe and what is known of it. Changes until it has ended."""

    probe: Probe
    submission: Submission | None = None
    submission_recorded: bool = False
    is_submitting: bool = False
    arrival: Arrival | None = None
    reading: PathReading | None = None
    bounce: Bounce | None = None
    delay: Bounce | None = None
    overdue: bool = False
    outcome: Outcome | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    check_at_ns: int = 0
    taken_up_ns: int = 0
    """When it was taken up from whoever watched before; 0 where nobody did."""
    waits_for: Wait | None = None


class Ledger:
    """All open probes of this program."""

    def __init__(
        self, journal: Journal, clock: Clock, sinks: Sequence[Sink], reader: PathReader | None = None
    ) -> None:
        self.views = Views()
        self._journal = journal
        self._clock = clock
        self._sinks = tuple(sinks)
        self._reader = reader or PathReader()
        self._flights: dict[str, Flight] = {}
        self._by_route: dict[str, dict[str, Flight]] = {}
        self._expected: dict[str, dict[str, int]] = {}
        self._uses: dict[str, Counter[str]] = {}
        self._checks: list[tuple[int, str]] = []
        self._check_sooner = asyncio.Event()
        self._earliest = EarliestArrivals()
        self._notes: set[asyncio.Task[None]] = set()
        self._uncounted = RecurringTrouble(_log, clock, "attempts are not counted")

    # Asking.

    def get(self, probe_id: str) -> Flight | None:
        """Give an open probe; None when there is none of that id."""
        return self._flights.get(probe_id)

    def find_queued(self, queue_id: str, bounce_mailbox: str) -> Flight | None:
        """Give the one open probe that the first server took under this id, and whose bounces come here."""
        found = [
            flight
            for flight in self._flights.values()
            if flight.submission is not None
            and queue_id
            and flight.submission.queue_id == queue_id
            and flight.probe.bounce_mailbox == bounce_mailbox
        ]
        return found[0] if len(found) == 1 else None

    def in_flight(self, route: str) -> int:
        """Count the open probes of a route."""
        return len(self._by_route.get(route, ()))

    def routes_in_flight(self) -> frozenset[str]:
        """Name the routes that have open probes."""
        return frozenset(self._by_route)

    def oldest_ns(self, route: str) -> int | None:
        """When the oldest open probe of a route was made."""
        flights = self._by_route.get(route)
        return next(iter(flights.values())).probe.created_ns if flights else None

    def open_probes(self) -> tuple[Flight, ...]:
        """Give all open probes, oldest first."""
        return tuple(self._flights.values())

    def mailboxes_in_use(self) -> set[Watched]:
        """The mailboxes for which an open probe waits."""
        return {(name, account) for name, accounts in self._uses.items() for account in accounts}

    def is_waited_for(self, mailbox: str) -> bool:
        """Whether an open probe waits for a mailbox of this name."""
        return mailbox in self._uses

    def expected_since_ns(self, mailbox: str) -> int | None:
        """When the youngest message that is expected in this mailbox was handed over; None for none."""
        expected = self._expected.get(mailbox)
        return next(reversed(expected.values())) if expected else None

    def quiet_until_ns(self, mailbox: str) -> int | None:
        """Until when none of the expected messages can be here yet, as far as that is known; None for no such time."""
        oldest_ns = next(iter(self._expected.get(mailbox, {}).values()), None)
        return None if oldest_ns is None else oldest_ns + round(self._earliest.quiet_seconds(mailbox) * _NS)

    # Being told.

    def restore(self, probes: Iterable[OpenProbe]) -> None:
        """Take up the probes that an earlier run left open."""
        for known in probes:
            submission = known.submission
            if submission is None and known.final_dot_ns is not None:
                submission = cut_short(known.probe, known.final_dot_ns)
            flight = Flight(known.probe, submission, known.submission is not None, overdue=known.overdue)
            flight.delay, flight.taken_up_ns = known.delay, self._clock.now_ns()
            self._add(flight)
            self._expect(flight)
            self._check_at(flight, self._clock.now_ns())

    async def open(self, probe: Probe) -> Flight:
        """Write a new probe down, before anything of it leaves. Raises JournalError: then it must not be sent."""
        probe = replace(
            probe,
            mailbox_account=self.views.account_of(probe.mailbox),
            bounce_account=self.views.account_of(probe.bounce_mailbox),
        )
        await self.record(ProbeStarted(probe=probe))
        flight = Flight(probe, is_submitting=True)
        self._add(flight)
        return flight

    def handed_over(self, flight: Flight) -> None:
        """Learn that the final dot of this probe's message is being sent: it may arrive from now on."""
        self._expect(flight)
        self.views.stir(inbox_of(flight.probe))
        task = asyncio.create_task(self._write_down_dot(flight.probe, self._clock.now_ns()))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def deferred(self, flight: Flight, submission: Submission) -> None:
        """Learn that a server put the message off, and that it will be tried again: no end, and not awaited."""
        self._expected.get(flight.probe.mailbox, {}).pop(flight.probe.probe_id, None)
        try:
            await self.record(SubmissionDeferred(probe=flight.probe, submission=submission))
        except JournalError as error:
            self._uncounted.met(error)
        else:
            self._uncounted.not_met()

    async def submitted(self, flight: Flight, submission: Submission) -> None:
        """Learn how the submission ended."""
        flight.submission = submission
        flight.is_submitting = False
        if submission.may_arrive:
            self._expect(flight)
        await self.consider(flight)

    async def arrived(self, flight: Flight, arrival: Arrival) -> bool:
        """Learn of a copy. False when another copy has been taken before: this one is a duplicate."""
        if flight.arrival is not None and flight.arrival.location != arrival.location:
            return False
        if flight.outcome is not None and flight.arrival is None:
            return False
        if flight.arrival is None:
            flight.arrival = arrival
        await self.consider(flight)
        return True

    async def bounced(self, flight: Flight, bounce: Bounce) -> None:
        """Learn of a notice about this probe: an end of it, or news."""
        if not bounce.ends_probe:
            event = BounceSeen(route=flight.probe.route, probe_id=flight.probe.probe_id, bounce=bounce)
            await self.record(event)
            if bounce.action == "delayed":
                flight.delay = bounce
            if bounce.is_verified:
                self.discard(bounce.location)
            return
        if flight.bounce is None:
            flight.bounce = bounce
        await self.consider(flight)

    async def _write_down_dot(self, probe: Probe, final_dot_ns: int) -> None:
        with suppress(JournalError):  # the submission's end is written down as well, and that is insisted on
            await self.record(ProbeHandedOver(probe=probe, final_dot_ns=final_dot_ns))

    async def record(self, event: Event) -> bool:
        """Write an event down, then tell the sinks. False when it was known. Raises JournalError."""
        if not await self._journal.record(event):
            return False
        for sink in self._sinks:
            try:
                sink(event)
            except Exception:  # noqa: BLE001 - a sink's bug must not cost a probe its end
                _log.exception("a sink failed", extra={"event": type(event).__name__})
        return True

    def discard(self, location: Location) -> None:
        """Have a copy deleted."""
        view = self.views.get((location.mailbox, location.account))
        if view is not None:
            view.discard(location)

    # Judging.

    async def run(self) -> None:
        """Judge every probe when its time has come, until cancelled."""
        while True:
            self._check_sooner.clear()
            now_ns = self._clock.now_ns()
            while self._checks and self._checks[0][0] <= now_ns:
                check_at_ns, probe_id = heapq.heappop(self._checks)
                flight = self._flights.get(probe_id)
                if flight is not None and flight.check_at_ns == check_at_ns:
                    await self.consider(flight)
                    await asyncio.sleep(0)  # thousands may be due at once, and most of them wait for nothing
            await self._consider_what_came_into_view()
            await self._sleep_until_check()

    async def consider(self, flight: Flight) -> None:
        """Judge one probe by all that is known now, and carry the answer out."""
        async with flight.lock:
            if flight.outcome is not None:
                return
            try:
                await self._consider(flight)
            except JournalError:
                self._check_at(flight, self._clock.now_ns() + round(_RECORD_AGAIN_SECONDS * _NS))

    async def _consider(self, flight: Flight) -> None:
        if flight.is_submitting:
            return  # judged when the submission has ended
        if flight.submission is not None and not flight.submission_recorded:
            await self.record(ProbeSubmitted(probe=flight.probe, submission=flight.submission))
            flight.submission_recorded = True
        self._read_path(flight)
        judgement = judge(self._evidence(flight))
        if isinstance(judgement, Overdue):
            await self.record(ProbeOverdue(probe=flight.probe, at_ns=self._clock.now_ns()))
            flight.overdue = True
            judgement = judge(self._evidence(flight))
        if isinstance(judgement, Wait):
            self._check_at(flight, judgement.until_ns)
            if judgement.view_ns is not None:
                self._wait_for_view(flight, judgement)
        elif isinstance(judgement, Outcome):
            await self._end(flight, judgement)

    async def _end(self, flight: Flight, outcome: Outcome) -> None:
        memos: tuple[Memo, ...] = ()
        if flight.reading is not None:
            outcome = replace(outcome, timing=flight.reading.timing, path=flight.reading.path)
            memos = self._reader.memos(flight.reading)
        await self.record(ProbeEnded(outcome=outcome, memos=memos))
        flight.outcome = outcome
        self._earliest.note(outcome)
        self._remove(flight)
        if flight.arrival is not None:
            self.discard(flight.arrival.location)
        if flight.bounce is not None and flight.bounce.is_verified:
            self.discard(flight.bounce.location)
        flight.ended.set()

    def _read_path(self, flight: Flight) -> None:
        """Correct the arrival by what is known of the clocks, once: each message teaches once."""
        if flight.reading is None and flight.arrival is not None and flight.submission is not None:
            flight.reading = self._reader.read(flight.probe, flight.submission, flight.arrival)
            flight.arrival = flight.reading.arrival

    def _evidence(self, flight: Flight) -> Evidence:
        inbox, bounces = inbox_of(flight.probe), bounces_of(flight.probe)
        return Evidence(
            probe=flight.probe,
            now_ns=self._clock.now_ns(),
            submission=flight.submission,
            arrival=flight.arrival,
            bounce=flight.bounce,
            delay=flight.delay,
            covered_ns=self.views.covered_ns(inbox),
            bounces_covered_ns=self.views.covered_ns(bounces),
            taken_up_ns=flight.taken_up_ns,
            is_being_looked_into=self.views.is_looking(inbox) or self.views.is_looking(bounces),
            overdue=flight.overdue,
            no_room=self.views.lack_of_room(flight.probe),
        )

    def _wait_for_view(self, flight: Flight, wanted: Wait) -> None:
        if flight.waits_for != wanted and wanted.view_ns is not None:
            inbox, bounces = inbox_of(flight.probe), bounces_of(flight.probe)
            mailboxes = (inbox, bounces) if wanted.with_bounces and bounces is not None else (inbox,)
            self.views.wait(flight.probe.probe_id, mailboxes, wanted.view_ns)
            flight.waits_for = wanted
            self._check_sooner.set()
        self._nudge(flight)

    async def _consider_what_came_into_view(self) -> None:
        for probe_id in self.views.seen():
            if (flight := self._flights.get(probe_id)) is not None:
                flight.waits_for = None
                await self.consider(flight)

    async def _sleep_until_check(self) -> None:
        if not self._checks and not self.views.is_waited_for:
            await self._check_sooner.wait()
            return
        wait = (self._checks[0][0] - self._clock.now_ns()) / _NS if self._checks else _VIEW_SECONDS
        wait = min(wait, _VIEW_SECONDS) if self.views.is_waited_for else wait
        await wait_for_event(self._check_sooner, self._clock, max(0.0, wait))

    # Bookkeeping.

    def _add(self, flight: Flight) -> None:
        self._flights[flight.probe.probe_id] = flight
        for name, account in _mailboxes_of(flight.probe):
            self._uses.setdefault(name, Counter())[account] += 1
        self._by_route.setdefault(flight.probe.route, {})[flight.probe.probe_id] = flight

    def _remove(self, flight: Flight) -> None:
        probe = flight.probe
        if self._flights.pop(probe.probe_id, None) is not None:
            for name, account in _mailboxes_of(probe):  # only of these: there may be thousands of others
                self._uses[name] -= Counter((account,))
                if not self._uses[name]:
                    del self._uses[name]
        of_route = self._by_route.get(probe.route, {})
        of_route.pop(probe.probe_id, None)
        if not of_route:
            self._by_route.pop(probe.route, None)
        self._expected.get(probe.mailbox, {}).pop(probe.probe_id, None)

    def _expect(self, flight: Flight) -> None:
        expected = self._expected.setdefault(flight.probe.mailbox, {})
        since_ns = flight.submission.final_dot_ns if flight.submission is not None else None
        expected.setdefault(flight.probe.probe_id, since_ns or self._clock.now_ns())

    def _nudge(self, flight: Flight) -> None:
        for each in _mailboxes_of(flight.probe):
            self.views.nudge(each)

    def _check_at(self, flight: Flight, instant_ns: int) -> None:
        flight.check_at_ns = instant_ns
        heapq.heappush(self._checks, (instant_ns, flight.probe.probe_id))
        if self._checks[0][0] == instant_ns:
            self._check_sooner.set()


def _mailboxes_of(probe: Probe) -> tuple[Watched, ...]:
    bounces = bounces_of(probe)
    return (inbox_of(probe),) if bounces is None else (inbox_of(probe), bounces)
