"""A probe from its identity to its one end."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from smtp_probe.model.arrival import Arrival, Bounce, Stamp
from smtp_probe.model.failure import Failure
from smtp_probe.model.path import PathFacts, Timing
from smtp_probe.model.submission import Submission
from smtp_probe.model.trace import Trace


class OutcomeKind(StrEnum):
    """The judged end of a probe. A probe ends exactly once, with one of these."""

    DELIVERED = "delivered"
    JUNKED = "junked"
    LATE = "late"
    BOUNCED = "bounced"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    UNOBSERVED = "unobserved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What the signed identity of a message says. `probe_id` is public; `token` proves it and is not shown."""

    probe_id: str
    route_hash: bytes
    sequence: int
    sent_ms: int
    """Milliseconds since the epoch, reference clock."""
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One scheduled message, before anything happened to it. What the journal must know to watch for it."""

    probe_id: str
    route: str
    sequence: int
    sender: str
    mailbox: str
    bounce_mailbox: str | None
    recipient: str
    scheduled_ns: int
    created_ns: int
    deadline_seconds: float
    """From the final dot (or, when that is unknown, from `created_ns`) to overdue."""
    give_up_after_seconds: float
    body_digest: str = ""
    junk_is_failure: bool = True
    is_echo: bool = False
    """Whether it is the recipient's answer that is waited for, and not the message itself."""
    mailbox_account: str = ""
    """Which account the mailbox's name stood for when the probe was sent; likewise for bounces."""
    bounce_account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything known of one probe at one moment: what `judgement.judge` looks at."""

    probe: Probe
    now_ns: int
    submission: Submission | None = None
    arrival: Arrival | None = None
    bounce: Bounce | None = None
    delay: Bounce | None = None
    """The last notice that a server goes on trying: no end, and no reason for one."""
    covered_ns: int | None = None
    """Up to when the recipient's mailbox is known completely: nothing stored before it was overlooked."""
    bounces_covered_ns: int | None = None
    """The same of the mailbox in which bounces arrive."""
    is_being_looked_into: bool = False
    """Whether one of both is being read just now, so that more will be known of it soon."""
    taken_up_ns: int = 0
    """When whoever judges took the probe up from somebody else, or from its own past; 0 where it did not."""
    overdue: bool = False
    """Whether the deadline has been judged to be missed already."""
    no_room: str = ""
    """Which of both mailboxes is too full for another message, as far as their servers tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one probe."""

    probe: Probe
    kind: OutcomeKind
    ended_ns: int
    was_overdue: bool
    submission: Submission | None = None
    arrival: Arrival | None = None
    bounce: Bounce | None = None
    delay: Bounce | None = None
    """The last notice on the way that a server went on trying."""
    failure: Failure | None = None
    timing: Timing | None = None
    """Where its time went; None where it has not arrived, or the instant of its final dot is not known."""
    path: PathFacts | None = None
    """Which way it took; None where it has not arrived."""

    @property
    def delivery_seconds(self) -> float | None:
        """From the final dot to the mailbox's store, where both are known well enough.

        None where only a bound of the store is known, from a time in which nobody could look, that is wider than a
        second and than a quarter of the figure: it would tell of our own outage.
        """
        if self.arrival is None or self.submission is None or self.submission.final_dot_ns is None:
            return None
        seconds = (self.arrival.stored_ns - self.submission.final_dot_ns) / 1e9
        return seconds if self.arrival.doubt_seconds <= max(1.0, seconds / 4) else None

    @property
    def way(self) -> tuple[Trace | None, str | None]:
        """The trace of the copy that arrived, and the queue id in the reply of the server that took the message."""
        trace = None if self.arrival is None else self.arrival.trace
        return trace, None if self.submission is None else self.submission.queue_id

    @property
    def visibility_seconds(self) -> float | None:
        """From the store to our seeing it: our own way of looking, never part of the latency."""
        if self.arrival is None or self.arrival.stamp in (Stamp.SEEN, Stamp.INTERNALDATE):
            return None
        return (self.arrival.seen_ns - self.arrival.stored_ns) / 1e9
