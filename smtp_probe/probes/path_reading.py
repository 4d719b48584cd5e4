"""What all messages together teach of the clocks and ways of the paths, and what each one's way was in that light.

In: a probe with its submission and its arrival, when both are known. Out: the arrival with its store corrected, where its
time went, and which way it took; and pieces of the memory for the journal, to be written with the probe's end. One for
all routes, since one host serves many. Pure besides its memory: waits for nothing, and judges no probe.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pydantic_core import to_json

from smtp_probe.mail.clocks.domains import ClockDomain, DomainRule
from smtp_probe.mail.clocks.estimation import update
from smtp_probe.mail.clocks.events import REFERENCE
from smtp_probe.mail.clocks.facts import (
    ChainObservation,
    ClockLimits,
    ClockReading,
    Dialogue,
    Estimate,
    Sighting,
)
from smtp_probe.mail.clocks.greeting import read_greeting
from smtp_probe.mail.clocks.intake import stamp_clock
from smtp_probe.mail.clocks.observation import Surroundings, observe_probe
from smtp_probe.mail.clocks.state import ClockState, widen_reference
from smtp_probe.mail.clocks.storage import find_changes, read_clocks, write_clocks
from smtp_probe.mail.explanation.delay_findings import check_delays
from smtp_probe.mail.hostnames import normalise_by
from smtp_probe.mail.path.division import (
    Sides,
    assign_roles,
    divide,
    echo_roles,
    find_egress,
    time_echo,
    time_legs,
)
from smtp_probe.mail.path.identity import PathMemory, read_memory, recognise, write_memory
from smtp_probe.mail.path.origin import check_origin, find_origin
from smtp_probe.mail.path.passages import Passage, read_passages
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.model import (
    Arrival,
    ClockOffset,
    ClockSighting,
    ClockStep,
    Echo,
    Egress,
    HopRole,
    HopTime,
    LegTime,
    Memo,
    Origin,
    PathFacts,
    Probe,
    Span,
    Stamp,
    Submission,
    Timing,
)

_log = logging.getLogger(__name__)
CLOCK_MEMO, PATH_MEMO = "clock", "path"
_ANCHOR_SLACK_NS = 20_000_000
"""How far a wall clock may be corrected between two runs without a word. Ours is anchored to it anew at each start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePath:
    """What the configuration says of the path of one route."""

    sides: Sides = field(default_factory=Sides)
    mailbox: ClockDomain = field(default_factory=lambda: ClockDomain(name="mailbox"))
    uses_greeting: bool = False
    """Whether a time in the submission server's greeting is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathReading:
    """What one message's way was. `arrival` has its store corrected."""

    arrival: Arrival
    timing: Timing | None
    path: PathFacts
    route: str
    clocks: frozenset[str] = frozenset()
    """Of which clocks something was learned."""
    is_way_new: bool = True
    """Whether something was learned of the route's ways."""


class PathReader:
    """The memory of clocks and ways."""

    def __init__(self) -> None:
        self.routes: Mapping[str, RoutePath] = {}
        """By name; replaced as a whole when the configuration changes."""
        self.rules: tuple[DomainRule, ...] = ()
        self.limits = ClockLimits()
        self._clocks = ClockState()
        self._paths: dict[str, PathMemory] = {}
        self._stores: dict[str, ClockDomain] = {}
        """By mailbox: the clock that stamped the last arrival there."""
        self._unwritten: frozenset[str] = frozenset()

    # Remembering.

    def restore(self, memos: Iterable[Memo]) -> None:
        """Take up what an earlier run learned. What is damaged is learned anew."""
        pieces: list[tuple[str, object]] = []
        for memo in memos:
            try:
                data = json.loads(memo.text or "null")
            except ValueError:
                _log.warning("a memo of the journal cannot be read", extra={"kind": memo.kind})
                continue
            if memo.kind == CLOCK_MEMO:
                pieces.append((memo.name, data))
            elif memo.kind == PATH_MEMO and (memory := read_memory(data)) is not None:
                self._paths[memo.name] = memory
        self._clocks = widen_reference(read_clocks(pieces), _ANCHOR_SLACK_NS)

    def memos(self, reading: PathReading) -> tuple[Memo, ...]:
        """Give what the journal has to keep after this reading, as it is known now."""
        pieces = write_clocks(self._clocks, reading.clocks)
        memory = self._paths.get(reading.route) if reading.is_way_new else None
        return (
            *(
                Memo(kind=CLOCK_MEMO, name=name, text=None if piece is None else _write(piece))
                for name, piece in pieces.items()
            ),
            *(() if memory is None else (_path_memo(reading.route, memory),)),
        )

    def path_memory(self, route: str) -> PathMemory:
        """What is remembered of the ways of a route."""
        return self._paths.get(route) or PathMemory()

    # Reading.

    def sight(self, mailbox: str, sighting: ClockSighting) -> None:
        """Learn from a reading of a mailbox server's clock. It is written down with the next probe's end."""
        domain = self._stores.get(mailbox)
        if domain is None:
            return  # which of the clocks it is will be known from the first arrival
        stamp = stamp_clock(domain, sighting.at_ns, sighting.resolution_seconds, None)
        seen = Sighting(stamp=stamp, earliest_ns=sighting.earliest_ns, latest_ns=sighting.latest_ns)
        observation = ChainObservation(
            dialogue=Dialogue(final_dot_ns=sighting.earliest_ns),
            hops=(),
            seen_ns=sighting.latest_ns,
            sightings=(seen,),
        )
        before = self._clocks
        self._clocks, _ = update(before, observation, self.limits)
        self._unwritten |= find_changes(before, self._clocks)

    def read(self, probe: Probe, submission: Submission, arrival: Arrival) -> PathReading:
        """Read one message, and learn from it. Each is to be read once."""
        settings = self.routes.get(probe.route) or RoutePath()
        hops = arrival.trace.hops
        echo = arrival.echo
        there = hops if echo is None else hops[: echo.outbound_hops]
        origin, skipped = find_origin(there, submission.queue_id)
        greeting = read_greeting(submission, self.rules) if settings.uses_greeting else None
        around = Surroundings(
            mailbox=settings.mailbox,
            rules=self.rules,
            skipped=skipped,
            begins_at_peer=bool(there) and origin is not Origin.MISSING,
            sightings=() if greeting is None else (greeting,),
        )
        observation = observe_probe(submission, arrival, around)
        timing, clocks = None, frozenset[str]()
        if observation is not None:
            before = self._clocks
            self._clocks, reading = update(before, observation, self.limits)
            clocks = find_changes(before, self._clocks) | self._unwritten
            self._unwritten = frozenset()
            own = observation.sightings[len(around.sightings) :]
            store = observation.store or (own[0].stamp if own else None)
            if store is not None:
                self._stores[probe.mailbox] = ClockDomain(name=store.domain, looseness_ns=store.looseness_ns)
            timing = _tell_timing(reading, skipped)
            unused = {each.position for each in reading.unused}
            has_stamp = observation.store is not None and len(observation.hops) + 1 not in unused
            arrival = _correct(arrival, reading, has_stamp=has_stamp)
        passages = read_passages(arrival.trace)
        parts = _divide(passages, settings.sides, timing, echo)
        known = self._paths.get(probe.route)
        memory, identity, change = recognise(
            known or PathMemory(),
            [normalise_by(passage.host) for passage in passages[skipped:]],
            arrival.seen_ns,
        )
        self._paths[probe.route] = memory
        path = PathFacts(
            identity=identity,
            roles=parts.roles,
            legs=parts.legs,
            egress=parts.egress,
            origin=origin,
            change=change,
            findings=(
                *check_origin(there, origin, submission.queue_id),
                *check_delays(_corrected(passages, timing), split_fields(arrival.header)),
            ),
        )
        return PathReading(
            arrival=arrival,
            timing=timing,
            path=path,
            route=probe.route,
            clocks=clocks,
            is_way_new=memory != known,
        )


