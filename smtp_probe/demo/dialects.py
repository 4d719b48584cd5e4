"""How four mail servers speak: their Received header, their queue id, their greeting and their final reply.

In: what one host knows of one reception (`Facts`) and when each step of it was (`Instants`, on that host's own
clock). Out: text and header bytes. Pure. Which instant a server writes is part of its dialect: Postfix dates its
header at MAIL and makes its id at RCPT, Exim makes its id at DATA and dates the header at the end, Dovecot makes
its id when the connection is opened.
"""

from __future__ import annotations

import textwrap
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import format_datetime

from smtp_probe.demo.queue_ids import dovecot_id, exim_id, postfix_long_id

_CENTRAL_EUROPE = timezone(timedelta(hours=1))
_EXCHANGE_WIDTH = 77


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSession:
    """What the host knows of the encryption of one connection: `TLSv1.3`, the suite, and the bits of its key."""

    version: str
    cipher: str
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one host knows of one message that it takes in."""

    by: str
    helo: str
    peer_name: str
    """What the reverse look-up of the peer's address gives."""
    peer_address: str
    sender: str
    """The envelope sender, without angle brackets; empty for a notification."""
    recipient: str
    message_id: str = ""
    """As the message has it, with its angle brackets."""
    tls: TlsSession | None = None
    user: str | None = None
    """Who authenticated, if anybody did."""
    ordinal: int = 1
    """Which message of its connection this is, from 1."""
    serial: int = 0
    """A number that no other message of this host has: it stands for an inode or a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instants:
    """When each step of a reception was: nanoseconds since the epoch, on the clock of the receiving host."""

    connected_ns: int
    mail_ns: int
    recipient_ns: int
    data_ns: int
    received_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One server's way of speaking."""

    software: str
    greeting: str
    """What follows `220` and the host name."""
    queue_id: Callable[[Facts, Instants], str]
    received: Callable[[Facts, Instants, str], bytes]
    """Facts, instants and queue id to the Received header, with its final CRLF."""
    accepted: Callable[[Facts, str], str]
    """Facts and queue id to the reply to the final dot."""


