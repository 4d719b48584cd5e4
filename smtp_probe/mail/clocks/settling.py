"""Which second it was: fractions of a second, such as Postfix's short ids tell, settled by all that is known.

In: the memory, and one message some of whose stamps have a second that was only inferred. Out: the message with stamps
that are certain. The host wrote the date of a whole second first (at MAIL) and the fraction afterwards (at the first
RCPT), no one knows how long after: a policy server may have been asked in between. Each second is tried from the date's
on; where exactly one agrees with the order of the hops, our dialogue and the memory of the clocks, it is that one. Where
more do, the date is used, which is coarser and true.
"""

from __future__ import annotations

from dataclasses import replace

from smtp_probe.mail.clocks.doubts import open_case
from smtp_probe.mail.clocks.events import read_chain
from smtp_probe.mail.clocks.facts import ChainObservation, ClockLimits, ClockStamp, HopStamp, Sighting
from smtp_probe.mail.clocks.state import ClockState

_SECOND_NS = 1_000_000_000
_MOST_SECONDS = 6
"""A later one is not looked for: the date is used then."""


def settle_seconds(state: ClockState, observation: ChainObservation, limits: ClockLimits) -> ChainObservation:
    """Settle the seconds of one message's stamps, the oldest hop's first."""
    places = [place for place, hop in enumerate(observation.hops) if hop.date is not None]
    if not places:
        return observation
    dated = replace(
        observation,
        hops=tuple(hop if hop.date is None else replace(hop, stamp=hop.date) for hop in observation.hops),
        sightings=(*observation.sightings, *_sight_peer(observation)),
    )
    if not _agrees(state, dated, limits):
        return dated
    for place in places:
        dated = _settle(state, dated, place, observation.hops[place], limits)
    return dated


def _sight_peer(observation: ChainObservation) -> tuple[Sighting, ...]:
    """The date of the server we spoke to is from between our MAIL and its reply, and of the same clock."""
    first, dialogue = observation.hops[0], observation.dialogue
    is_known = (
        observation.begins_at_peer and dialogue.mail_ns is not None and dialogue.mail_reply_ns is not None
    )
    if first.date is None or not is_known:
        return ()
    return (
        Sighting(stamp=first.date, earliest_ns=dialogue.mail_ns or 0, latest_ns=dialogue.mail_reply_ns or 0),
    )


def _settle(
    state: ClockState, dated: ChainObservation, place: int, hop: HopStamp, limits: ClockLimits
) -> ChainObservation:
    """Give the observation with one hop's fine stamp, if there is exactly one that agrees with all else.

    The seconds that agree follow one on the other, since what is known of the clocks are bounds.
    """
    found: ChainObservation | None = None
    for stamp in _list_candidates(hop):
        hops = list(dated.hops)
        hops[place] = replace(hop, stamp=stamp)
        candidate = replace(dated, hops=tuple(hops))
        if _agrees(state, candidate, limits):
            if found is not None:
                return dated
            found = candidate
        elif found is not None:
            return found
    return dated


def _list_candidates(hop: HopStamp) -> list[ClockStamp]:
    stamp, date = hop.stamp, hop.date
    if stamp is None or date is None:
        return []
    first_ns = date.at_ns - date.at_ns % _SECOND_NS + stamp.at_ns % _SECOND_NS
    return [replace(stamp, at_ns=first_ns + later * _SECOND_NS) for later in range(_MOST_SECONDS + 1)]


def _agrees(state: ClockState, observation: ChainObservation, limits: ClockLimits) -> bool:
    case = open_case(read_chain(observation, limits), limits)
    return case.solve(state, state.doubted(case.chain.domains)) is not None
