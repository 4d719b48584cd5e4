"""The stamps of one message as intervals: what each clock showed, and when on our clock that can have been.

In: a `ChainObservation`. Out: a `Chain`: its events in order, on a scale whose zero is the final dot. Leaves out stamps
that cannot be readings of a clock, and says which. Compares no clock with another.

Which event a stamp marks decides where a hop begins and ends (read in the servers' sources, and measured):

- `connection`: the client was let in (Dovecot's LMTP id, Halon).
- `mail`: MAIL was taken (the date of Postfix and of Dovecot's LMTP).
- `rcpt`: the first RCPT was taken (the id of Postfix).
- `data`: DATA was begun (the id of Exim; the date of Cyrus, OpenSMTPD, Haraka, maddy).
- `end_of_data`: the whole message was there (the date of Exim, Stalwart and Exchange).
- `stored`: the mailbox took it in.

So from one Postfix to the next a hop is queueing and connecting, without the transfer; to an Exim's date it is with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from smtp_probe.mail.clocks.facts import ChainObservation, ClockLimits, ClockStamp, Dialogue, UnusedStamp

REFERENCE = ""
"""The name of our own clock among the domains."""
MAX_EVENTS = 64
"""More stamps are not read, the oldest are left out: the work grows with the third power."""
_SECOND_NS = 1_000_000_000
_FILING_NS = 10_000_000.0
"""How long a mailbox has a message before it shows it, as a rule; measured on Dovecot: 1 to 3 ms."""
_COARSEST_NS = 3600 * _SECOND_NS
_WINDOWS = {
    "connection": ("connect_ns", "mail_ns"),
    "mail": ("mail_ns", "mail_reply_ns"),
    "rcpt": ("rcpt_ns", "rcpt_reply_ns"),
    # The reply is on its way before the server begins to read: its clock may be read a moment later than we saw it.
    "data": ("data_ns", "final_dot_ns"),
    "end_of_data": ("final_dot_ns", "accepted_ns"),
}
_WHOLE = ("connect_ns", "accepted_ns")
_INSTANTS = (
    *("connect_ns", "mail_ns", "mail_reply_ns", "rcpt_ns", "rcpt_reply_ns"),
    *("data_ns", "data_reply_ns", "final_dot_ns", "accepted_ns"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened between `opens` and `closes` on our clock, while a foreign clock showed `low` to `high`.

    Nanoseconds since the final dot, on either clock. Without a domain no clock was read.
    """

    position: int
    name: str | None
    opens: float
    closes: float
    domain: str | None = None
    low: float = 0.0
    high: float = 0.0
    shared: float = 0.0
    """How far the hosts that share this clock may differ from each other; `low` and `high` allow for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The events of one message: `hops` in the order in which they happened, the store last; `sightings` in none."""

    origin_ns: int
    """The final dot on our clock: zero of every other number here."""
    start: float
    """The first instant of our clock that any event can have been at."""
    end: float
    """The last one."""
    hops: tuple[Event, ...]
    sightings: tuple[Event, ...] = ()
    labels: tuple[str, ...] = ()
    unused: tuple[UnusedStamp, ...] = ()
    absent: float | None = None
    """When the mailbox did not have the message yet, as it said."""
    is_store_believed: bool = False
    domains: tuple[str, ...] = field(init=False)
    """Our own clock, and every other that was read, in the order of their first stamps."""
    links: tuple[tuple[str, str], ...] = field(init=False)
    """The passages of the message from clock to clock, beginning and ending with our own."""

    def __post_init__(self) -> None:
        names = [REFERENCE, *(each.domain for each in self.hops if each.domain is not None)]
        seen = [each.domain for each in self.sightings if each.domain is not None]
        object.__setattr__(self, "domains", tuple(dict.fromkeys(names + seen)))
        object.__setattr__(self, "links", tuple(pairwise([*names, REFERENCE])))

    @property
    def events(self) -> tuple[Event, ...]:
        """Every event; those of the chain first."""
        return self.hops + self.sightings

    def without(self, domains: frozenset[str]) -> Chain:
        """The chain as if these clocks had not been read."""
        *hops, store = self.hops
        lost = tuple(each.position for each in self.hops if each.domain in domains)
        bare = replace(store, domain=None, low=0.0, high=0.0) if store.domain in domains else store
        return replace(
            self,
            hops=(*(each for each in hops if each.domain not in domains), bare),
            sightings=tuple(each for each in self.sightings if each.domain not in domains),
            unused=self.unused + tuple(UnusedStamp(position=at, reason="contradictory") for at in lost),
        )

    def with_late_store(self) -> Chain:
        """The chain as it most likely is: stored hardly before the mailbox was found without the message.

        A server takes a message in a moment before it shows it, and how long that takes is not for us to bound.
        """
        *hops, store = self.hops
        if self.absent is None:
            return self
        opens = min(max(store.opens, self.absent - _FILING_NS), store.closes)
        return replace(self, hops=(*hops, replace(store, opens=opens)))

    def from_the_beginning(self) -> Chain:
        """The chain as it is where the first host hands on while we still speak to it: a proxy, not a queue."""
        hops = [replace(each, opens=self.start) if each.position > 1 else each for each in self.hops]
        return replace(self, hops=tuple(hops))


