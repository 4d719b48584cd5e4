"""Sending one probe: identity, message, journal, submission, in this order.

In: a route and the slot it is sent for. Out: an open probe in the ledger, which is judged there when it arrives,
bounces or stays away. Raises JournalError before anything is sent when the probe cannot be written down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from smtp_probe.config.settings import Route, Sender
from smtp_probe.judgement import cut_short
from smtp_probe.mail.addresses import tag_address
from smtp_probe.mail.message import Draft, build_message
from smtp_probe.mail.tag import TagKey, make_tag
from smtp_probe.model import Disposition, Phase, Probe, Submission
from smtp_probe.ports import Clock, Envelope, Submitter
from smtp_probe.probes.ledger import Flight, Ledger
from smtp_probe.probes.verdict_watch import VerdictWatch

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RouteUnderTest:
    """A route with all that it takes to send on it."""

    name: str
    route: Route
    sender: Sender
    submitter: Submitter


@dataclass(slots=True)
class Handover:
    """One message on its way to a server: the same one at every attempt."""

    target: RouteUnderTest
    flight: Flight
    envelope: Envelope
    attempts: int = 0
    first_attempt_ns: int | None = None
    last: Submission | None = None
    """How the last attempt ended, where it was put off."""

    def number(self, submission: Submission) -> Submission:
        """Say in a submission which attempt it was."""
        if self.attempts <= 1:
            return submission
        return replace(submission, attempts=self.attempts, first_attempt_ns=self.first_attempt_ns)


class RoundTrips:
    """Starts probes. One for all routes."""

    def __init__(
        self, ledger: Ledger, clock: Clock, keys: Sequence[TagKey], sequences: dict[str, int] | None = None
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._keys = tuple(keys)
        self._sequences = sequences if sequences is not None else {}
        self.verdicts: VerdictWatch | None = None
        """Who compares what arrives with what was sent; None: nobody."""
        self.identify: Callable[[str, int], tuple[int, int]] = self._count
        """Gives the sequence number and the milliseconds of a tag, by route and slot; replaced where others must find the
        same ones for the same slot."""

    async def send(
        self, target: RouteUnderTest, scheduled_ns: int, on_phase: Progress | None = None
    ) -> Flight:
        """Send one probe at one attempt; returns when that has ended and been judged. Raises JournalError."""
        handover = await self.open(target, scheduled_ns)
        await self.end(handover, await self.attempt(handover, on_phase))
        return handover.flight

    async def open(self, target: RouteUnderTest, scheduled_ns: int) -> Handover:
        """Make a probe and write it down; nothing is sent yet. Raises JournalError."""
        probe, envelope = self._prepare(target, scheduled_ns)
        if self.verdicts is not None:
            self.verdicts.remember(target.name, probe.probe_id, envelope.message)
        return Handover(target, await self._ledger.open(probe), envelope)

    async def attempt(self, handover: Handover, on_phase: Progress | None = None) -> Submission:
        """Run one transaction. What it came to is for the caller to tell: `end`, or `put_off` and another attempt."""
        flight = handover.flight
        final_dot_ns: int | None = None
        handover.attempts += 1

        def note(phase: str) -> None:
            nonlocal final_dot_ns
            if phase == Phase.ACCEPT:
                final_dot_ns = self._clock.now_ns()
                self._ledger.handed_over(flight)
            if on_phase is not None:
                on_phase(phase)

        try:
            submission = await handover.target.submitter.submit(handover.envelope, on_phase=note)
        except asyncio.CancelledError:
            await asyncio.shield(self.end(handover, cut_short(flight.probe, final_dot_ns)))
            raise
        if handover.attempts == 1:
            handover.first_attempt_ns = submission.started_ns
        return handover.number(submission)

    async def put_off(self, handover: Handover, submission: Submission) -> None:
        """Tell that an attempt ended with a 4xx reply, and that there will be another one."""
        handover.last = submission
        await self._ledger.deferred(handover.flight, submission)

    async def end(self, handover: Handover, submission: Submission) -> None:
        """Tell how the last attempt ended: the probe is judged by that."""
        await self._ledger.submitted(handover.flight, submission)

    async def give_up(self, handover: Handover) -> None:
        """End a probe that was put off for good: there is no time for another attempt."""
        assert handover.last is not None
        came = handover.flight.arrival is not None or handover.flight.bounce is not None
        # A server that said 4xx and took the message all the same: what came of it counts for more than its word.
        uncertain = replace(handover.last, disposition=Disposition.UNCERTAIN)
        await self.end(handover, uncertain if came else handover.last)

    async def cut(self, handover: Handover) -> None:
        """End a probe whose next attempt our own end prevents: nothing is known of the path."""
        await self.end(handover, handover.number(cut_short(handover.flight.probe, None)))

    def _count(self, route: str, _scheduled_ns: int) -> tuple[int, int]:
        sequence = self._sequences.get(route, 0) + 1
        self._sequences[route] = sequence
        return sequence, self._clock.now_ns() // 1_000_000

    def _prepare(self, target: RouteUnderTest, scheduled_ns: int) -> tuple[Probe, Envelope]:
        route, sender, now_ns = target.route, target.sender, self._clock.now_ns()
        sequence, sent_ms = self.identify(target.name, scheduled_ns)
        tag = make_tag(self._keys, target.name, sequence, sent_ms, route.recipient)
        built = build_message(
            Draft(
                tag=tag,
                route=target.name,
                sender=sender.envelope_from,
                author=sender.from_,
                recipient=route.recipient,
                created_ns=now_ns,
                size_bytes=route.message_size,
                plus_address=route.plus_address,
                wants_answer=route.echo,
            )
        )
        probe = Probe(
            probe_id=tag.probe_id,
            route=target.name,
            sequence=sequence,
            sender=route.sender,
            mailbox=route.mailbox,
            bounce_mailbox=route.bounce_mailbox,
            recipient=route.recipient,
            scheduled_ns=scheduled_ns,
            created_ns=now_ns,
            deadline_seconds=route.deadline,
            give_up_after_seconds=route.give_up_after,
            body_digest=built.body_digest,
            junk_is_failure=route.junk_is_failure,
            is_echo=route.echo,
        )
        bounces_to = tag_address(sender.envelope_from, tag.token) if sender.verp else sender.envelope_from
        envelope = Envelope(
            sender=bounces_to, recipient=built.recipient, envid=built.envid, message=built.message
        )
        return probe, envelope
