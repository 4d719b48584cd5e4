"""What one SMTP transaction did: its phases, its TLS, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smtp_probe.model.failure import Failure, Reply, TlsFailure


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
    attempts: int = 1
    """How many transactions it took: each before this one ended with a 4xx reply."""
    first_attempt_ns: int | None = None
    """When the first of several began; None where there was one."""

    @property
    def may_arrive(self) -> bool:
        """Whether the message has to be watched for."""
        return self.disposition in (Disposition.ACCEPTED, Disposition.UNCERTAIN)
