"""What the Received headers of a message say: its hops, and the time between them."""

from __future__ import annotations

from dataclasses import dataclass


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
    says_tls: bool = False
    """Whether the line says that there was TLS, and neither which version nor which cipher."""
    authenticated: bool | None = None
    at_ns: int | None = None
    resolution_seconds: float | None = None
    stamp_source: str | None = None
    """`date`, or the id or header that tells it more finely: `postfix_id`, `exim_id`, `ses_message_id`, ..."""
    stamp_event: str | None = None
    """What happened when the clock was read: `connection`, `mail`, `rcpt`, `data` (its beginning), `end_of_data`,
    `stored`; None where it is not known."""
    software: str | None = None
    """`postfix`, `exim`, `dovecot`, ... where the header says so unmistakably."""
    software_version: str | None = None
    """As the header has it, of Exim only: its ids are read by it."""
    by_host: str | None = None
    """The host's own name beside a `by` that says only `localhost`, as content filters write it."""
    relay_ids: tuple[str, ...] = ()
    """Ids of the X-Received lines that Gmail wrote above this hop's own line."""
    date_ns: int | None = None
    """The header's own date, where `at_ns` is of an id that tells no more than the fraction of a second."""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HopDelay:
    """What one hop cost, raw: its stamp less the one before, on two clocks. May be negative; None is unknown."""

    position: int
    by: str
    """Normalised host name, bounded, safe as a label."""
    delay_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Where two copies of one message parted."""

    after_hop: int
    """How many hops both have in common; 0: they parted before the first, or the message was handed over twice."""
    host: str = ""
    """Who had it once and passed it on twice: normalised, bounded. Empty where that is not known."""
    is_behind_last_hop: bool = False
    """Whether all hops are the same: the mailbox itself made two of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The ordered hops, oldest first."""

    hops: tuple[Hop, ...] = ()
    delays: tuple[HopDelay, ...] = ()
    flags: tuple[str, ...] = ()
