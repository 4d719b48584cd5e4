"""SRV records of mail services (RFC 6186, and RFC 8314 for submission with TLS from the start).

In: an address' parts and a way to ask. Out: servers, in the order in which a client should try them, and what was said.
"""

from __future__ import annotations

from dataclasses import dataclass

from smtp_probe.mail.hostnames import as_host_name
from smtp_probe.model import AccountProtocol, DnsAnswer, DnsSecurity, DnsStatus, FoundServer, SrvRecord
from smtp_probe.model.words import in_words
from smtp_probe.ports import Ask

_SERVICES = (
    # RFC 8314 section 5.1: TLS from the start is preferred where both are announced.
    ("_submissions", AccountProtocol.SMTP, True),
    ("_submission", AccountProtocol.SMTP, False),
    ("_imaps", AccountProtocol.IMAP, True),
    ("_imap", AccountProtocol.IMAP, False),
)
MOST_RECORDS = 4
"""Of one service: whoever has more is not helped by trying a password at all of them."""


@dataclass(frozen=True, slots=True)
class Person:
    """An address, taken apart."""

    local: str
    domain: str

    @property
    def address(self) -> str:
        """The whole."""
        return f"{self.local}@{self.domain}"

    @property
    def usernames(self) -> tuple[str, ...]:
        """RFC 6186 section 4: the whole address first, and then what stands before the at."""
        return self.address, self.local


def is_within(host: str, domain: str) -> bool:
    """Whether a host is the domain or below it."""
    return f".{host.lower()}".endswith(f".{domain.lower()}")


async def ask_for_services(person: Person, ask: Ask) -> tuple[list[FoundServer], list[str], list[str]]:
    """Servers, notes, and what could not be asked."""
    servers: list[FoundServer] = []
    notes: list[str] = []
    unobserved: list[str] = []
    for service, protocol, is_implicit_tls in _SERVICES:
        name = f"{service}._tcp.{person.domain}"
        answer = await ask(name, "SRV")
        if answer.is_failure and answer.status is not DnsStatus.MALFORMED:
            unobserved.append(f"{name}: {answer.detail or in_words(answer.status)}")
            continue
        found, note = _read(person, answer, protocol, is_implicit_tls=is_implicit_tls)
        servers += found
        notes.append(f"{name}: {note}")
    return servers, notes, unobserved


def _read(
    person: Person, answer: DnsAnswer, protocol: AccountProtocol, *, is_implicit_tls: bool
) -> tuple[list[FoundServer], str]:
    records = sorted(
        (value for value in answer.values if isinstance(value, SrvRecord)),
        key=lambda record: (record.priority, -record.weight),
    )
    if not records:
        return [], "no record"
    if not records[0].target:
        return [], "not offered"  # RFC 2782: a target of "." says so
    found = []
    for record in records[:MOST_RECORDS]:
        host = as_host_name(record.target)
        if host is None or not record.port:
            continue
        server = FoundServer(
            protocol=protocol,
            host=host,
            port=record.port,
            is_implicit_tls=is_implicit_tls,
            usernames=person.usernames,
            source=f"SRV record {answer.name}",
            is_vouched=answer.security is DnsSecurity.SECURE or is_within(host, person.domain),
        )
        found.append(server)
    return found, ", ".join(f"{each.host}:{each.port}" for each in found) or "no usable record"
