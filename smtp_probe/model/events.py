"""What the journal records and the sinks are told, in the order in which it became true."""

from __future__ import annotations

from dataclasses import dataclass

from smtp_probe.model.arrival import Bounce, Location
from smtp_probe.model.probe import Outcome, Probe
from smtp_probe.model.submission import Submission
from smtp_probe.model.trace import Fork
from smtp_probe.model.verdict import Authentication


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeStarted:
    """A probe was written to the journal and is about to be submitted."""

    probe: Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeHandedOver:
    """The last byte of a message was given to the kernel. What a kill before the reply would lose otherwise."""

    probe: Probe
    final_dot_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSubmitted:
    """A submission ended, well or badly."""

    probe: Probe
    submission: Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionDeferred:
    """A server put a probe off with a 4xx reply, and the same message will be tried again."""

    probe: Probe
    submission: Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOverdue:
    """The deadline passed with the mailbox in view and no message in it. Counts as a failure, once."""

    probe: Probe
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Memo:
    """A piece of what was learned, for the journal to keep by kind and name. Without a text it is to be forgotten."""

    kind: str
    """`clock`, `path`, `records` or `sts_policy`."""
    name: str
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeEnded:
    """A probe's one end, and what was learned from it."""

    outcome: Outcome
    memos: tuple[Memo, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateSeen:
    """A further copy of a message that has already been found."""

    route: str
    probe_id: str
    location: Location
    fork: Fork | None = None
    """Where it parted from the first one, where both are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgerySeen:
    """A message bears a tag in our form and is not ours: its signature does not verify, or somebody sent it anew."""

    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class StraySeen:
    """A message bears a tag of our key, and the journal does not know its probe: another smtp-probe sent it."""

    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceSeen:
    """A notice about a probe that is no end of it (`delayed`), or that came after its end."""

    route: str
    probe_id: str
    bounce: Bounce


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotMissed:
    """A route's scheduled send did not take place. `count` slots, all for the same `reason`."""

    route: str
    count: int
    reason: str
    """`late` (we were not in time), `busy` (too many in flight), `backoff`, `budget`, `journal`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainNoted:
    """Something was seen for the first time, or seen to have changed, in what a domain publishes."""

    domain: str
    records: tuple[str, ...]
    """A word for each record set that changed (`policy.record_changes.RECORDS`)."""
    memos: tuple[Memo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictsFormed:
    """What we and the receiver say of the authentication of a message that arrived: after its end, as a rule."""

    route: str
    probe_id: str
    found: Authentication


Event = (
    ProbeStarted
    | ProbeHandedOver
    | ProbeSubmitted
    | SubmissionDeferred
    | ProbeOverdue
    | ProbeEnded
    | DuplicateSeen
    | ForgerySeen
    | StraySeen
    | BounceSeen
    | SlotMissed
    | DomainNoted
    | VerdictsFormed
)
