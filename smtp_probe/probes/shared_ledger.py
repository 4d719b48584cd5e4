"""The ledger of a watcher: others hand the messages over, this one waits for them and judges.

In: what the engine's stream says of the probes whose mailboxes are ours. Out: their ends. A probe whose worker has fallen
silent is taken over: where its final dot was written down it is `uncertain`, otherwise it may never have been sent; it is
watched for as after a kill of the single daemon, and it is never sent again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from smtp_probe.judgement import cut_short
from smtp_probe.model import Outcome
from smtp_probe.ports import OpenProbe
from smtp_probe.probes.ledger import Flight, Ledger
from smtp_probe.probes.views import inbox_of

_log = logging.getLogger(__name__)


class SharedLedger(Ledger):
    """All open probes of the mailboxes that this process watches."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self._submitters: dict[str, str] = {}
        self._dots: dict[str, int | None] = {}
        self._told: dict[str, int] = {}

    def follow(self, state: OpenProbe, submitter: str, sequence: int | None = None) -> None:
        """Learn how an open probe stands. `submitter`: who is handing its message over; empty for nobody.

        `sequence`: the place of this word in the stream, for who reads ahead: that comes again, after what was before it.
        """
        probe_id = state.probe.probe_id
        flight = self._flights.get(probe_id)
        if sequence is not None:
            if flight is not None and sequence <= self._told.get(probe_id, 0):
                return
            self._told[probe_id] = sequence
        if flight is None:
            flight = Flight(state.probe, taken_up_ns=self._clock.now_ns())
            self._add(flight)
        if flight.outcome is not None:
            return
        flight.is_submitting = bool(submitter) and state.submission is None
        if state.submission is not None:
            flight.submission, flight.submission_recorded = state.submission, True
        flight.overdue = flight.overdue or state.overdue
        flight.delay = flight.delay or state.delay
        self._submitters[probe_id], self._dots[probe_id] = submitter, state.final_dot_ns
        self._await_arrival(flight, state)
        self._check_at(flight, self._clock.now_ns())

    def has_ended(self, outcome: Outcome) -> None:
        """Learn that a probe has ended, by our own word or another's."""
        flight = self._flights.get(outcome.probe.probe_id)
        if flight is not None and flight.outcome is None:
            flight.outcome = outcome
            self._remove(flight)
            flight.ended.set()
        self.forget(outcome.probe.probe_id)

    def take_over(self, is_alive: Callable[[str], bool]) -> int:
        """Take up the probes whose workers are gone. Gives how many."""
        count = 0
        for probe_id, submitter in list(self._submitters.items()):
            flight = self._flights.get(probe_id)
            if flight is None or not flight.is_submitting or is_alive(submitter):
                continue
            dot_ns = self._dots.get(probe_id)
            flight.is_submitting = False
            if dot_ns is not None:
                flight.submission = cut_short(flight.probe, dot_ns)
            self._expect(flight)
            self._check_at(flight, self._clock.now_ns())
            _log.warning(
                "a worker is gone: its probe is watched for and not sent again",
                extra={"route": flight.probe.route, "probe_id": probe_id},
            )
            count += 1
        return count

    def leave(self, mailboxes: Collection[str]) -> list[str]:
        """Forget the probes of mailboxes that others watch from now on. Gives their ids."""
        left = [flight for flight in self._flights.values() if flight.probe.mailbox in mailboxes]
        for flight in left:
            self._remove(flight)
            self.forget(flight.probe.probe_id)
        return [flight.probe.probe_id for flight in left]

    def forget(self, probe_id: str) -> None:
        """Keep nothing of a probe that has ended."""
        for known in (self._submitters, self._dots, self._told):
            known.pop(probe_id, None)

    def _await_arrival(self, flight: Flight, state: OpenProbe) -> None:
        submission = state.submission
        may_arrive = submission.may_arrive if submission is not None else state.final_dot_ns is not None
        if not may_arrive:
            return
        self._expect(flight)
        view = self.views.get(inbox_of(flight.probe))
        if view is not None:
            view.stir()
