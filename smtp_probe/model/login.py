"""What trying an account shows, without a message: how far a login comes, and what a mailbox offers."""

from __future__ import annotations

from dataclasses import dataclass

from smtp_probe.model.arrival import ClockSighting, Placement
from smtp_probe.model.failure import Failure
from smtp_probe.model.submission import PhaseTiming, TlsFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginTrial:
    """One SMTP session that ends after the login. It fulfilled its purpose where there is no failure."""

    phases: tuple[PhaseTiming, ...]
    failure: Failure | None = None
    peer_address: str | None = None
    tls: TlsFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedFolder:
    """A folder that is watched, as it is. `rights` are letters of RFC 4314; None where the server tells none."""

    name: str
    placement: Placement
    messages: int
    rights: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaUse:
    """How much of a resource is used (RFC 9208): STORAGE in units of 1024 bytes, MESSAGE in messages."""

    resource: str
    used: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSurvey:
    """What one session sees of a mailbox. `quotas` is None where the server tells none."""

    folders: tuple[SurveyedFolder, ...]
    quotas: tuple[QuotaUse, ...] | None = None
    tls: TlsFacts | None = None
    clock: ClockSighting | None = None
