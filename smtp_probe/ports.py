"""What the probes need from the outside, named by the need.

Adapters in `network` and `report` fulfil these by shape; tests bring fakes of the same shape. Every method that
waits takes its deadline from its settings or as an argument: none waits without end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from smtp_probe.model import (
    Bounce,
    CheckResult,
    ClockSighting,
    DnsAnswer,
    DomainUnderCheck,
    DrillTrial,
    Event,
    MailboxMessage,
    Placement,
    Probe,
    QueueEntry,
    QuotaUse,
    RetrySchedule,
    Submission,
    Trace,
)


class Clock(Protocol):
    """The reference clock: monotonic, anchored once to wall time, unmoved by steps of the wall clock."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch on the reference clock."""
        ...

    def wall_step_seconds(self) -> float:
        """How far the wall clock has moved away from the reference since the anchor."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a fake clock returns when its time has been moved on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What is handed to a submitter: addresses, DSN identity (RFC 3461 ENVID, without xtext) and the bytes."""

    sender: str
    recipient: str
    envid: str
    message: bytes


class Submitter(Protocol):
    """Hands one message to one SMTP endpoint. Never raises for what the other side does."""

    async def submit(
        self, envelope: Envelope, *, on_phase: Callable[[str], None] | None = None
    ) -> Submission:
        """Run one transaction within the sender's deadlines. `on_phase` is told each phase as it begins."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedFolder:
    """A folder that a mailbox watches, by the server's name, and what its messages' placement is."""

    name: str
    placement: Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderState:
    """What SELECT said: the identity of the folder and the first UID not yet given out."""

    uidvalidity: int
    uidnext: int
    exists: int


class MailboxSession(Protocol):
    """One authenticated connection to one mailbox. Raises `errors.MailboxError`; is of no use after that."""

    async def folders(self) -> Sequence[WatchedFolder]:
        """The folders to be watched: those configured and the junk folder, found by SPECIAL-USE or name."""
        ...

    async def select(self, folder: WatchedFolder) -> FolderState:
        """Open one folder for reading and removal."""
        ...

    async def fetch_since(self, first_uid: int) -> Sequence[MailboxMessage]:
        """Every message of the selected folder with a UID of at least `first_uid`, ascending; at most one batch
        (call again from the last UID + 1 until empty). Marks nothing as seen.
        """
        ...

    @property
    def is_at_end(self) -> bool:
        """Whether the last `fetch_since` reached the end of the folder, as it was when it was asked."""
        ...

    async def fetch(self, uids: Sequence[int]) -> Sequence[MailboxMessage]:
        """These messages of the selected folder, ascending; those that are gone are left out."""
        ...

    async def fetch_text(self, uid: int, limit_bytes: int) -> bytes:
        """The start of one message's body, without marking it as seen."""
        ...

    async def poll(self) -> bool:
        """One cheap round trip (NOOP). True when the folder has, or may have, something new."""
        ...

    async def idle(self, seconds: float) -> bool:
        """Wait for the server's announcement, at most so long. True when something new may be there."""
        ...

    def wake(self) -> None:
        """End a running `idle` early (it returns as if there were news). Does nothing otherwise; never raises."""
        ...

    async def remove(self, uids: Sequence[int]) -> None:
        """Delete exactly these messages of the selected folder, and no other."""
        ...

    async def search_header(self, name: str, value: str) -> Sequence[int]:
        """UIDs of the selected folder whose header `name` contains `value`."""
        ...

    async def close(self) -> None:
        """Log out, within a short deadline. Never raises."""
        ...


@runtime_checkable
class TellsQuotas(Protocol):
    """A `MailboxSession` whose server may tell how full the mailbox is."""

    is_open: bool
    """Whether it may still be used after an error."""

    async def quotas(self, folder: WatchedFolder) -> Sequence[QuotaUse] | None:
        """How much of what is used; None where the server does not say."""
        ...


Secret = Callable[[], str | Awaitable[str]]
"""Gives a password, or an access token, at each login. Raises `errors.ConfigError` or `errors.ProbeError`."""


class MailboxConnector(Protocol):
    """Opens sessions to one mailbox."""

    name: str

    async def open(self) -> MailboxSession:
        """Connect, secure, authenticate. Raises `errors.MailboxError`."""
        ...


class ClockSource(Protocol):
    """A mailbox whose server's clock can be read."""

    name: str

    async def sight_clock(self, folder: str) -> ClockSighting | None:
        """Read it by a message of our own in this folder; None where it shows none. Raises `errors.MailboxError`."""
        ...


class Resolver(Protocol):
    """Turns host names into addresses."""

    async def addresses(self, host: str, family: str) -> Sequence[str]:
        """IPv4/IPv6 addresses, in the order to be tried; `family` is `any`, `ipv4` or `ipv6`.

        An address given as `host` is returned as it is. Raises `errors.ResolverError`.
        """
        ...


class QueueReader(Protocol):
    """Reads one queue of a mail server on this machine."""

    async def read(self, take: Callable[[QueueEntry], None]) -> None:
        """Give every entry, one at a time. Raises `errors.QueueError` where the whole cannot be read in time: what
        was given before that is then of no use.
        """
        ...


