"""The ledger of a worker: it hands messages over, and leaves the waiting and the judging to whoever watches the mailbox.

In: what `RoundTrips` tells. Out: events up to the end of the submission. A probe that somebody has started already is not
sent; one of whose start it is not known whether it was written down is not sent either, and is said to be cut short as soon
as that is known.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from smtp_probe.errors import AlreadyStarted, JournalError
from smtp_probe.judgement import cut_short
from smtp_probe.model import Probe, ProbeStarted, ProbeSubmitted, Submission
from smtp_probe.ports import Clock, Journal, Sink
from smtp_probe.probes.ledger import Flight, Ledger

_log = logging.getLogger(__name__)
_AGAIN_SECONDS = 1.0
_DOT_SECONDS = 0.1
"""The final dot is written down when its reply does not come within this time: after most dots it does, and then the end of the
submission says all. Who dies within it leaves a probe that is watched for like any other, and never blamed on the mail path."""
_TRIES = 600
"""So often the end of a submission is tried to be written down; long before, others have taken the probe over."""


class HandingOver(Ledger):
    """The probes of this worker whose messages are being handed over."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        sinks: Sequence[Sink],
        came_through: Callable[[Probe], Awaitable[bool]],
        forget: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__(journal, clock, sinks)
        self._forget = forget
        self._came_through = came_through
        self._settling: set[asyncio.Task[None]] = set()
        self._dots: dict[str, int] = {}
        """When the final dots were sent that no reply has come to yet."""

    async def open(self, probe: Probe) -> Flight:
        """Write a new probe down. Raises AlreadyStarted, JournalError: then it must not be sent."""
        probe = replace(
            probe,
            mailbox_account=self.views.account_of(probe.mailbox),
            bounce_account=self.views.account_of(probe.bounce_mailbox),
        )
        try:
            is_new = await self.record(ProbeStarted(probe=probe))
        except JournalError:
            task = asyncio.create_task(self._settle(probe), name="settle")
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
            raise
        if not is_new:
            raise AlreadyStarted(probe.probe_id)
        flight = Flight(probe, is_submitting=True)
        self._add(flight)
        return flight

    async def submitted(self, flight: Flight, submission: Submission) -> None:
        """Write down how the submission ended, and have done with it."""
        flight.submission = submission
        flight.is_submitting = False
        self._dots.pop(flight.probe.probe_id, None)
        try:
            await self._insist(ProbeSubmitted(probe=flight.probe, submission=submission))
        finally:
            self._remove(flight)
            self._forget(flight.probe.probe_id)
            flight.ended.set()

    def handed_over(self, flight: Flight) -> None:
        """Learn that the final dot of this probe's message is being sent."""
        self._dots[flight.probe.probe_id] = self._clock.now_ns()
        super().handed_over(flight)

    async def deferred(self, flight: Flight, submission: Submission) -> None:
        """Write down that a server put the message off: what it has put off is not with it."""
        self._dots.pop(flight.probe.probe_id, None)
        await super().deferred(flight, submission)

    async def close(self) -> None:
        """Leave open what is open."""
        for task in self._settling:
            task.cancel()
        if self._settling:
            await asyncio.wait(self._settling, timeout=1.0)

    async def _write_down_dot(self, probe: Probe, final_dot_ns: int) -> None:
        sent_ns = self._dots.get(probe.probe_id)
        await self._clock.sleep(_DOT_SECONDS)
        if sent_ns is not None and self._dots.get(probe.probe_id) == sent_ns:
            await super()._write_down_dot(probe, final_dot_ns)

    async def _insist(self, event: ProbeSubmitted) -> None:
        for _ in range(_TRIES):
            try:
                await self.record(event)
            except JournalError as error:
                _log.debug("the end of a submission waits to be written down: %s", error)
                await self._clock.sleep(_AGAIN_SECONDS)
            else:
                return
        _log.error("the end of a submission was not written down", extra={"route": event.probe.route})

    async def _settle(self, probe: Probe) -> None:
        """Say of a probe that was written down, though we did not hear so, that it was not sent."""
        for _ in range(_TRIES):
            try:
                if await self._came_through(probe):
                    await self.record(ProbeSubmitted(probe=probe, submission=cut_short(probe, None)))
            except JournalError:
                await self._clock.sleep(_AGAIN_SECONDS)
            else:
                return
