"""The facts that all parts share: frozen values, no behaviour beyond reading themselves.

Units: a name ending in `_ns` is an instant on the reference clock, in nanoseconds since the Unix epoch
(`ports.Clock.now_ns`: the monotonic clock anchored once to wall time), or, where the docstring says so, on a
foreign clock. A name ending in `_seconds` is a duration as a float. Unknown is None, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """A part of the SMTP transaction, in order. `accept` runs from the final dot to its reply."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    """The handshake of implicit TLS (RFC 8314), before the greeting."""
    GREETING = "greeting"
    EHLO = "ehlo"
    """Both EHLOs where STARTTLS asks for a second one."""
    STARTTLS = "starttls"
    """The command and the handshake that follows it."""
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    """From the DATA command until the last byte of the message is handed to the kernel."""
    ACCEPT = "accept"
    QUIT = "quit"


class Cause(StrEnum):
    """Why a step failed. Bounded: these values are metric labels."""

    NO_SUCH_HOST = "no_such_host"
    RESOLVER_FAILED = "resolver_failed"
    """Our resolver timed out, refused or failed: the observer's fault, not the path's."""
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    NETWORK_UNREACHABLE = "network_unreachable"
    LOCAL_ADDRESS = "local_address"
    """Our own configured source address or address family cannot be used here."""
    TLS_FAILED = "tls_failed"
    STARTTLS_NOT_OFFERED = "starttls_not_offered"
    AUTH_NOT_OFFERED = "auth_not_offered"
    REPLY_PERMANENT = "reply_permanent"
    REPLY_TEMPORARY = "reply_temporary"
    PROTOCOL_ERROR = "protocol_error"
    """The peer spoke something that is not its protocol, or without end."""
    CONNECTION_LOST = "connection_lost"
    TIMEOUT = "timeout"
    CREDENTIAL = "credential"  # a label value, not a secret
    """Our own secret cannot be read or obtained."""
    AUTH_REFUSED = "auth_refused"
    FOLDER_MISSING = "folder_missing"
    MAILBOX_UNWATCHED = "mailbox_unwatched"
    JOURNAL = "journal"
    SHUTDOWN = "shutdown"
    INTERNAL = "internal"


class TlsFailure(StrEnum):
    """What certificate verification or the handshake found wrong. Bounded."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    UNKNOWN_ISSUER = "unknown_issuer"
    SELF_SIGNED = "self_signed"
    NAME_MISMATCH = "name_mismatch"
    REVOKED = "revoked"
    PROTOCOL_VERSION = "protocol_version"
    HANDSHAKE = "handshake"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One SMTP reply. `text` is sanitised and bounded; `enhanced` is `5.7.1`-like (RFC 3463) or None."""

    code: int
    enhanced: str | None = None
    text: str = ""

    @property
    def is_temporary(self) -> bool:
        """Whether the reply is of class 4 (RFC 5321 section 4.2.1)."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """Whether the reply is of class 5."""
        return 500 <= self.code < 600

    def __str__(self) -> str:
        """Code, enhanced code and text, as a person quotes a reply."""
        return " ".join(part for part in (str(self.code), self.enhanced or "", self.text) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTiming:
    """How long one phase took, on the reference clock. The reply is the last one of the phase, if any."""

    phase: Phase
    started_ns: int
    duration_seconds: float
    reply: Reply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFacts:
    """What the TLS connection to one endpoint is. `not_after_ns` is the certificate's end, as it says itself."""

    version: str | None = None
    cipher: str | None = None
    not_after_ns: int | None = None
    failure: TlsFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something ended badly: where, why, and what the other side said."""

    stage: str
    """A `Phase` value, or `arrival`, `mailbox`, `journal`, `bounce`, `placement`."""
    cause: str
    """A `Cause` value, or an outcome-like word such as `overdue`, `bounced`, `junked`."""
    reply: Reply | None = None
    tls_failure: TlsFailure | None = None
    detail: str = ""


class Disposition(StrEnum):
    """How a submission ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """A permanent (5xx) reply, or TLS or authentication that our settings forbid to go without."""
    DEFERRED = "deferred"
    """A temporary (4xx) reply."""
    UNREACHABLE = "unreachable"
    """No reply to act on: no such host, refused, silent, garbage, or cut before the final dot was sent."""
    UNCERTAIN = "uncertain"
    """Lost after the final dot: the server may have taken the message. Watched for like an accepted one."""
    UNOBSERVED = "unobserved"
    """Our own side failed before the path was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What one SMTP transaction did."""

    disposition: Disposition
    started_ns: int
    phases: tuple[PhaseTiming, ...] = ()
    failure: Failure | None = None
    final_dot_ns: int | None = None
    """When the last byte of the message was handed to the kernel: the zero of every delivery latency."""
    accepted_ns: int | None = None
    """When the reply to the final dot had been read."""
    queue_id: str | None = None
    """The id in the server's final reply, where its software is known to give one there."""
    peer_address: str | None = None
    local_address: str | None = None
    tls: TlsFacts | None = None
    dsn_requested: bool = False

    @property
    def may_arrive(self) -> bool:
        """Whether the message has to be watched for."""
        return self.disposition in (Disposition.ACCEPTED, Disposition.UNCERTAIN)


