"""From a message in a mailbox to a fact about a probe.

In: every message that a mailbox shows. Out: an arrival, a bounce, a duplicate or a forgery, told to the ledger; or
nothing, for somebody else's mail. Verifies the signature before anything else is believed, and never touches a
message whose signature does not verify.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from smtp_probe.errors import JournalError, MailboxError
from smtp_probe.mail.addresses import strip_tag
from smtp_probe.mail.alterations import find_alterations
from smtp_probe.mail.bounce.event import is_event
from smtp_probe.mail.bounce.prose import may_be_bounce
from smtp_probe.mail.bounce.reason import find_reason
from smtp_probe.mail.bounce.report import BounceReport, read_bounce
from smtp_probe.mail.path.fork import find_fork
from smtp_probe.mail.path.origin import was_sent_anew
from smtp_probe.mail.recognition import Candidate, find_candidates, is_automatic_answer, is_own_by_content
from smtp_probe.mail.spam_filters import read_spam_results
from smtp_probe.mail.stamps import choose_stored, read_clock
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.tag import TagKey, peek, verify
from smtp_probe.mail.trace import read_trace
from smtp_probe.model import (
    Alteration,
    Arrival,
    Bounce,
    BounceSeen,
    DuplicateSeen,
    ForgerySeen,
    MailboxMessage,
    Stamp,
    StraySeen,
    Tag,
    Trace,
)
from smtp_probe.ports import Clock, FetchText, Journal
from smtp_probe.probes.echoes import EchoTerms, as_answer, read_echo
from smtp_probe.probes.ledger import Flight, Ledger
from smtp_probe.probes.verdict_watch import VerdictWatch

_log = logging.getLogger(__name__)
_BOUNCE_BYTES = 131_072
_KEPT_HEADER_BYTES = 32_768
_BODY_BYTES = 8_192
_LARGEST_OWN_BYTES = 16_777_216
_STRONG_CARRIERS = frozenset({"header", "message-id"})
"""Carriers that no forward, reply or ticket takes over. A token elsewhere counts only in mail from our own address."""
_CHECKED_BYTES = 65_536
"""So much more than was sent the body of our own message may have, and is fetched to see whether it came through unharmed."""
_SIZE_DOUBT_BYTES = 256
"""A server's word for a size is not exact everywhere; the shortest body of ours is longer than this."""
_GROWTH = 1.5
"""And so many times: base64 is a third longer, with what gateways add."""


@dataclass(frozen=True, slots=True)
class RouteIdentity:
    """What a tag is signed over, by route."""

    name: str
    recipient: str
    sweep_after_seconds: float
    author: str = ""
    """The address in our From header: who a message must be from where only weak carriers name us."""
    echo: EchoTerms | None = None
    """What counts as an answer, on an echo route."""
    size_bytes: int = 0
    """How large the messages are."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A verified tag, the route it belongs to, and where in the message it stood."""

    tag: Tag
    route: str
    found_in: str


