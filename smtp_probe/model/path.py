"""The way of a probe's message, read with the clocks corrected: how long each hop took, whose hosts they were.

Everything here is of one message. A number of nanoseconds that is a duration and not an instant is named `took_ns`,
`least_ns`, `most_ns` or `shift_ns`: durations are whole nanoseconds here, so that their sum is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from smtp_probe.model.finding import Finding


class Leg(StrEnum):
    """A part of the way, divided at the trust boundary. Bounded: these values are metric labels."""

    OUTBOUND = "outbound"
    """From the final dot until the last of the sending side's own hosts had it: the egress."""
    TRANSPORT = "transport"
    """From there until the first of the receiving side's own hosts had it."""
    INBOUND = "inbound"
    """From there to the mailbox's store."""
    RETURN = "return"
    """On an echo route: the way of the answer. `outbound` is then the whole way of our message."""


class Origin(StrEnum):
    """Whether the lowest line of the chain is that of the server we spoke to."""

    CONFIRMED = "confirmed"
    """Its id is the queue id of the server's reply to us."""
    ABOVE = "above"
    """A higher line bears that id: the lines beneath it were put there by somebody else."""
    MISSING = "missing"
    """No line bears that id: the chain was re-injected or forged, or the first line was taken out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A duration, or a distance of two clocks, with the bounds that contain the truth."""

    took_ns: int
    least_ns: int
    most_ns: int

    @property
    def uncertainty_seconds(self) -> float:
        """How far at most the truth is from the value."""
        return max(self.most_ns - self.took_ns, self.took_ns - self.least_ns) / 1e9

    @property
    def seconds(self) -> float:
        """The best value."""
        return self.took_ns / 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class HopTime:
    """What one hop cost on our clock: from the stamp event before it to its own (see `mail.clocks.events`)."""

    first: int
    """Position of its first hop, from 1. More than one hop where stamps were missing: no split is invented."""
    last: int
    """One more than the number of hops stands for the mailbox's store."""
    by: str
    """Normalised host name, `a..b` of merged hops, `store` at the end. Bounded, safe as a label."""
    span: Span
    event: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """How far the clock of a host is ahead of ours; negative is behind."""

    by: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStep:
    """A foreign clock was set, or jumped. `at_ns`: when the first probe that met its new time was sent."""

    by: str
    at_ns: int
    shift_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Where the time of one message went. The values of `hops` add up to that of `delivery`, exactly."""

    delivery: Span
    """From the final dot to the mailbox's store."""
    hops: tuple[HopTime, ...]
    offsets: tuple[ClockOffset, ...] = ()
    steps: tuple[ClockStep, ...] = ()
    doubted: tuple[str, ...] = ()
    """Clocks that contradict what was known of them, until later probes show whether they were set."""

    @property
    def slowest(self) -> HopTime | None:
        """The hop that took the longest, or the first of those."""
        return max(self.hops, key=lambda hop: hop.span.took_ns, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """With what address and name the path left the sending side, as the first foreign host wrote it down.

    What SPF and the reverse name are checked against: the checks of DNS read it.
    """

    address: str | None
    """Canonical spelling; None where that host did not write it."""
    ehlo_name: str | None
    """As it was given, in lower case without a final dot, if it can be the name of a host; else None."""
    reverse_name: str | None
    """The name that the host's look-up of the address gave, if it wrote one."""
    seen_by: str
    """The normalised name of the host that wrote it."""
    hop: int
    """Position of its line, from 1."""
    is_trusted: bool
    """Whether that host is one of the receiving side's own, or the server we spoke to: else it is a claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HopRole:
    """What one hop is in the path. Unknown is None."""

    position: int
    by: str
    leg: Leg | None
    """The leg in which the host took the message in."""
    is_trusted: bool
    """Whether its line was written by the server we spoke to or by a host of ours on either side."""
    is_encrypted: bool | None = None
    """Whether the message came over TLS; None where it came over no network, or nothing is said."""
    tls_version: str | None = None
    tls_cipher: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegTime:
    """How long one leg took. The legs of a message add up to its delivery where all three are known."""

    leg: Leg
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PathIdentity:
    """Which way a message took: the sequence of hosts, oldest first, and a short name for it."""

    fingerprint: str
    """Eight hexadecimal digits."""
    hosts: tuple[str, ...]
    first_seen_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PathChange:
    """A message came another way than the one before it."""

    previous: PathIdentity
    appeared: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFacts:
    """What is known of the way of one message besides its times."""

    identity: PathIdentity
    roles: tuple[HopRole, ...] = ()
    legs: tuple[LegTime, ...] = ()
    egress: Egress | None = None
    origin: Origin | None = None
    """None where the server told no queue id that its software is known to write into the line."""
    change: PathChange | None = None
    """None where the way is that of the route's message before, or where it is the first."""
    findings: tuple[Finding, ...] = field(default_factory=tuple)
