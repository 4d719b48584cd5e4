"""What goes into the estimation of clocks, and what comes out of it: frozen values.

In: `ChainObservation`, one message that arrived, with its stamps, each on the clock of the host that wrote it, and with
what our own clock knows of its submission and its arrival. Out: `ClockReading`, how far those clocks are from ours and
how long each hop took. Every instant and duration is a whole number of nanoseconds. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockLimits:
    """What is believed of foreign clocks before anything is known of them."""

    drift_ppm: float = 500.0
    """How fast a foreign clock may gain or lose on ours. The bounds hold for every clock that keeps to it, and are the
    narrower the smaller it is; the best values hardly depend on it. Left alone, computers stay within 100 ppm as a
    rule, but a kernel that corrects its clock does so at up to 500 ppm (`adjtime`, ntpd).
    """
    looseness_ns: int = 100_000
    """How far any clock's reading may lie beside its event: scheduling, and small corrections by NTP."""
    step_ns: int = 20_000_000
    """A clock that moved by less was corrected and not set: no step is reported. Its past is given up all the same."""
    sane_ns: int = 7 * 86_400 * 1_000_000_000
    """A stamp that lies further from our clock than this is no measurement of a clock."""
    domains: int = 256
    """How many clock domains are remembered; the one that was not met for the longest time is forgotten first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStamp:
    """One reading of a foreign clock, rounded down to its resolution."""

    domain: str
    """The name of the clock: stamps with the same name are read from the same clock (`domains`)."""
    at_ns: int
    """Nanoseconds since the epoch, on that clock."""
    resolution_ns: int = 1_000_000_000
    event: str | None = None
    """What happened when the clock was read, in the words of `model.Hop.stamp_event`."""
    looseness_ns: int = 0
    """How far the hosts of this domain may differ from each other, to both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HopStamp:
    """One hop: its name for people and labels, and its stamp. None where it has none of use: no split is invented."""

    label: str
    stamp: ClockStamp | None = None
    date: ClockStamp | None = None
    """The stamp of whole seconds that the same host wrote before, where the second of `stamp` was only inferred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """What our clock knows of the SMTP transaction: when each command was sent and when its reply had been read."""

    final_dot_ns: int
    connect_ns: int | None = None
    mail_ns: int | None = None
    mail_reply_ns: int | None = None
    rcpt_ns: int | None = None
    rcpt_reply_ns: int | None = None
    data_ns: int | None = None
    data_reply_ns: int | None = None
    accepted_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A foreign clock read between two instants of our own: an IMAP APPEND, a greeting that tells the time."""

    stamp: ClockStamp
    earliest_ns: int
    latest_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainObservation:
    """One message that arrived."""

    dialogue: Dialogue
    hops: Sequence[HopStamp]
    """Oldest first."""
    seen_ns: int
    """When our clock first knew the message to be in the mailbox."""
    absent_ns: int | None = None
    """When the mailbox, asked before that, did not have it yet. Serves the best values only."""
    store: ClockStamp | None = None
    """When the mailbox took it in, by the mailbox's clock."""
    is_store_believed: bool = False
    """Whether the mailbox's clock is taken to agree with ours as long as nothing speaks against it. Serves the best
    values only.
    """
    begins_at_peer: bool = True
    """Whether the first hop is the server that we spoke to. Not so where its header line was taken out."""
    sightings: Sequence[Sighting] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A best value, and the bounds that contain the truth."""

    value_ns: int
    lower_ns: int
    upper_ns: int

    @property
    def half_width_ns(self) -> int:
        """How far at most the truth is from the value."""
        return max(self.upper_ns - self.value_ns, self.value_ns - self.lower_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """How far one clock is ahead of ours; negative is behind."""

    domain: str
    offset: Estimate
    drift_ppm: float = 0.0
    """How fast the offset grows, as far as is known: zero until there is evidence for another rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStep:
    """A clock was set, or jumped. The domain `REFERENCE` is our own clock, seen against all others."""

    domain: str
    at_ns: int
    """On our clock: when the first probe that met the new time was sent."""
    shift: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class HopTime:
    """What one hop cost on our clock. It ends with `event` at the hop of the last position."""

    first_position: int
    last_position: int
    """From 1. More than one where hops had no stamp of use and were merged with the one that follows."""
    label: str
    """`b`, or `a..b` of merged hops; `store` at the end."""
    event: str | None
    duration: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedStamp:
    """A hop whose stamp says nothing, and why.

    `missing`; `insane`: too far from our clock, or too coarse; `repeated`: a fine stamp that was there before;
    `contradictory`: this message alone shows that it cannot be right; `too_many`: one of the oldest of a long chain.
    """

    position: int
    """From 1; one more than the number of hops stands for the mailbox's store."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """What one observation told, together with all before it."""

    stored: Estimate
    """When the mailbox took the message in, on our clock; when we saw it, where no stamp tells."""
    delivery: Estimate
    """From the final dot to the store. The durations of `hops` add up to its value exactly."""
    hops: tuple[HopTime, ...]
    """Oldest first; the last one is `store`."""
    offsets: tuple[ClockOffset, ...] = ()
    """The clocks of this chain, in the order of their first stamps."""
    steps: tuple[ClockStep, ...] = ()
    """Found by this observation: each once."""
    doubted: tuple[str, ...] = ()
    """Clocks that contradict what was known of them. Whether they were set, the next probes will show; until then
    their past is not used."""
    unused: tuple[UnusedStamp, ...] = ()