class RetryPolicyReader(Protocol):
    """Asks a mail server on this machine how it retries."""

    async def read(self) -> RetrySchedule | None:
        """None for one that does not retry. Raises `errors.QueueError` where it cannot be asked."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One connection to a receiver of ours. `ehlo_name` is raw, and empty until it is said; `tls` is the version in use."""

    peer: str
    came_ns: int
    ehlo_name: str = ""
    tls: str = ""


class Reception(Protocol):
    """Answers whoever comes to a receiver. Never raises for what a stranger says; gives whole SMTP replies."""

    def came(self, visit: Visit) -> None:
        """Somebody has connected, and may be anybody."""
        ...

    def take_recipient(self, visit: Visit, address: str) -> str:
        """Answer RCPT. A recipient is taken only with a reply that begins with 2."""
        ...

    def take_message(self, visit: Visit, recipients: Sequence[str], content: bytes) -> str:
        """Answer the final dot. The content is bounded, and of no use after that."""
        ...


class MailReceiver(Protocol):
    """Listens at one place for as long as it is open."""

    async def open(self) -> None:
        """Begin to listen. Raises `errors.ReceiverError`."""
        ...

    async def close(self) -> None:
        """Stop, and cut whatever is connected. Never raises."""
        ...


class Trespasser(Protocol):
    """Tries one thing that a server must refuse."""

    async def attempt(self, trespass: Trespass) -> DrillTrial:
        """Make one connection. Never raises for what the other side does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trespass:
    """What is tried, step by step: after what is said here, nothing follows."""

    check: str
    is_secured: bool = True
    """Whether TLS comes first, as the sender's settings say."""
    login: str = "own"
    """`own`: the sender's own, where it has one; `none`; `wrong`: a login that does not exist."""
    sender: str = ""
    """For MAIL; where the recipient is empty there is no MAIL."""
    recipient: str = ""
    message: bytes = field(default=b"", repr=False)
    """To be sent, where RCPT is taken; nothing is where it is empty."""
    oversized_bytes: int | None = None
    is_oversized: bool = False
    """Whether the size is what must be refused: one byte above the server's limit, or `oversized_bytes`."""


Ask = Callable[[str, str], Awaitable[DnsAnswer]]
"""Asks for the records of one kind (`TXT`, `MX`, ...) of one absolute name; never raises for what DNS does.

Answers come from the cache for as long as their TTL says. A caller that must not ask too much is given an `Ask` with a
budget, which answers OVER_BUDGET when that is spent."""


Check = Callable[[DomainUnderCheck, Ask], Awaitable[CheckResult]]
"""One check of a domain. Never raises for what DNS or a server does; `probes.domain` sets the deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProbe:
    """A probe that the journal knows and that has not ended: what a restart has to watch for."""

    probe: Probe
    submission: Submission | None
    overdue: bool
    final_dot_ns: int | None = None
    """When its message was handed over, where that is known and how the submission ended is not."""
    delay: Bounce | None = None
    """The last notice that a server goes on trying."""


class Journal(Protocol):
    """The memory that survives `kill -9`. Raises `errors.JournalError` when it cannot be written."""

    async def record(self, event: Event) -> bool:
        """Write one event durably, with what it adds to the counters, in one transaction.

        Returns False when the event had been recorded before (it is then to be ignored).
        """
        ...

    async def open_probes(self) -> Sequence[OpenProbe]:
        """Every probe that has not ended, oldest first."""
        ...

    async def first_copy(self, probe_id: str, route: str = "") -> tuple[Trace | None, str | None]:
        """The way of the copy with which an ended probe arrived, and its queue id at the first server; None where unknown."""
        ...

    async def probe_state(self, probe_id: str, route: str = "", mailbox: str = "") -> str | None:
        """`open`, `ended`, `unseen` (ended, and no copy was ever found), or None for one never known.

        `route` and `mailbox`: where it belongs, as far as that is known; they make the search short where many are kept.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """One message that a stream of the engine keeps."""

    subject: str
    sequence: int
    payload: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


class EventLog(Protocol):
    """The streams of the engine. Raises `errors.EngineError` where it does not answer."""

    async def append(
        self, subject: str, payload: bytes, *, expected: int | None = None, nonce: str = ""
    ) -> int:
        """Store a message durably; gives its sequence number. Raises `errors.EngineConflict` where the last message of
        its subject has not the number `expected` (0: there must be none). The same `nonce` is stored once.
        """
        ...

    async def last(self, stream: str, subject: str) -> StoredMessage | None:
        """The last message of a subject, which may have wildcards; None for none."""
        ...


Sink = Callable[[Event], None]
"""Told every recorded event, after the journal has it. Fast, and never raises."""

FetchText = Callable[[int], Awaitable[bytes]]
"""Fetches the body of the message at hand, up to so many bytes."""

Dispatch = Callable[[MailboxMessage, FetchText], Awaitable[None]]
"""Told of every message that a mailbox shows, once for each time it is listed. Raises JournalError where it has to be told again."""
