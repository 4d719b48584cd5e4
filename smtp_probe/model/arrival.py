"""What a mailbox shows: messages, where they lie, when they were stored, and bounces."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from smtp_probe.model.spam import SpamResult
from smtp_probe.model.trace import Trace


class Stamp(StrEnum):
    """Where the instant at which a message was stored came from."""

    GUID = "guid"
    """Dovecot's X-GUID: microseconds, the server's clock."""
    FILE_NAME = "file_name"
    """The name of a Maildir's file: microseconds, the clock of the host that delivered it."""
    FILE_TIME = "file_time"
    """When that file was last written: a hundredth of a second, the same clock."""
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
    """A folder that the configuration names as a quarantine."""
    PROMOTIONS = "promotions"
    SOCIAL = "social"
    UPDATES = "updates"
    FORUMS = "forums"
    """Gmail's categories: the inbox, but another of its tabs than the first."""

    @property
    def is_inbox(self) -> bool:
        """Whether the message is shown in the inbox, in whichever of its tabs."""
        return self not in (Placement.JUNK, Placement.OTHER)


class Alteration(StrEnum):
    """What was changed of a message of ours, gravest first. Bounded: these values are metric labels."""

    TRUNCATED = "truncated"
    BODY = "body"
    """The text between our marks is not the one that was sent."""
    HEADER = "header"
    """A field that we wrote is gone, is there twice, or the Message-ID is another one."""
    CHARSET = "charset"
    LINE_ENDINGS = "line_endings"
    TRANSFER_ENCODING = "transfer_encoding"
    FOOTER = "footer"
    """Text was put in front of ours or behind it."""
    SUBJECT = "subject"

    @property
    def is_damage(self) -> bool:
        """Whether something is lost or wrong; the others are what gateways and lists do to mail."""
        return self in (Alteration.TRUNCATED, Alteration.BODY, Alteration.HEADER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a message lies: enough to find exactly that copy again (RFC 3501 section 2.3.1.1)."""

    mailbox: str
    folder: str
    uidvalidity: int
    uid: int
    account: str = ""
    """Which login it was seen by: the same name may stand for another account after a reload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSighting:
    """What a foreign clock showed between two instants of our own."""

    at_ns: int
    """Foreign clock, rounded down to its resolution."""
    resolution_seconds: float
    earliest_ns: int
    latest_ns: int


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
    file_time_ns: int | None = None
    """When the file of a message was last written; None where it is no file of ours to see. `guid` is its name then."""
    text: bytes | None = None
    absent_ns: int | None = None
    """When the folder was last known completely without this message."""
    in_view: bool = True
    """Whether the folder was being watched when it came; False for what a new connection finds there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """That an arrival is an answer, and which of the hops in its trace are of the way there."""

    outbound_hops: int
    """The first so many, as the answer quotes them: a claim of who answered. 0: it quotes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When and where a probe's message was found, on the reference clock."""

    location: Location
    placement: Placement
    seen_ns: int
    stored_ns: int
    """When the mailbox took it in: from `stamp`, corrected by the offset of its clock where that is known, or `seen_ns`
    where no usable stamp exists."""
    stamp: Stamp
    stamp_resolution_seconds: float
    earliest_ns: int | None = None
    """Not before this it was taken in, where `stored_ns` is only the latest that it can have been."""
    trace: Trace = field(default_factory=Trace)
    corrupted: bool | None = None
    """Whether it was damaged; None where its body was not compared."""
    alterations: tuple[Alteration, ...] = ()
    """What was changed of it, gravest first."""
    clock_ns: int | None = None
    """What the mailbox's own clock showed when it took the message in, believed or not; None where nothing tells."""
    clock_stamp: Stamp | None = None
    """What told that."""
    clock_resolution_seconds: float | None = None
    guid: str | None = None
    """Dovecot's X-GUID: it shows whether the mailbox is on the host that took the message in."""
    absent_ns: int | None = None
    """When the folder was last known completely without this message."""
    found_in: str = ""
    """Which carrier of the tag survived: `header`, `message-id`, `subject`, `body`, `address`; `quoted` by an answer."""
    echo: Echo | None = None
    """On an echo route: what arrived is the answer, and `trace` is the way there and back."""
    spam: tuple[SpamResult, ...] = ()
    """What the filters on the way took it for, the one nearest to the mailbox first."""
    header: bytes = field(default=b"", repr=False, compare=False)
    """The message's header, bounded and raw, for the pages. The journal keeps it apart, and not for long."""

    @property
    def doubt_seconds(self) -> float:
        """How much earlier than `stored_ns` it may have been stored, as nobody was looking."""
        return 0.0 if self.earliest_ns is None else max(0.0, (self.stored_ns - self.earliest_ns) / 1e9)


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
    retry_until_ns: int | None = None
    """Until when the reporting server goes on trying, on its clock (Will-Retry-Until, RFC 3464 section 2.3.9)."""
    reason: str = "other"
    """Why it came back: one of the words of `mail.bounce.reason.REASONS`."""
    is_verified: bool = True
    """Whether a tag of ours in it proves that it is about our probe; else it is tied by the queue id alone."""

    @property
    def ends_probe(self) -> bool:
        """A `failed` notice is an end; `delayed`, `relayed` and `expanded` are news (RFC 3464 2.3.3)."""
        return self.action == "failed"