class _Parts(NamedTuple):
    """The facts of a path that depend on whose hosts it led over."""

    roles: tuple[HopRole, ...]
    legs: tuple[LegTime, ...]
    egress: Egress | None


def _divide(passages: Sequence[Passage], sides: Sides, timing: Timing | None, echo: Echo | None) -> _Parts:
    hops = timing.hops if timing is not None else ()
    if echo is None:
        division = divide(passages, sides)
        legs = time_legs(hops, division) if timing is not None else ()
        return _Parts(assign_roles(passages, division), legs, find_egress(passages, division))
    there = passages[: echo.outbound_hops]
    egress = find_egress(there, divide(there, Sides(sending=sides.sending)))
    return _Parts(
        roles=echo_roles(passages, echo.outbound_hops, sides),
        legs=time_echo(hops, echo.outbound_hops),
        egress=None if egress is None else replace(egress, is_trusted=False),
    )


def _tell_timing(reading: ClockReading, skipped: int) -> Timing:
    return Timing(
        delivery=_span(reading.delivery),
        hops=tuple(
            HopTime(
                first=hop.first_position + skipped,
                last=hop.last_position + skipped,
                by=hop.label,
                event=hop.event,
                span=_span(hop.duration),
            )
            for hop in reading.hops
        ),
        offsets=tuple(ClockOffset(by=each.domain, span=_span(each.offset)) for each in reading.offsets),
        steps=tuple(
            ClockStep(by=each.domain, at_ns=each.at_ns, shift_ns=each.shift.value_ns)
            for each in reading.steps
            if each.domain != REFERENCE
        ),
        doubted=reading.doubted,
    )


def _corrected(passages: Sequence[Passage], timing: Timing | None) -> tuple[Passage, ...]:
    """The passages with their delays on our clock, where one hop's is known by itself."""
    spans = (
        {hop.first: hop.span for hop in timing.hops if hop.first == hop.last} if timing is not None else {}
    )
    return tuple(
        replace(
            passage,
            delay_seconds=spans[passage.position].seconds,
            uncertainty_seconds=spans[passage.position].uncertainty_seconds,
        )
        if passage.position in spans and passage.before == passage.position - 1
        else passage
        for passage in passages
    )


def _correct(arrival: Arrival, reading: ClockReading, *, has_stamp: bool) -> Arrival:
    """The store as it was on our clock: by the mailbox's stamp, corrected, or else our seeing the message."""
    stamp, resolution = Stamp.SEEN, 1e-9
    if has_stamp and arrival.clock_resolution_seconds is not None:
        resolution = arrival.clock_resolution_seconds
        stamp = arrival.clock_stamp or Stamp.INTERNALDATE
    return replace(
        arrival, stored_ns=reading.stored.value_ns, stamp=stamp, stamp_resolution_seconds=resolution
    )


def _span(estimate: Estimate) -> Span:
    return Span(took_ns=estimate.value_ns, least_ns=estimate.lower_ns, most_ns=estimate.upper_ns)


def _path_memo(route: str, memory: PathMemory) -> Memo:
    return Memo(kind=PATH_MEMO, name=route, text=_write(write_memory(memory)))


def _write(data: object) -> str:
    """Plain data as JSON: by pydantic's writer, which takes a tenth of the time for the many long numbers of a clock."""
    return to_json(data).decode()