def _date(at_ns: int, zone: tzinfo = UTC) -> str:
    return format_datetime(datetime.fromtimestamp(at_ns // 1_000_000_000, zone))


def _protocol(facts: Facts, base: str) -> str:
    """The protocol name with its S for TLS and A for authentication (RFC 3848)."""
    return base + ("S" if facts.tls else "") + ("A" if facts.user else "")


def _lines(*parts: str) -> bytes:
    return ("\r\n\t".join(part for part in parts if part) + "\r\n").encode("ascii", "replace")


def _postfix_id(facts: Facts, at: Instants) -> str:
    return postfix_long_id(at.recipient_ns, 0x20000 + facts.serial)


def _postfix_tls(tls: TlsSession) -> str:
    key_exchange = (
        "\r\n\t key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256"
        if tls.version == "TLSv1.3"
        else ""
    )
    return f"(using {tls.version} with cipher {tls.cipher} ({tls.bits}/{tls.bits} bits){key_exchange})"


def _postfix_received(facts: Facts, at: Instants, queue_id: str) -> bytes:
    return _lines(
        f"Received: from {facts.helo} ({facts.peer_name} [{facts.peer_address}])",
        _postfix_tls(facts.tls) if facts.tls else "",
        "(No client certificate requested)" if facts.tls else "",
        f"(Authenticated sender: {facts.user})" if facts.user else "",
        f"by {facts.by} (Postfix) with {_protocol(facts, 'ESMTP')} id {queue_id}",
        f"for <{facts.recipient}>; {_date(at.mail_ns)} (UTC)",
    )


def _postfix_accepted(_facts: Facts, queue_id: str) -> str:
    return f"250 2.0.0 Ok: queued as {queue_id}"


def _exim_id(facts: Facts, at: Instants) -> str:
    return exim_id(at.data_ns, 4000 + facts.serial)


def _exim_received(facts: Facts, at: Instants, queue_id: str) -> bytes:
    version = facts.tls.version.replace("TLSv", "TLS") if facts.tls else ""
    helo = "" if facts.helo == facts.peer_name else f" helo={facts.helo}"
    return _lines(
        f"Received: from {facts.peer_name} ([{facts.peer_address}]{helo})",
        f"by {facts.by} with {_protocol(facts, 'ESMTP').lower()}"
        + (f"  ({version}) tls {facts.tls.cipher}" if facts.tls else " (Exim 4.98.2)"),
        "(Exim 4.98.2)" if facts.tls else "",
        f"(envelope-from <{facts.sender}>)" if facts.sender else "",
        f"id {queue_id}",
        f"for {facts.recipient};",
        _date(at.received_ns),
    )


def _exim_accepted(_facts: Facts, queue_id: str) -> str:
    return f"250 OK id={queue_id}"


def _exchange_id(_facts: Facts, _at: Instants) -> str:
    """Exchange writes its version where others write a queue id."""
    return "15.2.1544.14"


def _exchange_received(facts: Facts, at: Instants, queue_id: str) -> bytes:
    version = facts.tls.version.replace("TLSv", "TLS").replace(".", "_") if facts.tls else ""
    tls = f" (version={version}, cipher={facts.tls.cipher})" if facts.tls else ""
    text = (
        f"Received: from {facts.helo} ({facts.peer_address}) by {facts.by} ({facts.peer_address}) "
        f"with Microsoft SMTP Server{tls} id {queue_id} via Frontend Transport; "
        + _date(at.received_ns, _CENTRAL_EUROPE)
    )
    lines = textwrap.wrap(text, _EXCHANGE_WIDTH, break_long_words=False, break_on_hyphens=False)
    return ("\r\n ".join(lines) + "\r\n").encode("ascii", "replace")


def _exchange_accepted(facts: Facts, _queue_id: str) -> str:
    internal_id = 77_309_411_328 + facts.serial
    return f"250 2.6.0 {facts.message_id[:200]} [InternalId={internal_id}] Queued mail for delivery"


def _dovecot_id(facts: Facts, at: Instants) -> str:
    session = dovecot_id(at.connected_ns, 900 + facts.serial, zlib.crc32(facts.by.encode("ascii")))
    return session if facts.ordinal == 1 else f"{session}:T{facts.ordinal}"


def _dovecot_received(facts: Facts, at: Instants, queue_id: str) -> bytes:
    return _lines(
        f"Received: from {facts.helo} ([{facts.peer_address}])",
        f"(using {facts.tls.version} with cipher {facts.tls.cipher} ({facts.tls.bits}/{facts.tls.bits} bits))"
        if facts.tls
        else "",
        f"by {facts.by} with {_protocol(facts, 'LMTP')}",
        f"id {queue_id}",
        f"(envelope-from <{facts.sender}>)",
        f"for <{facts.recipient}>; {_date(at.mail_ns)}",
    )


def _dovecot_accepted(facts: Facts, queue_id: str) -> str:
    return f"250 2.0.0 <{facts.recipient}> {queue_id} Saved"


POSTFIX = Dialect(
    software="postfix",
    greeting="ESMTP Postfix",
    queue_id=_postfix_id,
    received=_postfix_received,
    accepted=_postfix_accepted,
)
EXIM = Dialect(
    software="exim",
    greeting="ESMTP Exim 4.98.2",
    queue_id=_exim_id,
    received=_exim_received,
    accepted=_exim_accepted,
)
EXCHANGE = Dialect(
    software="exchange",
    greeting="Microsoft ESMTP MAIL Service ready",
    queue_id=_exchange_id,
    received=_exchange_received,
    accepted=_exchange_accepted,
)
DOVECOT = Dialect(
    software="dovecot",
    greeting="Dovecot ready.",
    queue_id=_dovecot_id,
    received=_dovecot_received,
    accepted=_dovecot_accepted,
)


def pickup_received(by: str, queue_id: str, at_ns: int) -> bytes:
    """The Received header that Postfix gives a message it made itself, such as a bounce."""
    return _lines(f"Received: by {by} (Postfix)", f"id {queue_id}; {_date(at_ns)} (UTC)")
