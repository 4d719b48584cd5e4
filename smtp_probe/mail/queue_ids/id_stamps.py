"""What the time in an id is: an instant, or a fraction of a second, with the event it marks.

In: what a decoder read from an id, and the hop whose header bears it. Out: `IdStamp` and `ModularStamp`, and whether
an instant agrees with the header's date. All instants are on the clock of the host that wrote the id; nothing is
corrected here. Which software writes which id is known to the decoders (`postfix_ids`, `exim_ids`, ...).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smtp_probe.model import Hop

SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000
MICROSECOND_NS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IdStamp:
    """An instant that an id tells, and how far it may lie from the date of the same header."""

    at_ns: int
    resolution_seconds: float
    source: str
    """For `Hop.stamp_source`: `postfix_id`, `exim_id`, ..."""
    event: str | None
    """For `Hop.stamp_event`: what happened at that instant."""
    lead_seconds: float = 2.0
    """How long before the date the event may have been."""
    lag_seconds: float = 0.0
    """How long after the date's own second the event may have been."""
    is_lower_bound: bool = False
    """The event was before the message, by nobody knows how much: no stamp of this message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModularStamp:
    """A fraction of a second that an id tells, without the second."""

    fraction_ns: int
    resolution_seconds: float
    source: str
    event: str | None


def agrees_with_date(stamp: IdStamp, hop: Hop) -> bool:
    """Whether the instant is one that the software can have met, given the date that it wrote in the same header.

    A date stands for the whole of its second (or of what else its resolution is). A header without a date agrees
    with nothing: a decoded id is never believed alone.
    """
    if hop.at_ns is None:
        return False
    end_ns = hop.at_ns + to_ns(hop.resolution_seconds or 1.0)
    return hop.at_ns - to_ns(stamp.lead_seconds) <= stamp.at_ns < end_ns + to_ns(stamp.lag_seconds)


def to_ns(seconds: float) -> int:
    """Give a short duration in nanoseconds."""
    return round(seconds * SECOND_NS)


def value_digits(alphabet: str) -> dict[str, int]:
    """Give the value of each digit of a number that is written in this alphabet."""
    return {digit: value for value, digit in enumerate(alphabet)}


def read_number(digits: str, values: Mapping[str, int]) -> int:
    """Read a number in the base of so many digits, most significant first. The caller has checked and bounded it."""
    base, number = len(values), 0
    for digit in digits:
        number = number * base + values[digit]
    return number
