"""The facts that a page shows and the API gives: frozen, plain, bounded; one set for both.

Instants are RFC 3339 text in UTC on the reference clock (`instants`), durations seconds. Unknown is None, never zero.
Texts from servers are sanitised, not escaped: whoever renders them does that. The docstrings stand in the OpenAPI
description as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from smtp_probe.report.history import State


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyView:
    """Delivery times over the last probes of a route: from the final dot to the mailbox's store."""

    count: int
    p50_seconds: float | None = None
    p95_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLine:
    """One ended probe, as a list shows it."""

    probe_id: str
    route: str
    state: State
    kind: str
    sentence: str
    sent_at: str
    ended_at: str
    delivery_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatsView:
    """How the last probes of a route ended, in numbers."""

    good: int = 0
    failed: int = 0
    unobserved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteView:
    """How a route stands, by its newest probe of which anything is known."""

    name: str
    state: State
    sentence: str
    at: str | None
    probe_id: str | None
    in_flight: int
    oldest_in_flight_at: str | None
    labels: dict[str, str]
    latency: LatencyView
    beats: BeatsView
    placement: str | None
    """The folder kind in which the newest message that arrived was found."""
    verdicts: dict[str, str]
    """What the receiver, and our own check, said of the newest message: empty where that is not known."""
    last_failure: ProbeLine | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxView:
    """Whether one mailbox is watched, and why not."""

    name: str
    is_watched: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserverView:
    """Whether our own side works."""

    version: str
    started_at: str
    is_ready: bool
    is_journal_writable: bool
    is_configuration_good: bool
    is_engine_reached: bool | None
    """Whether the engine takes our word; null where we work alone."""
    is_caught_up: bool
    """Whether all is counted that had happened before this process began; an exporter that is not shows the past."""
    shard: str | None
    """Which part of the routes is shown here, N/M as `--shard` says it; null where it is all of them."""
    mailboxes: tuple[MailboxView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """One thing that is wrong, and what to change."""

    check: str
    severity: str
    subject: str
    message: str
    advice: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectView:
    """One domain, exchanger, queue or drill: what was found, what could not be seen, and its plain facts."""

    name: str
    state: State
    checked_at: str | None
    findings: tuple[FindingView, ...]
    unobserved: tuple[str, ...]
    facts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """All subjects of one kind."""

    part: str
    is_configured: bool
    subjects: tuple[SubjectView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewView:
    """Everything at a glance."""

    observer: ObserverView
    counts: dict[str, int]
    """Routes by state, before any filter."""
    routes: tuple[RouteView, ...]
    parts: tuple[PartView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseView:
    """One phase of the SMTP transaction: what we said, and what the server answered."""

    phase: str
    said: str
    started_at: str
    duration_seconds: float
    reply: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HopView:
    """One Received line, read."""

    position: int
    by: str
    from_: str
    protocol: str
    id: str
    tls: str
    software: str
    stamp_at: str | None
    """On the clock of that host."""
    stamp_source: str
    resolution_seconds: float | None
    raw_delay_seconds: float | None
    """Its stamp less the one before: two clocks. May be negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedHopView:
    """What one hop cost on our clock, with the bounds that contain the truth."""

    label: str
    seconds: float
    lower_seconds: float
    upper_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """How far the clock of a host is ahead of ours, with bounds; negative is behind."""

    name: str
    offset_seconds: float
    lower_seconds: float
    upper_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceView:
    """A notice that the message was not delivered."""

    action: str
    status: str
    recipient: str
    reporting_mta: str
    remote_mta: str
    diagnostic: str
    seen_at: str
    reason: str = ""
    """Why, as one word: the category that the metrics have."""
    retry_until: str | None = None
    """Until when that server goes on trying, on its clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalView:
    """Where and when the message was found."""

    mailbox: str
    folder: str
    placement: str
    stored_at: str
    stored_by: str
    resolution_seconds: float
    seen_at: str
    corrupted: bool | None
    found_in: str
    alterations: tuple[str, ...] = ()
    """What was changed of the message, gravest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedView:
    """The message in a queue that is watched, at the last look into it."""

    queue: str
    queue_id: str
    state: str
    arrived_at: str | None
    """On the server's clock."""
    reason: str
    """Why it waits, in the server's words; empty where it does not say."""
    seen_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyView:
    """A further copy of a message: where its way parted from that of the first one."""

    after_hop: int
    forked_at: str
    """The host that had the message once and passed it on twice; empty where that is not known."""
    is_behind_last_hop: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """One result of authentication. Of DKIM there is one for each signature."""

    method: str
    source: str
    """Whose word it is: `own` or `receiver`."""
    result: str
    domain: str = ""
    """Whom it is about."""
    selector: str = ""
    aligned: bool | None = None
    """Whether it is about the author's organisation; null where that is not known, or does not apply."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeView:
    """One probe from its first SYN to the mailbox."""

    probe_id: str
    route: str
    state: State
    kind: str
    """The outcome; `open` while there is none."""
    sentence: str
    sequence: int
    sender: str
    recipient: str
    mailbox: str
    scheduled_at: str
    sent_at: str
    deadline_seconds: float
    give_up_after_seconds: float
    was_overdue: bool
    ended_at: str | None = None
    delivery_seconds: float | None = None
    visibility_seconds: float | None = None
    disposition: str | None = None
    peer_address: str | None = None
    local_address: str | None = None
    queue_id: str | None = None
    tls: str | None = None
    certificate_ends_at: str | None = None
    final_dot_at: str | None = None
    accepted_at: str | None = None
    phases: tuple[PhaseView, ...] = ()
    arrival: ArrivalView | None = None
    hops: tuple[HopView, ...] = ()
    trace_flags: tuple[str, ...] = ()
    corrected_hops: tuple[CorrectedHopView, ...] = ()
    clocks: tuple[ClockView, ...] = ()
    verdicts: tuple[VerdictView, ...] = ()
    """What we and the receiver say of the message's authentication; empty where it was not looked at, or not yet."""
    unobserved_verdicts: tuple[str, ...] = ()
    """What of it could not be looked at, and why."""
    findings: tuple[FindingView, ...] = ()
    bounce: BounceView | None = None
    delay: BounceView | None = None
    """The last notice that a server goes on trying: no end of the probe."""
    copies: tuple[CopyView, ...] = ()
    """Further copies of the message, in the order in which they were found, at most 100."""
    queued: tuple[QueuedView, ...] = ()
    """Where it stands in a queue now."""
    attempts: int = 1
    """SMTP transactions that it took; those before the last one ended with a 4xx reply."""
    header_lines: tuple[str, ...] = ()
    """The message's header, sanitised and bounded, without the proof in its tag; empty where it is not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathView:
    """The hosts that messages went through, and when that began."""

    hosts: tuple[str, ...]
    """Oldest first, as they are told apart: one for a large provider, and one for a pool of machines."""
    first_at: str
    last_at: str
    count: int
    fingerprint: str | None = None
    """The `path` of `smtp_probe_path_info`; null of messages from before anything was known of ways."""
    change: str | None = None
    """What appeared and what vanished, compared with the way before it; null where nothing is known of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanStatistics:
    """How long one phase or hop took over the last probes."""

    name: str
    count: int
    p50_seconds: float
    p95_seconds: float
    last_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDetailView:
    """A route with its past."""

    route: RouteView
    sender: str
    endpoint: str
    recipient: str
    mailbox: str
    interval_seconds: float
    deadline_seconds: float
    give_up_after_seconds: float
    phases: tuple[SpanStatistics, ...]
    hops: tuple[SpanStatistics, ...]
    are_hops_corrected: bool
    paths: tuple[PathView, ...]
    """Newest first."""
    probes: tuple[ProbeLine, ...]
    """Newest first; failures from further back than the last successes are at the end."""
