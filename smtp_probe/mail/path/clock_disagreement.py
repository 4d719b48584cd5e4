"""Where the clocks of two hosts on a message's way contradict each other.

In: the passages of a message. Out: each pair of stamps between which time ran backwards, which of the two hosts is the
more likely culprit, and how much the delays beside it are in doubt for that reason. Corrects nothing: one header
cannot tell how far a clock is off, only that two of them cannot both be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smtp_probe.mail.path.passages import Passage, has_own_name

_HOUR_SECONDS = 3600
_ZONE_TOLERANCE_SECONDS = 120
_MOST_HOURS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Two stamps, of which the later hop's is the earlier one."""

    earlier: Passage
    later: Passage
    seconds: float
    """How far time ran backwards, as the stamps have it. Positive."""
    suspect: Passage | None = None
    """The one of both without which all its neighbours fit together; None where that is neither, or either."""

    @property
    def is_of_one_host(self) -> bool:
        """Whether the same host wrote both: then it is one clock, and it was set, or a line is not true."""
        return _is_same_host(self.earlier, self.later)

    @property
    def hours(self) -> int | None:
        """The whole hours that it almost exactly is: then a time zone is wrong, rather than a clock."""
        hours = round(self.seconds / _HOUR_SECONDS)
        is_near = abs(self.seconds - hours * _HOUR_SECONDS) <= _ZONE_TOLERANCE_SECONDS
        return hours if is_near and 1 <= hours <= _MOST_HOURS else None


def find_disagreements(passages: Sequence[Passage]) -> tuple[Disagreement, ...]:
    """Give every pair of stamps that cannot both be right, oldest first."""
    stamped = [passage for passage in passages if passage.hop.at_ns is not None]
    found = []
    for index in range(1, len(stamped)):
        earlier, later = stamped[index - 1], stamped[index]
        if later.is_certainly_negative:
            suspect = _suspect(stamped, index)
            seconds = -(later.delay_seconds or 0.0)
            found.append(Disagreement(earlier=earlier, later=later, seconds=seconds, suspect=suspect))
    return tuple(found)


def measure_doubts(passages: Sequence[Passage], disagreements: Sequence[Disagreement]) -> dict[int, float]:
    """Give, by position, how many seconds of a delay may be the clocks' and not the message's.

    A clock that is wrong spoils the delay into its host and the one out of it, by about as much in each.
    """
    stamped = [passage for passage in passages if passage.hop.at_ns is not None]
    places = {passage.position: index for index, passage in enumerate(stamped)}
    doubts: dict[int, float] = {}
    for each in disagreements:
        first, _ = _stay(stamped, places[each.earlier.position])
        _, last = _stay(stamped, places[each.later.position])
        for index in (first, places[each.later.position], last + 1):
            if index < len(stamped):
                position = stamped[index].position
                doubts[position] = max(doubts.get(position, 0.0), each.seconds)
    return doubts


def _suspect(stamped: Sequence[Passage], index: int) -> Passage | None:
    """Of the hop at `index` and the one before it, the one whose absence alone makes peace."""
    if _is_same_host(stamped[index - 1], stamped[index]):
        return None
    fitting = [place for place in (index - 1, index) if _neighbours_fit(stamped, place)]
    return stamped[fitting[0]] if len(fitting) == 1 else None


def _neighbours_fit(stamped: Sequence[Passage], place: int) -> bool:
    """Whether the stamps on both sides of a host's stay are in order. They say nothing at the ends of the way."""
    first, last = _stay(stamped, place)
    if first == 0 or last == len(stamped) - 1:
        return False
    return (stamped[first - 1].hop.at_ns or 0) <= (stamped[last + 1].hop.at_ns or 0)


def _stay(stamped: Sequence[Passage], place: int) -> tuple[int, int]:
    """The first and the last of the hops in a row that one host wrote, around this place."""
    first = last = place
    while first > 0 and _is_same_host(stamped[first - 1], stamped[place]):
        first -= 1
    while last < len(stamped) - 1 and _is_same_host(stamped[last + 1], stamped[place]):
        last += 1
    return first, last


def _is_same_host(one: Passage, other: Passage) -> bool:
    return one.host == other.host and has_own_name(one.host)
