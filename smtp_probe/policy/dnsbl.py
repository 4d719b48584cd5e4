"""Block lists in DNS (RFC 5782): whether the egress addresses, or the domain, are listed.

In: what is known of a domain, the lists that the user names, and `ports.Ask`. Out: findings whose ids begin with `dnsbl_`,
and each list's state. A list is believed only when its test entries answer as they must: a list that has ended, or a
resolver that answers everything, lists the whole world. An answer of 127.255.255.x is a refusal to answer, and an answer
outside of 127.0.0.0/8 is none of a list: both are errors of the asking, and never listings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import CheckResult, DnsAnswer, DomainUnderCheck, Finding, Severity
from smtp_probe.policy.findings import make_finding, unseen
from smtp_probe.ports import Ask

_LISTINGS = ip_network("127.0.0.0/8")
_REFUSALS = ip_network("127.255.255.0/24")
_ADDRESS_TESTS = ("2.0.0.127", "1.0.0.127")
"""RFC 5782 section 5: the first has to be listed, and the second must not be."""
_DOMAIN_TESTS = ("test", "invalid")


class ListState(StrEnum):
    """What one list says of one subject."""

    LISTED = "listed"
    CLEAN = "clean"
    UNKNOWN = "unknown"
    """It refused, did not answer, or is no list that works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLists:
    """The zones that the user names."""

    addresses: tuple[str, ...] = ()
    """Lists of addresses (DNSBL)."""
    domains: tuple[str, ...] = ()
    """Lists of domains (RHSBL)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one list says of one subject."""

    zone: str
    subject: str
    state: ListState
    codes: tuple[str, ...] = ()
    reason: str = ""


async def check_dnsbl(subject: DomainUnderCheck, ask: Ask, *, lists: BlockLists) -> CheckResult:
    """Ask every list about every subject. Fits `ports.Check` when its lists are given."""
    domains = dict.fromkeys(
        name
        for name in (subject.domain, (subject.sender or "").rpartition("@")[2], *subject.ehlo_names)
        if name
    )
    listings: list[Listing] = []
    for zone in lists.addresses:
        listings += await _ask_list(zone, {ip: reverse(ip) for ip in subject.egress}, _ADDRESS_TESTS, ask)
    for zone in lists.domains:
        listings += await _ask_list(zone, {name: name for name in domains}, _DOMAIN_TESTS, ask)
    return CheckResult(
        findings=tuple(_finding(each) for each in listings if each.state is ListState.LISTED),
        unobserved=tuple(
            dict.fromkeys(
                sanitise(f"{each.zone}: {each.reason}")
                for each in listings
                if each.state is ListState.UNKNOWN
            )
        ),
        facts={"listings": [_fact(each) for each in listings]} if listings else {},
    )


def reverse(address: str) -> str:
    """The name of an address below a list: its octets, or the nibbles of IPv6, in reverse (RFC 5782 section 2)."""
    pointer = ip_address(address).reverse_pointer
    return pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")


async def _ask_list(zone: str, subjects: dict[str, str], tests: tuple[str, str], ask: Ask) -> list[Listing]:
    """Everything about one list; its test entries first."""
    if not subjects:
        return []
    fault = await _find_fault(zone, tests, ask)
    if fault:
        return [Listing(zone=zone, subject=name, state=ListState.UNKNOWN, reason=fault) for name in subjects]
    return [await _look_up(zone, name, label, ask) for name, label in subjects.items()]


async def _find_fault(zone: str, tests: tuple[str, str], ask: Ask) -> str:
    """Why a list cannot be believed; empty where it can."""
    must, must_not = [await ask(f"{test}.{zone}", "A") for test in tests]
    for answer in (must, must_not):
        fault = _read_fault(answer)
        if fault:
            return fault
    if not must.values:
        return f"its test entry {tests[0]} is not listed: the list does not work, or has ended"
    if must_not.values:
        return f"its test entry {tests[1]} is listed: the list, or the resolver, lists everything"
    return ""


def _read_fault(answer: DnsAnswer) -> str:
    """Why an answer says nothing."""
    if answer.is_failure:
        return unseen(answer)
    codes = [IPv4Address(str(value)) for value in answer.values]
    if any(code in _REFUSALS for code in codes):
        return (
            f"the list refuses to answer ({codes[0]}): it may not be asked through this resolver, or so often"
        )
    if any(code not in _LISTINGS for code in codes):
        return f"{answer.name} answered {codes[0]}, which is no answer of a list: a resolver may have rewritten it"
    return ""


async def _look_up(zone: str, subject: str, label: str, ask: Ask) -> Listing:
    answer = await ask(f"{label}.{zone}", "A")
    fault = _read_fault(answer)
    if fault:
        return Listing(zone=zone, subject=subject, state=ListState.UNKNOWN, reason=fault)
    if not answer.values:
        return Listing(zone=zone, subject=subject, state=ListState.CLEAN)
    texts = await ask(f"{label}.{zone}", "TXT")
    reason = next((sanitise(value, 200) for value in texts.values if isinstance(value, bytes)), "")
    codes = tuple(sorted(str(value) for value in answer.values))
    return Listing(zone=zone, subject=subject, state=ListState.LISTED, codes=codes, reason=reason)


def _finding(listing: Listing) -> Finding:
    why = f": {listing.reason}" if listing.reason else ""
    return make_finding(
        "dnsbl_listed",
        Severity.ERROR,
        listing.subject,
        f"{listing.subject} is listed by {listing.zone} ({', '.join(listing.codes)}){why}.",
        advice=f"Find out why (a compromised account or host, most often), end it, and ask {listing.zone} to take it off.",
        source="RFC 5782 section 2.1",
    )


def _fact(listing: Listing) -> dict[str, Any]:
    return {
        "zone": listing.zone,
        "subject": listing.subject,
        "state": listing.state.value,
        "codes": list(listing.codes),
        "reason": listing.reason or None,
    }
