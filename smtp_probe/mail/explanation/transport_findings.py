"""How a message was handed from one organisation to the next: in plaintext, over old TLS, from an unlikely address.

In: the passages of a message. Out: findings. A line is taken at its word. What happens within an organisation, or within
a host, is its own affair and no finding, but for TLS that is forbidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtp_probe.mail.path.encryption import is_encrypted, is_local
from smtp_probe.mail.path.organisations import find_organisation, is_private_address
from smtp_probe.mail.path.passages import Passage, name_client, say_host
from smtp_probe.model import Finding, Severity

_OLD_TLS = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})
"""Forbidden by RFC 6176, 7568 and 8996."""


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
    is_plain = is_encrypted(hop) is False and "LMTP" not in (hop.with_ or "")  # LMTP is spoken at home
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
    if own is None or is_local(hop):
        return False
    sources = {find_organisation(name) for name in name_client(hop)}
    if not sources and before is not None and before.organisation is not None:
        sources = {before.organisation}
    return bool(sources) and own not in sources


def _report(check: str, severity: Severity, passage: Passage, said: str) -> Finding:
    message = f"{say_host(passage).capitalize()} {said}"
    return Finding(check=check, severity=severity, hop=passage.position, message=message)
