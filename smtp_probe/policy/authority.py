"""The name servers of a domain, asked one by one: do they answer, with authority, and all the same?

In: a domain, `ports.Ask` for its name servers, and a way to ask one server. Out: findings whose ids begin with
`authority_`. Asked only where that is wanted: it puts questions to servers of others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from smtp_probe.model import (
    CheckResult,
    DnsAnswer,
    DnsStatus,
    DomainUnderCheck,
    Finding,
    Severity,
    SoaRecord,
)
from smtp_probe.model.words import in_words
from smtp_probe.policy.findings import make_finding, unseen
from smtp_probe.ports import Ask

AskServer = Callable[[str, str, str], Awaitable[DnsAnswer]]
"""Asks one server: its address, a name, a kind. Never raises for what DNS does."""

_KINDS = ("MX", "TXT")
_MOST_SERVERS = 16
_KNOWN = (DnsStatus.FOUND, DnsStatus.NO_DATA, DnsStatus.NO_SUCH_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    name: str
    address: str
    soa: DnsAnswer
    answers: tuple[DnsAnswer, ...]

    @property
    def serial(self) -> int | None:
        return next((value.serial for value in self.soa.values if isinstance(value, SoaRecord)), None)

    @property
    def text(self) -> str:
        return f"{self.name} [{self.address}]"


async def check_authority(subject: DomainUnderCheck, ask: Ask, ask_server: AskServer) -> CheckResult:
    """Ask every name server of the zone that the domain is in, at each of its addresses."""
    zone, names = await _find_zone(subject.domain, ask)
    if names.is_failure:
        return CheckResult(unobserved=(unseen(names),))
    if not names.values:
        return CheckResult(unobserved=(f"no name servers are found for {subject.domain}",))
    servers: list[_Server] = []
    failed: list[DnsAnswer] = []
    for value in sorted(str(value) for value in names.values)[:_MOST_SERVERS]:
        for kind in ("A", "AAAA"):
            answer = await ask(value, kind)
            failed += [answer] if answer.is_failure else []
            servers += [
                await _ask_all(value, str(address), zone, subject.domain, ask_server)
                for address in answer.values
            ]
    findings = list(_judge(zone, servers)) if servers else []
    return CheckResult(
        findings=tuple(findings),
        unobserved=tuple(unseen(answer) for answer in failed),
        facts={
            "zone": zone,
            "servers": [
                {"name": server.name, "address": server.address, "serial": server.serial}
                for server in servers
            ],
        },
    )


async def _find_zone(domain: str, ask: Ask) -> tuple[str, DnsAnswer]:
    """The nearest name above with NS records."""
    labels = domain.split(".")
    answer = await ask(domain, "NS")
    for at in range(1, len(labels)):
        if answer.values or answer.is_failure:
            break
        answer = await ask(".".join(labels[at:]), "NS")
    return answer.name, answer


async def _ask_all(name: str, address: str, zone: str, domain: str, ask_server: AskServer) -> _Server:
    soa = await ask_server(address, zone, "SOA")
    answers = [await ask_server(address, domain, kind) for kind in _KINDS] if soa.values else []
    return _Server(name=name, address=address, soa=soa, answers=tuple(answers))


def _judge(zone: str, servers: list[_Server]) -> Iterator[Finding]:
    for server in servers:
        if server.soa.status in (DnsStatus.TIMEOUT, DnsStatus.UNREACHABLE):
            yield _finding(
                "authority_unreachable",
                Severity.ERROR,
                server.text,
                f"The name server {server.text} of {zone} does not answer.",
                "Start it, or take it out of the NS records.",
                "RFC 2182 section 3",
            )
        elif server.soa.status is not DnsStatus.FOUND or server.soa.original_ttl_seconds is None:
            yield _finding(
                "authority_lame",
                Severity.ERROR,
                server.text,
                f"The name server {server.text} has no authority for {zone} ({in_words(server.soa.status)}).",
                "Configure the zone there, or take it out of the NS records.",
                "RFC 1912 section 2.8",
            )
    able = [server for server in servers if server.serial is not None]
    yield from _judge_differences(zone, able)
    if len({server.address for server in servers}) == 1:
        yield _finding(
            "authority_single",
            Severity.WARNING,
            zone,
            f"All of {zone} depends on the one name server {servers[0].text}.",
            "Add a second name server at another place.",
            "RFC 2182 section 5",
        )


def _judge_differences(zone: str, servers: list[_Server]) -> Iterator[Finding]:
    for at, kind in enumerate(_KINDS):
        said: dict[frozenset[object], str] = {}
        for server in servers:
            answer = server.answers[at]
            if answer.status in _KNOWN:
                said.setdefault(frozenset(answer.values), server.text)
        if len(said) > 1:
            yield _finding(
                "authority_answers_differ",
                Severity.ERROR,
                zone,
                f"The name servers of {zone} give different {kind} records: {' and '.join(list(said.values())[:4])}.",
                "See why the zone is not transferred.",
                "RFC 2182 section 3",
            )
            return
    serials = {server.serial: server.text for server in servers}
    if len(serials) > 1:
        pairs = ", ".join(f"{text} has {serial}" for serial, text in list(serials.items())[:4])
        yield _finding(
            "authority_serials_differ",
            Severity.WARNING,
            zone,
            f"The name servers of {zone} have different serials: {pairs}.",
            "Wait for the transfer; if it lasts, see why the zone is not transferred.",
            "RFC 1912 section 2.2",
        )


def _finding(  # noqa: PLR0913, PLR0917  # a finding has so many parts
    check: str, severity: Severity, subject: str, message: str, advice: str, source: str
) -> Finding:
    return make_finding(check, severity, subject, message, advice=advice, source=source)
