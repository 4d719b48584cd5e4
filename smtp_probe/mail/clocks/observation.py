"""One probe that arrived, as the estimation of clocks wants to see it.

In: a submission, an arrival, and the clock domain of the mailbox's server. Out: a `ChainObservation`; None where the
instant of the final dot is not known, since there is no zero to count from then. Estimates nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smtp_probe.mail.clocks.domains import ClockDomain, DomainRule
from smtp_probe.mail.clocks.facts import ChainObservation, ClockStamp, HopStamp, Sighting
from smtp_probe.mail.clocks.intake import read_dialogue, stamp_clock, stamp_hops
from smtp_probe.mail.queue_ids.dovecot import is_same_host
from smtp_probe.model import Arrival, Stamp, Submission

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the estimation has to know besides the message itself."""

    mailbox: ClockDomain
    """The clock of the mailbox's server."""
    rules: Sequence[DomainRule] = ()
    skipped: int = 0
    """So many of the lowest lines are not of our message's way."""
    begins_at_peer: bool = True
    """Whether the first line is that of the server we spoke to."""
    sightings: Sequence[Sighting] = ()


def observe_probe(submission: Submission, arrival: Arrival, around: Surroundings) -> ChainObservation | None:
    """Make the observation."""
    dialogue = read_dialogue(submission)
    if dialogue is None:
        return None
    hops = stamp_hops(arrival.trace.hops[around.skipped :], around.rules)
    store = _read_store(arrival, hops, around.mailbox)
    observation = ChainObservation(
        dialogue=dialogue,
        hops=hops,
        seen_ns=max(arrival.seen_ns, dialogue.final_dot_ns),
        absent_ns=arrival.absent_ns,
        store=store,
        is_store_believed=arrival.stamp is not Stamp.SEEN,
        begins_at_peer=around.begins_at_peer,
        sightings=tuple(around.sightings),
    )
    if store is not None and store.resolution_ns >= _SECOND_NS and _was_absent_just_before(arrival):
        # We know better than a stamp of whole seconds when it was stored; the stamp still tells of the clock.
        seen = Sighting(stamp=store, earliest_ns=dialogue.final_dot_ns, latest_ns=observation.seen_ns)
        return replace(observation, store=None, sightings=(*observation.sightings, seen))
    return observation


def _read_store(arrival: Arrival, hops: Sequence[HopStamp], mailbox: ClockDomain) -> ClockStamp | None:
    if arrival.clock_ns is None:
        return None
    stamp = stamp_clock(mailbox, arrival.clock_ns, arrival.clock_resolution_seconds or 1.0, "stored")
    last = hops[-1].stamp if hops else None
    if last is not None and is_same_host(arrival.trace.hops[-1], arrival.guid):
        return replace(stamp, domain=last.domain, looseness_ns=last.looseness_ns)
    return stamp


def _was_absent_just_before(arrival: Arrival) -> bool:
    return arrival.absent_ns is not None and arrival.seen_ns - arrival.absent_ns <= _SECOND_NS
