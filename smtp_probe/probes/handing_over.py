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
from smtp_probe.model import Probe, ProbeStarted, ProbeSubmitted, Submission
from smtp_probe.ports import Clock, Journal, Sink
from smtp_probe.probes.ledger import Flight, Ledger, cut_short

_log = logging.getLogger(__name__)
_AGAIN_SECONDS = 1.0
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
        try:
            await self._insist(ProbeSubmitted(probe=flight.probe, submission=submission))
        finally:
            self._remove(flight)
            self._forget(flight.probe.probe_id)
            flight.ended.set()

    async def close(self) -> None:
        """Leave open what is open."""
        for task in self._settling:
            task.cancel()
        if self._settling:
            await asyncio.wait(self._settling, timeout=1.0)

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