class Stamp(StrEnum):
    """Where the instant at which a message was stored came from."""

    GUID = "guid"
    """Dovecot's X-GUID: microseconds, the server's clock."""
    GMAIL = "gmail"
    """X-GM-MSGID: milliseconds, Google's clock."""
    INTERNALDATE = "internaldate"
    """Whole seconds, the server's clock (RFC 3501 section 2.3.3)."""
    SEEN = "seen"
    """Our own clock when the message was first listed to us."""


class Placement(StrEnum):
    """What kind of folder a message lies in."""

    INBOX = "inbox"
    JUNK = "junk"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a message lies: enough to find exactly that copy again (RFC 3501 section 2.3.1.1)."""

    mailbox: str
    folder: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxMessage:
    """One message as a mailbox shows it. `header` is bounded and raw; `text` is empty unless asked for."""

    location: Location
    placement: Placement
    seen_ns: int
    header: bytes
    size_bytes: int | None = None
    internaldate_ns: int | None = None
    """Foreign clock, whole seconds."""
    guid: str | None = None
    gmail_msgid: int | None = None
    text: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One Received header, read. `at_ns` is on that hop's own clock. Unknown is None."""

    from_name: str | None = None
    """The name given in HELO or EHLO."""
    from_host: str | None = None
    """The name that the reverse look-up gave."""
    from_ip: str | None = None
    by: str | None = None
    with_: str | None = None
    """The protocol, as registered (RFC 3848, 6531), upper case; or what was written."""
    id: str | None = None
    for_: str | None = None
    tls_version: str | None = None
    tls_cipher: str | None = None
    authenticated: bool | None = None
    at_ns: int | None = None
    resolution_seconds: float | None = None
    stamp_source: str | None = None
    stamp_event: str | None = None
    """What happened when the clock was read: `mail`, `data` or `end_of_data`; None where it is not known."""
    software: str | None = None
    """`postfix`, `exim`, `dovecot`, ... where the header says so unmistakably."""
    by_host: str | None = None
    """The host's own name beside a `by` that says only `localhost`, as content filters write it."""
    relay_ids: tuple[str, ...] = ()
    """Ids of the X-Received lines that Gmail wrote above this hop's own line."""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HopDelay:
    """What one hop cost, raw: its stamp less the one before, on two clocks. May be negative; None is unknown."""

    position: int
    by: str
    """Normalised host name, bounded, safe as a label."""
    delay_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The ordered hops, oldest first."""

    hops: tuple[Hop, ...] = ()
    delays: tuple[HopDelay, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When and where a probe's message was found, on the reference clock."""

    location: Location
    placement: Placement
    seen_ns: int
    stored_ns: int
    """When the mailbox took it in: from `stamp`, or `seen_ns` where no usable stamp exists."""
    stamp: Stamp
    stamp_resolution_seconds: float
    trace: Trace = field(default_factory=Trace)
    corrupted: bool | None = None
    found_in: str = ""
    """Which carrier of the tag survived: `header`, `message-id`, `subject`, `body`, `address`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """A delivery status notification tied to one probe (RFC 3464). Texts are sanitised and bounded."""

    location: Location
    seen_ns: int
    kind: str = "dsn"
    action: str | None = None
    status: str | None = None
    recipient: str | None = None
    reporting_mta: str | None = None
    remote_mta: str | None = None
    diagnostic: str | None = None

    @property
    def ends_probe(self) -> bool:
        """A `failed` notice is an end; `delayed`, `relayed` and `expanded` are news (RFC 3464 2.3.3)."""
        return self.action == "failed"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything known of one probe at one moment: what `judgement.judge` looks at."""

    probe: Probe
    now_ns: int
    submission: Submission | None = None
    arrival: Arrival | None = None
    bounce: Bounce | None = None
    covered_ns: int | None = None
    """Up to when the recipient's mailbox is known completely: nothing stored before it was overlooked."""
    overdue: bool = False
    """Whether the deadline has been judged to be missed already."""


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
    failure: Failure | None = None

    @property
    def delivery_seconds(self) -> float | None:
        """From the final dot to the mailbox's store, where both are known."""
        if self.arrival is None or self.submission is None or self.submission.final_dot_ns is None:
            return None
        return (self.arrival.stored_ns - self.submission.final_dot_ns) / 1e9

    @property
    def visibility_seconds(self) -> float | None:
        """From the store to our seeing it: our own way of looking, never part of the latency."""
        if self.arrival is None or self.arrival.stamp in (Stamp.SEEN, Stamp.INTERNALDATE):
            return None
        return (self.arrival.seen_ns - self.arrival.stored_ns) / 1e9


# Events: what the sinks are told, in the order in which it became true.


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeStarted:
    """A probe was written to the journal and is about to be submitted."""

    probe: Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSubmitted:
    """A submission ended, well or badly."""

    probe: Probe
    submission: Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOverdue:
    """The deadline passed with the mailbox in view and no message in it. Counts as a failure, once."""

    probe: Probe
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeEnded:
    """A probe's one end."""

    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateSeen:
    """A further copy of a message that has already been found."""

    route: str
    probe_id: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgerySeen:
    """A message bears a tag in our form whose signature does not verify."""

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


Event = (
    ProbeStarted
    | ProbeSubmitted
    | ProbeOverdue
    | ProbeEnded
    | DuplicateSeen
    | ForgerySeen
    | BounceSeen
    | SlotMissed
)
