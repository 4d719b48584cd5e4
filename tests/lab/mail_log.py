"""Reads what the lab's servers logged of one mail: when each had it and when each let go of it.

Postfix' lines carry the instant of its call of syslog(3), stamped by the kernel; Dovecot's are
stamped by its log process when it wakes for them, a fraction of a millisecond later. All stamps
are epoch nanoseconds, exact to a microsecond, on the one clock of the machine.

A log is a picture of the moment: take a new one, or use `wait_for`, to see later lines.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from .errors import LabError

_BASE_52 = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
"""The digits of a long queue id: no vowels, so no word looks like one."""

_STAMP = r"(?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) "
_POSTFIX = re.compile(
    _STAMP + r"postfix-(?P<instance>\w+)/(?P<program>\w+)\[\d+\]: "
    rf"(?P<queue_id>[{_BASE_52}]{{12,}}): (?P<text>.*)"
)
_DELIVERY = re.compile(
    r"to=<(?P<recipient>[^>]*)>, .*dsn=(?P<dsn>[\d.]+), status=(?P<status>\w+) \((?P<reply>.*)\)$"
)
_QUEUED_AS = re.compile(r"queued as (\w+)")
_STORED = re.compile(
    _STAMP + r"lmtp\((?P<user>[^)]+)\)<\d+><(?P<lmtp_id>[^>]+)>: Info: "
    r"sieve: msgid=(?P<message_id><[^>]*>|\S+): stored mail into mailbox '(?P<mailbox>[^']+)'"
)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class Delivery:
    """One try of one server to hand the mail to the next."""

    recipient: str
    at_ns: int
    status: str
    """`sent`, `bounced`, `deferred` or `expired`."""
    dsn: str
    reply: str

    @property
    def next_queue_id(self) -> str | None:
        """The queue id that the next server gave the mail."""
        match = _QUEUED_AS.search(self.reply)
        return match[1] if match else None


@dataclass
class LoggedHop:
    """One Postfix instance's hold of the mail."""

    instance: str
    queue_id: str
    message_id: str = ""
    queued_at_ns: int | None = None
    """The queue manager took it: within a millisecond or two of the 250 after the final dot."""
    removed_at_ns: int | None = None
    gave_up_at_ns: int | None = None
    """It waited in vain for the greeting of the next server, and went to another one."""
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def opened_at_ns(self) -> int:
        """The first recipient was accepted: the instant that a long queue id spells."""
        digits = self.queue_id.rpartition("z")[0]
        seconds, microseconds = _number(digits[:-4]), _number(digits[-4:])
        return (seconds * 1_000_000 + microseconds) * 1_000

    @property
    def sent_at_ns(self) -> int | None:
        """The next server answered 250."""
        return next((each.at_ns for each in self.deliveries if each.status == "sent"), None)


@dataclass(frozen=True)
class Stored:
    """Dovecot put a copy into a mailbox."""

    at_ns: int
    user: str
    mailbox: str
    message_id: str
    lmtp_id: str
    """As Dovecot's Received header and its reply to the MX have it."""


@dataclass(frozen=True)
class Journey:
    """All that the servers logged of one Message-ID, in order of time."""

    message_id: str
    hops: list[LoggedHop]
    stored: list[Stored]

    @property
    def accepted_at_ns(self) -> int | None:
        """The first server had it in its queue."""
        return self.hops[0].queued_at_ns if self.hops else None

    @property
    def stored_at_ns(self) -> int | None:
        """The first copy was in a mailbox."""
        return self.stored[0].at_ns if self.stored else None

    def hop(self, instance: str) -> LoggedHop:
        """Return the (first) hold of one instance."""
        return next(hop for hop in self.hops if hop.instance == instance)


def _number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 52 + _BASE_52.index(digit)
    return value


def _stamp_ns(stamp: str) -> int:
    return (datetime.fromisoformat(stamp) - _EPOCH) // timedelta(microseconds=1) * 1_000


def _read_hops(lines: Iterable[str]) -> list[LoggedHop]:
    """Collect the holds that Postfix logged, in the order of their first line."""
    hops: dict[tuple[str, str], LoggedHop] = {}
    for line in lines:
        match = _POSTFIX.match(line)
        if match is None:
            continue
        key = match["instance"], match["queue_id"]
        hop, text = hops.setdefault(key, LoggedHop(*key)), match["text"]
        at_ns = _stamp_ns(match["stamp"])
        if text.startswith("message-id=") and not hop.message_id:
            hop.message_id = text.removeprefix("message-id=")
        elif text.endswith("(queue active)") and hop.queued_at_ns is None:
            hop.queued_at_ns = at_ns
        elif text == "removed":
            hop.removed_at_ns = at_ns
        elif text.endswith("timed out while receiving the initial server greeting"):
            hop.gave_up_at_ns = at_ns
        elif found := _DELIVERY.match(text):
            hop.deliveries.append(Delivery(at_ns=at_ns, **found.groupdict()))
    return list(hops.values())


def _read_stored(lines: Iterable[str]) -> list[Stored]:
    """Collect the copies that Dovecot logged."""
    matches = filter(None, map(_STORED.match, lines))
    return [
        Stored(_stamp_ns(match[1]), *match.group("user", "mailbox", "message_id", "lmtp_id"))
        for match in matches
    ]


class MailLog:
    """The logs of Postfix and Dovecot at one moment."""

    def __init__(self, postfix: Path, dovecot: Path) -> None:
        """Read both files; one that is not there yet is empty."""
        self._files = postfix, dovecot
        lines = [path.read_text(errors="replace").splitlines() if path.exists() else []
                 for path in self._files]  # fmt: skip
        self.hops = _read_hops(lines[0])
        self.stored = _read_stored(lines[1])

    def journey(self, key: str) -> Journey:
        """Return what is known of a Message-ID (with or without `<>`) or of a queue id's mail."""
        named = [hop.message_id for hop in self.hops if hop.queue_id == key]
        message_id = named[0] if named else f"<{key.strip('<>')}>"
        return Journey(
            message_id,
            [hop for hop in self.hops if hop.message_id == message_id],
            [copy for copy in self.stored if copy.message_id == message_id],
        )

    def wait_for(
        self, key: str, claim: Callable[[Journey], object], timeout_seconds: float = 30.0
    ) -> Journey:
        """Read the files anew until `claim` is true of the journey, and return it."""
        deadline = time.monotonic() + timeout_seconds
        while not claim(journey := MailLog(*self._files).journey(key)):
            if time.monotonic() > deadline:
                raise LabError(f"not within {timeout_seconds:g} s: {journey}")
            time.sleep(PAUSE_SECONDS)
        return journey