def read_chain(observation: ChainObservation, limits: ClockLimits) -> Chain:
    """Make the chain of an observation. The store is always its last event, with or without a stamp."""
    dialogue = observation.dialogue
    origin_ns = dialogue.final_dot_ns
    end = float(max(observation.seen_ns - origin_ns, 0))
    unused = dict(_find_unused(observation, limits))
    hops = []
    for position, hop in enumerate(observation.hops, 1):
        if hop.stamp is not None and position not in unused:
            is_first = position == 1 and observation.begins_at_peer
            window = find_window(dialogue, hop.stamp.event, end) if is_first else (0.0, end)
            hops.append(_event(position, hop.stamp, origin_ns, window, limits))
    place = len(observation.hops) + 1
    store = observation.store if place not in unused else None
    if store is None:
        hops.append(Event(position=place, name="stored", opens=0.0, closes=end))
    else:
        hops.append(_event(place, replace(store, event="stored"), origin_ns, (0.0, end), limits))
    sightings = tuple(_read_sightings(observation, limits))
    known = [value for name in _INSTANTS if (value := getattr(dialogue, name)) is not None]
    return Chain(
        origin_ns=origin_ns,
        start=min(float(min(known) - origin_ns), *(each.opens for each in sightings), 0.0),
        end=max(end, *(each.closes for each in sightings), 0.0),
        hops=tuple(hops),
        sightings=sightings,
        labels=tuple(hop.label for hop in observation.hops),
        absent=None if observation.absent_ns is None else float(observation.absent_ns - origin_ns),
        is_store_believed=observation.is_store_believed,
        unused=tuple(UnusedStamp(position=at, reason=why) for at, why in sorted(unused.items())),
    )


def find_window(dialogue: Dialogue, event: str | None, end: float) -> tuple[float, float]:
    """Give when, after the final dot, an event at the server we spoke to can have been.

    Where an instant is not known, the nearest known one outside of it stands for it. An event that is not known, or of
    a later stage than the dialogue's, may be anywhere in the dialogue.
    """
    first, last = _WINDOWS.get(event or "", _WHOLE)
    instants = [getattr(dialogue, name) for name in _INSTANTS]
    before = [value for value in instants[: _INSTANTS.index(first) + 1] if value is not None]
    after = [value for value in instants[_INSTANTS.index(last) :] if value is not None]
    whole = [value for value in instants if value is not None]
    opens = float((before[-1] if before else whole[0]) - dialogue.final_dot_ns)
    closes = float(after[0] - dialogue.final_dot_ns) if after else end
    return opens, max(opens, closes)


def _event(
    position: int, stamp: ClockStamp, origin_ns: int, window: tuple[float, float], limits: ClockLimits
) -> Event:
    at = stamp.at_ns - origin_ns
    loose = limits.looseness_ns + max(stamp.looseness_ns, 0)
    return Event(
        position=position,
        name=stamp.event,
        opens=window[0],
        closes=window[1],
        domain=stamp.domain,
        low=float(at - loose),
        high=float(at + max(stamp.resolution_ns, 1) + loose),
        shared=float(max(stamp.looseness_ns, 0)),
    )


def _find_unused(observation: ChainObservation, limits: ClockLimits) -> Iterator[tuple[int, str]]:
    """Say which positions have no stamp of use. A fine stamp that comes again is a copy of a line, not an event."""
    met: set[tuple[str, int]] = set()
    stamps = [hop.stamp for hop in observation.hops]
    too_old = len(stamps) - MAX_EVENTS
    for position, stamp in enumerate((*stamps, observation.store), 1):
        if stamp is None:
            yield position, "missing"
        elif not _is_sane(stamp, observation.seen_ns, limits):
            yield position, "insane"
        elif position <= too_old:
            yield position, "too_many"
        elif (
            stamp.resolution_ns < _SECOND_NS
            and (stamp.domain, stamp.at_ns) in met
            and position <= len(stamps)
        ):
            yield position, "repeated"
        else:
            met.add((stamp.domain, stamp.at_ns))


def _is_sane(stamp: ClockStamp, seen_ns: int, limits: ClockLimits) -> bool:
    is_near = abs(stamp.at_ns - seen_ns) <= limits.sane_ns
    return is_near and 0 <= stamp.resolution_ns <= _COARSEST_NS and bool(stamp.domain)


def _read_sightings(observation: ChainObservation, limits: ClockLimits) -> Iterator[Event]:
    origin_ns = observation.dialogue.final_dot_ns
    for each in observation.sightings[:MAX_EVENTS]:
        if _is_sane(each.stamp, observation.seen_ns, limits) and each.earliest_ns <= each.latest_ns:
            window = (float(each.earliest_ns - origin_ns), float(each.latest_ns - origin_ns))
            yield _event(0, each.stamp, origin_ns, window, limits)
