"""Why something ended badly: what a server said, and the bounded words for causes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a step failed. Bounded: these values are metric labels."""

    NO_SUCH_HOST = "no_such_host"
    RESOLVER_FAILED = "resolver_failed"
    """Our resolver timed out, refused or failed: the observer's fault, not the path's."""
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    NETWORK_UNREACHABLE = "network_unreachable"
    NO_ROUTE = "no_route"
    """This machine itself has no way to the address: the observer's fault, not the path's."""
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
    ACCESS_DENIED = "access_denied"
    """The system does not let us read or change a file that we need."""
    DISK_FAILED = "disk_failed"
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
class Failure:
    """Why something ended badly: where, why, and what the other side said."""

    stage: str
    """A `Phase` value, or `arrival`, `mailbox`, `journal`, `bounce`, `placement`."""
    cause: str
    """A `Cause` value, or an outcome-like word such as `overdue`, `bounced`, `junked`."""
    reply: Reply | None = None
    tls_failure: TlsFailure | None = None
    detail: str = ""
