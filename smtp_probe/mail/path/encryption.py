"""Whether a hop took the message over TLS, as far as its line says.

In: a hop. Out: yes, no, or not known. A hop within one host goes over no network, so the question is not put; a line
that names no protocol of SMTP says nothing either way.
"""

from __future__ import annotations

from smtp_probe.mail.path.organisations import is_loopback_address
from smtp_probe.model import Hop

PLAIN_PROTOCOLS = frozenset(
    {
        *("SMTP", "ESMTP", "ESMTPA", "LMTP", "LMTPA"),
        *("UTF8SMTP", "UTF8SMTPA", "UTF8LMTP", "UTF8LMTPA"),
    }
)
"""RFC 3848, 6531: with TLS their names would have an S in them."""
_EXTENDED = ("ESMTP", "LMTP", "UTF8SMTP", "UTF8LMTP")
_ENCRYPTED_PROTOCOLS = frozenset({"SMTPS", *(f"{name}{end}" for name in _EXTENDED for end in ("S", "SA"))})
_LOOPBACK_NAME = "localhost"
"""Also what a server puts in the place of a client that it hides."""


def is_encrypted(hop: Hop) -> bool | None:
    """Whether the message came over TLS; None where that is not known or there was no network."""
    is_told = hop.says_tls or hop.tls_version is not None or hop.tls_cipher is not None
    if is_told or (hop.with_ or "").upper() in _ENCRYPTED_PROTOCOLS:
        return True
    if is_local(hop) or names_no_client(hop) or hop.with_ not in PLAIN_PROTOCOLS:
        return None
    return False


def names_no_client(hop: Hop) -> bool:
    """Whether the line says nothing of who handed over: Google's inner lines, and those of a message that begins there."""
    return hop.from_name is None and hop.from_host is None and hop.from_ip is None


def is_local(hop: Hop) -> bool:
    """Whether the client was a program on the same host."""
    return is_loopback_address(hop.from_ip) or _LOOPBACK_NAME in (hop.from_name, hop.from_host)