class Arrivals:
    """Looks at the messages of all mailboxes."""

    def __init__(self, ledger: Ledger, journal: Journal, clock: Clock, keys: Sequence[TagKey]) -> None:
        self._routes: Mapping[bytes, RouteIdentity] = {}
        self._echo_mailboxes: Collection[str] = ()
        """Where an answer may be what is waited for."""
        self._ledger = ledger
        self._journal = journal
        self._clock = clock
        self._keys = tuple(keys)
        self.verdicts: VerdictWatch | None = None
        """Who forms verdicts on what has arrived; None: nobody."""

    @property
    def routes(self) -> Mapping[bytes, RouteIdentity]:
        """By the hash that a tag carries; replaced as a whole when the configuration changes."""
        return self._routes

    @routes.setter
    def routes(self, routes: Mapping[bytes, RouteIdentity]) -> None:
        self._routes = routes
        self._echo_mailboxes = {each.echo.mailbox for each in routes.values() if each.echo is not None}

    async def look_at(self, message: MailboxMessage, fetch_text: FetchText) -> None:
        """Make of one message what it is. Raises JournalError where it has to be looked at again, when the journal works."""
        try:
            if self._may_be_echo(message) and await self._look_at_echo(message, fetch_text):
                return
            if is_automatic_answer(message.header):
                await self._look_at_answer(message, fetch_text)
                return
            candidates = find_candidates(message.header)
            is_marked = any(each.found_in in _STRONG_CARRIERS for each in candidates)
            # A bounce may be one by its words alone; a message that bears our own marks itself never is.
            if is_marked or not await self._is_bounce_in_prose(message, fetch_text):
                await self._look_at_mail(message, candidates, fetch_text)
        except (JournalError, MailboxError):
            raise  # of the second its watcher makes a new connection
        except Exception:  # noqa: BLE001 - a bug met by one message must not end the watching of all others
            _log.exception(
                "a message could not be read by our own fault", extra={"location": message.location}
            )

    async def _is_bounce_in_prose(self, message: MailboxMessage, fetch_text: FetchText) -> bool:
        """Whether it is a bounce though no header marks it as an answer; it is then dealt with."""
        fields = split_fields(message.header)
        if not (may_be_bounce(fields) or is_event(fields)):
            return False
        return await self._look_at_answer(message, fetch_text)

    async def _look_at_mail(
        self, message: MailboxMessage, candidates: Sequence[Candidate], fetch_text: FetchText
    ) -> None:
        if not candidates and self._may_be_ours(message):
            candidates = find_candidates(message.header, await fetch_text(_BODY_BYTES))
        if not candidates:
            return
        recognised = self._verify(candidates)
        if recognised is None:
            if self._is_ours_to_judge(candidates):
                await self._ledger.record(ForgerySeen(location=message.location))
            return
        flight = await self._find(recognised, message.location.mailbox)
        if recognised.found_in not in _STRONG_CARRIERS and not (
            self._is_from_us(message, recognised)
            and is_own_by_content(
                message.header, await fetch_text(_BODY_BYTES), flight.probe.created_ns if flight else None
            )
        ):
            return  # mail that quotes or forwards ours, or an answer from the same address
        if self._is_echo(recognised, flight):
            self._ledger.discard(message.location)  # it tells nothing where its answer is waited for
            return
        if flight is None:
            await self._look_at_stray(message, recognised)
            return
        body = await self._fetch_body(message, flight, recognised, fetch_text)
        alterations = await self._compare(message, flight, recognised, body)
        arrival = self._arrival(message, flight, recognised, body, alterations)
        if self.verdicts is not None and flight.arrival is None and flight.outcome is None:
            # Told first, and nothing waits for it. Where all its answers are at hand it is done before the journal
            # begins to write, and shares the transaction of the probe's end.
            self.verdicts.arrived(flight.probe.route, flight.probe.probe_id, message, body)
        if not await self._ledger.arrived(flight, arrival):
            await self._count_duplicate(message, recognised)

    # Echo routes: only there an answer is what is waited for.

    def _may_be_echo(self, message: MailboxMessage) -> bool:
        return message.location.mailbox in self._echo_mailboxes

    async def _find(self, recognised: Recognised, mailbox: str = "") -> Flight | None:
        """Give an open probe. Where others send, the journal may know of one of which the ledger is just being told."""
        probe_id, route = recognised.tag.probe_id, recognised.route
        flight = self._ledger.get(probe_id)
        if flight is None and await self._journal.probe_state(probe_id, route, mailbox) == "open":
            flight = self._ledger.get(probe_id)
        return flight

    def _is_echo(self, recognised: Recognised, flight: Flight | None) -> bool:
        if flight is not None:
            return flight.probe.is_echo
        identity = self.routes.get(recognised.tag.route_hash)
        return identity is not None and identity.echo is not None

    async def _look_at_echo(self, message: MailboxMessage, fetch_text: FetchText) -> bool:
        """Deal with what quotes a message of an echo route. False for what does not."""
        answer = read_echo(message, await fetch_text(_BOUNCE_BYTES))
        recognised = self._verify(answer.candidates) if answer is not None else None
        if answer is None or recognised is None or answer.is_original:
            return False
        flight = await self._find(recognised)
        if not self._is_echo(recognised, flight):
            return False
        identity = self.routes.get(recognised.tag.route_hash)
        terms = identity.echo if identity is not None else None
        if terms is None or terms.mailbox != message.location.mailbox or not answer.is_from(terms.authors):
            return True  # somebody else's mail that quotes ours
        if flight is None:
            await self._look_at_stray(message, recognised)
            return True
        alterations = await self._compare(message, flight, recognised, None)
        arrival = self._arrival(message, flight, recognised, None, alterations)
        arrival = as_answer(arrival, answer, recognised.tag.token, message.header)
        if not await self._ledger.arrived(flight, arrival):
            await self._count_duplicate(message, recognised)
        return True

    async def _fetch_body(
        self, message: MailboxMessage, flight: Flight, recognised: Recognised, fetch_text: FetchText
    ) -> bytes | None:
        """The whole body of the first copy; None for one far larger than what was sent, and one that is gone already."""
        signed_bytes = 0
        identity = self.routes.get(recognised.tag.route_hash)
        sent_bytes = identity.size_bytes if identity is not None else 0
        if self.verdicts is not None:
            signed_bytes = self.verdicts.wanted_bytes(flight.probe.route, message.header)
        limit = max(min(_CHECKED_BYTES + round(sent_bytes * _GROWTH), _LARGEST_OWN_BYTES), signed_bytes)
        if message.size_bytes is None or message.size_bytes > limit or flight.arrival is not None:
            return None
        body = await fetch_text(limit)
        is_gone = not body and message.size_bytes > len(message.header) + _SIZE_DOUBT_BYTES
        return None if is_gone else body

    async def _compare(
        self, message: MailboxMessage, flight: Flight, recognised: Recognised, body: bytes | None
    ) -> tuple[Alteration, ...]:
        """What was changed on the way. A large body takes a while, and a thread."""
        work = partial(find_alterations, message.header, body, flight.probe.body_digest, recognised.tag.token)
        return work() if body is None or len(body) <= _CHECKED_BYTES else await asyncio.to_thread(work)

    def _arrival(
        self,
        message: MailboxMessage,
        flight: Flight,
        recognised: Recognised,
        body: bytes | None,
        alterations: tuple[Alteration, ...],
    ) -> Arrival:
        is_damaged = any(each.is_damage for each in alterations)
        final_dot_ns = flight.submission.final_dot_ns if flight.submission is not None else None
        sent_ns = final_dot_ns or flight.probe.created_ns
        stored_ns, stamp, resolution_seconds = choose_stored(message, sent_ns)
        is_only_a_bound = stamp is Stamp.SEEN and not message.in_view
        clock = read_clock(message)
        return Arrival(
            location=message.location,
            placement=message.placement,
            seen_ns=message.seen_ns,
            stored_ns=stored_ns,
            stamp=stamp,
            stamp_resolution_seconds=resolution_seconds,
            earliest_ns=max(sent_ns, message.absent_ns or 0) if is_only_a_bound else None,
            trace=read_trace(message.header),
            corrupted=None if body is None and not is_damaged else is_damaged,
            alterations=alterations,
            clock_ns=clock[0] if clock is not None else None,
            clock_stamp=clock[1] if clock is not None else None,
            clock_resolution_seconds=clock[2] if clock is not None else None,
            guid=message.guid,
            absent_ns=message.absent_ns,
            found_in=recognised.found_in,
            spam=read_spam_results(split_fields(message.header)),
            header=message.header[:_KEPT_HEADER_BYTES],
        )

    async def _look_at_stray(self, message: MailboxMessage, recognised: Recognised) -> None:
        """Handle our own message whose probe is not open: a further copy, or an orphan of another run."""
        probe_id, route = recognised.tag.probe_id, recognised.route
        state = await self._journal.probe_state(probe_id, route, message.location.mailbox)
        if state == "unseen":  # it ended before it was ever found: this is the first copy, not a further one
            _log.info("message of a probe that had ended", extra={"probe_id": probe_id})
            self._ledger.discard(message.location)
            return
        if state is not None:
            await self._count_duplicate(message, recognised)
            return
        identity = self.routes.get(recognised.tag.route_hash)
        age_seconds = self._clock.now_ns() / 1e9 - recognised.tag.sent_ms / 1e3
        if identity is not None and age_seconds > identity.sweep_after_seconds:
            self._ledger.discard(message.location)
        else:
            await self._ledger.record(StraySeen(location=message.location))

    def _is_from_us(self, message: MailboxMessage, recognised: Recognised) -> bool:
        identity = self.routes.get(recognised.tag.route_hash)
        author = identity.author.lower().encode() if identity is not None else b""
        authors = [value.lower() for name, value in split_fields(message.header) if name == "from"]
        return bool(author) and len(authors) == 1 and author in authors[0]

    async def _count_duplicate(self, message: MailboxMessage, recognised: Recognised) -> None:
        # The journal knows the copies that were counted before, so a copy that is listed twice counts once.
        probe_id = recognised.tag.probe_id
        flight = self._ledger.get(probe_id)
        if flight is not None and flight.arrival is not None:
            first: Trace | None = flight.arrival.trace
            queue_id = flight.submission.queue_id if flight.submission is not None else None
        else:
            first, queue_id = await self._journal.first_copy(probe_id, recognised.route)
        copy = read_trace(message.header)
        if first is not None and was_sent_anew(first.hops, copy.hops, queue_id):
            # A replay: a genuine tag on a message that is not ours. It is counted, and left alone.
            await self._ledger.record(ForgerySeen(location=message.location))
            return
        event = DuplicateSeen(
            route=recognised.route,
            probe_id=probe_id,
            location=message.location,
            fork=None if first is None else find_fork(first, copy),
        )
        await self._ledger.record(event)
        self._ledger.discard(message.location)

    async def _look_at_answer(self, message: MailboxMessage, fetch_text: FetchText) -> bool:
        """Deal with a bounce. False for what is none."""
        report = read_bounce(message.header, await fetch_text(_BOUNCE_BYTES))
        if report is None:
            return False
        recognised = self._verify(report.candidates)
        if recognised is None:
            await self._look_at_untagged(message, report)
            return True  # somebody else's, or one that names our message by its queue id alone
        bounce = _bounce(message, report)
        flight = await self._find(recognised)
        if flight is not None:
            await self._ledger.bounced(flight, bounce)
        elif await self._journal.probe_state(recognised.tag.probe_id, recognised.route) is not None:
            event = BounceSeen(route=recognised.route, probe_id=recognised.tag.probe_id, bounce=bounce)
            await self._ledger.record(event)
            self._ledger.discard(message.location)
        return True

    async def _look_at_untagged(self, message: MailboxMessage, report: BounceReport) -> None:
        """Tie a bounce that returns nothing of our message to its probe by the queue id of the first server's reply.

        No signature vouches for that, so the recipient and the mailbox must be the probe's as well, and only an open
        probe can be meant. Who knows a queue id has seen the message or the server's log, and could as well have copied
        the tag. The bounce ends the probe, but it is not proven to be ours: it is never deleted.
        """
        flight = self._ledger.find_queued(report.queue_id or "", message.location.mailbox)
        recipient = strip_tag(report.recipient or "").lower()
        if flight is not None and recipient == flight.probe.recipient.lower() and report.action is not None:
            await self._ledger.bounced(flight, replace(_bounce(message, report), is_verified=False))

    def _verify(self, candidates: Sequence[Candidate]) -> Recognised | None:
        for candidate in candidates:
            claim = peek(candidate.token)
            if claim is None:
                continue
            for route, recipient in self._signed_over(claim.probe_id, claim.route_hash):
                tag = verify(candidate.token, self._keys, route, recipient)
                if tag is not None:
                    return Recognised(tag, route, candidate.found_in)
        return None

    def _signed_over(self, probe_id: str, route_hash: bytes) -> list[tuple[str, str]]:
        """Routes and recipients that this tag may have been signed over: as sent, and as configured now."""
        flight = self._ledger.get(probe_id)
        pairs = [(flight.probe.route, flight.probe.recipient)] if flight is not None else []
        identity = self.routes.get(route_hash)
        if identity is not None:
            pairs.append((identity.name, identity.recipient))
        return pairs

    def _is_ours_to_judge(self, candidates: Sequence[Candidate]) -> bool:
        """Whether a tag claims one of our routes: only then is a wrong signature a forgery, not another prober's."""
        claims = (peek(candidate.token) for candidate in candidates)
        return any(claim is not None and claim.route_hash in self.routes for claim in claims)

    def _may_be_ours(self, message: MailboxMessage) -> bool:
        is_small = message.size_bytes is None or message.size_bytes <= _LARGEST_OWN_BYTES
        return is_small and self._ledger.expected_since_ns(message.location.mailbox) is not None


def _bounce(message: MailboxMessage, report: BounceReport) -> Bounce:
    until = report.will_retry_until
    return Bounce(
        location=message.location,
        seen_ns=message.seen_ns,
        kind=report.kind,
        action=report.action,
        status=report.status,
        recipient=report.recipient,
        reporting_mta=report.reporting_mta,
        remote_mta=report.remote_mta,
        diagnostic=report.diagnostic,
        retry_until_ns=None if until is None else round(until.timestamp()) * 10**9,
        reason=find_reason(report),
    )
