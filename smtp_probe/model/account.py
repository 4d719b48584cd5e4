"""Where a mail account is reached: what was found out about a domain, before anybody has logged in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AccountProtocol(StrEnum):
    """What a server is for: mail is handed in by the one and read by the other."""

    SMTP = "smtp"
    IMAP = "imap"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundServer:
    """One place where an account may be reached. `usernames` are to be tried in their order."""

    protocol: AccountProtocol
    host: str
    port: int
    is_implicit_tls: bool
    """TLS from the first byte; STARTTLS otherwise. There is no third: a password is not sent in the clear."""
    usernames: tuple[str, ...]
    source: str
    """Who says so, for people."""
    is_vouched: bool
    """Whether the domain itself says so in a way that cannot be forged on the path: over HTTPS, by a signed zone, by
    a name inside of the domain; or the person did (RFC 6186 section 6)."""
    profile: str | None = None
    """The provider or server whose habits are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """The servers found, best first, and what each source said. `unobserved`: what could not be asked, and why."""

    servers: tuple[FoundServer, ...]
    notes: tuple[str, ...] = ()
    unobserved: tuple[str, ...] = ()

    def of(self, protocol: AccountProtocol) -> tuple[FoundServer, ...]:
        """Those of one protocol."""
        return tuple(server for server in self.servers if server.protocol is protocol)
