"""What a mail server's queue holds: one entry as a listing tells it, and a survey of all of them, of bounded size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from smtp_probe.model.finding import Finding


class QueueState(StrEnum):
    """Where a message stands. Bounded: these values are metric labels."""

    INCOMING = "incoming"
    """Taken in, and not tried yet."""
    ACTIVE = "active"
    """Being delivered now."""
    DEFERRED = "deferred"
    """Tried in vain, and to be tried again."""
    HOLD = "hold"
    """Held back by an administrator or a rule; Exim says frozen."""
    QUEUED = "queued"
    """In the queue, where the listing does not tell whether it has been tried."""
    OTHER = "other"


class DelayReason(StrEnum):
    """Why a message waits. Bounded: these values are metric labels."""

    NETWORK = "network"
    DNS = "dns"
    TLS = "tls"
    GREYLISTED = "greylisted"
    RATE_LIMITED = "rate_limited"
    MAILBOX_FULL = "mailbox_full"
    REPUTATION = "reputation"
    AUTHENTICATION = "authentication"
    CONTENT = "content"
    LOCAL = "local"
    OTHER = "other"
    UNKNOWN = "unknown"
    """The listing gives no reason."""


class QueueFailure(StrEnum):
    """Why a queue cannot be read. Bounded: these values are metric labels."""

    TIMEOUT = "timeout"
    MISSING = "missing"
    """No such program, socket or directory."""
    DENIED = "denied"
    FAILED = "failed"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class QueuedRecipient:
    """One address that a queued message still has to reach, and why it has not yet."""

    address: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """One message of a queue. Texts are as the server tells them: hostile, not yet fit to be shown."""

    queue_id: str
    state: QueueState
    arrived_seconds: int | None
    """By the server's clock, seconds since the epoch."""
    size_bytes: int
    sender: str
    recipients: tuple[QueuedRecipient, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedProbe:
    """One of our own messages, seen in a queue."""

    queue_id: str
    probe_id: str
    route: str
    state: QueueState
    arrived_seconds: int | None
    reason: str = ""
    """Why it waits, sanitised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSurvey:
    """All messages of one state together."""

    messages: int = 0
    size_bytes: int = 0
    oldest_seconds: int | None = None
    age_quantiles: Mapping[float, float] = field(default_factory=dict)
    """Quantile -> age in seconds, to some five percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSurvey:
    """One whole listing, added up."""

    states: Mapping[QueueState, StateSurvey]
    deferred_reasons: Mapping[DelayReason, int]
    deferred_destinations: Mapping[str, int]
    """Destination domain -> deferred messages for it: the first of them, and `other` for the rest."""
    probes: tuple[QueuedProbe, ...] = ()

    @property
    def messages(self) -> int:
        """All messages, whatever their state."""
        return sum(state.messages for state in self.states.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLook:
    """One look into a queue: a survey, or why there is none."""

    queue: str
    at_ns: int
    duration_seconds: float
    survey: QueueSurvey | None = None
    growth_per_second: float | None = None
    """Messages a second, over the looks of the last quarter of an hour; None until there are two."""
    failure: QueueFailure | None = None
    detail: str = ""
    """Why it failed, for people; sanitised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySchedule:
    """When a message is tried again, and how long. `names` are the settings to change: first, growth, life."""

    first_seconds: float
    """From the first attempt to the second, at least."""
    longest_seconds: float
    """The longest wait that the schedule comes to."""
    lifetime_seconds: float
    bounce_lifetime_seconds: float | None = None
    bounce_name: str = "bounce_queue_lifetime"
    """The setting to change for it."""
    names: tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryLook:
    """What a server said of how it retries, and what is wrong with it; or why nothing is known."""

    queue: str
    at_ns: int
    schedule: RetrySchedule | None = None
    """None where it does not retry, or is not known."""
    findings: tuple[Finding, ...] = ()
    failure: QueueFailure | None = None
    detail: str = ""
