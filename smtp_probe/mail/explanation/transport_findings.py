"""How a message was handed from one organisation to the next: in plaintext, over old TLS, from an unlikely address.

In: the passages of a message. Out: findings. A line is taken at its word. What happens within an organisation, or within
a host, is its own affair and no finding, but for TLS that is forbidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtp_probe.mail.path.organisations import find_organisation, is_loopback_address, is_private_address
from smtp_probe.mail.path.passages import Passage, name_client, say_host
from smtp_probe.model import Finding, Severity

_OLD_TLS = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})
"""Forbidden by RFC 6176, 7568 and 8996."""
_PLAIN_PROTOCOLS = frozenset({"SMTP", "ESMTP", "ESMTPA", "UTF8SMTP", "UTF8SMTPA"})
"""RFC 3848: with TLS their names would have an S in them."""
_LOOPBACK_NAME = "localhost"
"""Also what a server puts in the place of a client that it hides."""


def check_transport(passages: Sequence[Passage]) -> Iterator[Finding]:
    """Give all findings of this module, oldest hop first."""
    before: Passage | None = None
    for passage in passages:
        yield from _check_version(passage)
        if _is_between_organisations(before, passage):
            yield from _check_encryption(passage)
            yield from _check_address(before, passage)
        before = passage


def _check_version(passage: Passage) -> Iterator[Finding]:
    if passage.hop.tls_version in _OLD_TLS:
        said = f"took the message over {passage.hop.tls_version}, which is forbidden since RFC 8996."
        yield _report("old_tls", Severity.INFO, passage, said)


def _check_encryption(passage: Passage) -> Iterator[Finding]:
    hop = passage.hop
    is_plain = hop.with_ in _PLAIN_PROTOCOLS and hop.tls_version is None and hop.tls_cipher is None
    if is_plain and not is_private_address(hop.from_ip):
        source = hop.from_host or hop.from_name or hop.from_ip or "another organisation"
        said = f"took the message from {source} with {hop.with_}: as far as its line says, without TLS."
        yield _report("plaintext", Severity.WARNING, passage, said)


def _check_address(before: Passage | None, passage: Passage) -> Iterator[Finding]:
    """Only where the line beneath is of another organisation: a client may well have such an address."""
    is_foreign = before is not None and before.organisation not in (None, passage.organisation)
    if is_foreign and is_private_address(passage.hop.from_ip):
        said = (
            f"took the message from {passage.hop.from_ip}, an address of its own network, and the line beneath is of "
            "another organisation: a gateway that wrote no line stands between them, or that line is invented."
        )
        yield _report("private_address", Severity.INFO, passage, said)


def _is_between_organisations(before: Passage | None, passage: Passage) -> bool:
    """Whether the message came from another organisation, as far as names show it."""
    own, hop = passage.organisation, passage.hop
    is_local = is_loopback_address(hop.from_ip) or _LOOPBACK_NAME in (hop.from_name, hop.from_host)
    if own is None or is_local:
        return False
    sources = {find_organisation(name) for name in name_client(hop)}
    if not sources and before is not None and before.organisation is not None:
        sources = {before.organisation}
    return bool(sources) and own not in sources


def _report(check: str, severity: Severity, passage: Passage, said: str) -> Finding:
    message = f"{say_host(passage).capitalize()} {said}"
    return Finding(check=check, severity=severity, hop=passage.position, message=message)
