"""What came of fetching one page over HTTPS."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WebFailure(StrEnum):
    """Why there is no page."""

    NO_SUCH_HOST = "no_such_host"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CERTIFICATE = "certificate"
    PROTOCOL = "protocol"
    OURS = "ours"
    """Our resolver failed, or the authorities to trust cannot be read: it says nothing of the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAnswer:
    """An answer, or the reason why there is none. `body` may be one byte longer than the limit: then it was cut."""

    status: int = 0
    content_type: str = ""
    body: bytes = b""
    location: str = ""
    """Of a redirect: where to. It is not followed here."""
    failure: WebFailure | None = None
    detail: str = ""
    """For people, sanitised."""
