"""Providers whose servers are known, told by the MX hosts of a domain; and the names that a domain's servers often have.

In: an address' parts and a way to ask. Out: servers. A guess is no more than a name to try: a certificate for that very
name must stand behind it before a password is sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from smtp_probe.model import AccountProtocol, DnsStatus, FoundServer, MxRecord
from smtp_probe.policy.discovery.service_records import Person, is_within
from smtp_probe.ports import Ask


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: where its MX hosts are, and its servers as it tells them itself."""

    name: str
    exchangers: tuple[str, ...]
    smtp: tuple[str, int, bool]
    imap: tuple[str, int, bool]
    profile: str | None = None


PROVIDERS = (
    Provider(
        "Google",
        ("google.com", "googlemail.com"),
        ("smtp.gmail.com", 465, True),
        ("imap.gmail.com", 993, True),
        "gmail",
    ),
    Provider(
        "Microsoft 365",
        ("mail.protection.outlook.com", "mx.microsoft"),
        ("smtp.office365.com", 587, False),
        ("outlook.office365.com", 993, True),
        "microsoft365",
    ),
    Provider(
        "Yahoo",
        ("yahoodns.net",),
        ("smtp.mail.yahoo.com", 465, True),
        ("imap.mail.yahoo.com", 993, True),
        "yahoo",
    ),
    Provider(
        "Fastmail",
        ("messagingengine.com",),
        ("smtp.fastmail.com", 465, True),
        ("imap.fastmail.com", 993, True),
    ),
)

_GUESSES = {AccountProtocol.SMTP: ("smtp", "mail"), AccountProtocol.IMAP: ("imap", "mail")}
_PORTS = {
    AccountProtocol.SMTP: ((465, True), (587, False)),
    AccountProtocol.IMAP: ((993, True), (143, False)),
}
_MOST_EXCHANGERS = 2


async def ask_for_provider(person: Person, ask: Ask) -> tuple[list[FoundServer], list[str], list[str]]:
    """What is known of whoever takes the domain's mail: servers, notes, the MX hosts."""
    answer = await ask(person.domain, "MX")
    exchangers = sorted((value for value in answer.values if isinstance(value, MxRecord)), key=_preference)
    hosts = [record.host for record in exchangers if record.host]
    provider = next((each for each in PROVIDERS if any(_is_of(each, host) for host in hosts)), None)
    if provider is None:
        return [], ["MX records: no provider that is known"], hosts
    servers = [
        FoundServer(
            protocol=protocol,
            host=host,
            port=port,
            is_implicit_tls=is_implicit_tls,
            usernames=(person.address,),
            source=f"what is known of {provider.name}, which takes the mail of {person.domain}",
            is_vouched=True,  # by the table above: who forges an MX record gets to name no host of his own
            profile=provider.profile,
        )
        for protocol, (host, port, is_implicit_tls) in (
            (AccountProtocol.SMTP, provider.smtp),
            (AccountProtocol.IMAP, provider.imap),
        )
    ]
    return servers, [f"MX records: {provider.name}"], hosts


def _preference(record: MxRecord) -> int:
    return record.preference


def _is_of(provider: Provider, host: str) -> bool:
    return any(is_within(host, domain) for domain in provider.exchangers)


async def guess(
    person: Person, protocol: AccountProtocol, exchangers: list[str], ask: Ask
) -> list[FoundServer]:
    """Names that have an address: those that are usual in the domain, and its MX hosts."""
    names = [f"{label}.{person.domain}" for label in _GUESSES[protocol]]
    found = []
    for host in dict.fromkeys([*names, *exchangers[:_MOST_EXCHANGERS]]):
        answers = [await ask(host, kind) for kind in ("A", "AAAA")]
        if not any(answer.status is DnsStatus.FOUND for answer in answers):
            continue
        found += [
            FoundServer(
                protocol=protocol,
                host=host,
                port=port,
                is_implicit_tls=is_implicit_tls,
                usernames=person.usernames,
                source="a guess",
                is_vouched=is_within(host, person.domain),
            )
            for port, is_implicit_tls in _PORTS[protocol]
        ]
    return found
