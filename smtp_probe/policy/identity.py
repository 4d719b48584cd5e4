"""The identity with which mail leaves: EHLO name, address and PTR record are to agree, for IPv4 and IPv6 alike.

In: the egress addresses and the EHLO name, and `ports.Ask`. Out: findings whose ids begin with `ehlo_` and `ptr_`, and
what was seen of each address. What the records of a name say is told once, for all addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address

from smtp_probe.model import CheckResult, DnsAnswer, DnsStatus, DomainUnderCheck, Finding, Severity
from smtp_probe.policy.address_space import special_range
from smtp_probe.policy.findings import make_finding, unseen
from smtp_probe.policy.mx import is_host_name
from smtp_probe.ports import Ask

_MOST_NAMES = 10
_GENERIC_WORDS = re.compile(
    r"(?:^|[.-])(?:dyn(?:amic)?(?:ip)?|dhcp|dial(?:in|up)?|ppp(?:oe)?|pool|adsl|v?dsl|cable|catv|cust(?:omer)?s?|"
    r"unassigned|unknown|broadband|residential)"
    r"(?:[.-]|[0-9]|$)"
)
_WORDS_OF_BOTH = re.compile(
    r"(?:^|[.-])(?:client|host|static|res|home|user|ip|ipv[46]|rev(?:erse)?)(?:[.-]|[0-9]|$)"
)
"""Words that servers have, too: they count beside numbers as only many have them."""
_MANY = re.compile(r"[0-9]{3}|[0-9]+[.-][0-9]+")
_BARE_NUMBERS = re.compile(r"[0-9]+(?:[.-][0-9]+){2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse:
    """One egress address, its names, and which of them lead back to it."""

    address: str
    ptr: DnsAnswer
    names: tuple[str, ...]
    confirmed: tuple[str, ...]
    failed: tuple[DnsAnswer, ...]


async def check_identity(subject: DomainUnderCheck, ask: Ask) -> CheckResult:
    """Look at every egress address, and at the EHLO name. Fits `ports.Check`; says nothing where both are unknown."""
    own = [await _look_at_own(name, ask) for name in subject.own_ehlo_names]
    if not subject.egress and not subject.ehlo_names and not own:
        return CheckResult()
    reverses = [await _reverse(address, ask) for address in dict.fromkeys(subject.egress)]
    findings: list[Finding] = []
    failed: list[DnsAnswer] = [answer for reverse in reverses for answer in reverse.failed]
    for reverse in reverses:
        findings += _judge_reverse(reverse, subject.ehlo_of(reverse.address))
    ehlo_answers: list[DnsAnswer] = []
    for name in subject.ehlo_names:
        literal = _literal(name)
        answers: tuple[DnsAnswer, ...] = ()
        if literal is None and is_host_name(name):
            answers = (await ask(name, "A"), await ask(name, "AAAA"))
            failed += [answer for answer in answers if answer.is_failure]
        ehlo_answers += answers
        addresses = [address for address in subject.egress if subject.ehlo_of(address) == name]
        findings += _judge_ehlo(name, literal, answers, addresses)
    for found, unknown in own:
        findings += found
        failed += unknown
    return CheckResult(
        findings=tuple(findings),
        unobserved=tuple(dict.fromkeys(unseen(answer) for answer in failed)),
        facts={
            "ehlo_name": next(iter(subject.ehlo_names), None),
            "ehlo_addresses": [str(value) for answer in ehlo_answers for value in answer.values],
            "egress": [
                {"address": reverse.address, "ptr": list(reverse.names), "confirmed": list(reverse.confirmed)}
                for reverse in reverses
            ],
        },
    )


async def _look_at_own(name: str, ask: Ask) -> tuple[list[Finding], list[DnsAnswer]]:
    """Our own EHLO name, on a way that only our own server sees: it is to have an address that leads back to it."""
    if _literal(name) is not None or not is_host_name(name):
        return [], []  # allowed to a client that has no name (RFC 5321 section 4.1.4)
    answers = [await ask(name, kind) for kind in ("A", "AAAA")]
    failed = [answer for answer in answers if answer.is_failure]
    addresses = [str(value) for answer in answers for value in answer.values]
    why = "has no address"
    if addresses:
        reverses = [await _reverse(address, ask) for address in addresses[:_MOST_NAMES]]
        failed += [answer for reverse in reverses for answer in reverse.failed]
        lacking = [reverse.address for reverse in reverses if name.lower() not in reverse.names]
        why = f"has the address {lacking[0]}, whose PTR record does not name it" if lacking else ""
    if failed or not why:
        return [], failed
    finding = make_finding(
        "ehlo_own_unconfirmed",
        Severity.INFO,
        name,
        f"{name}, the EHLO name of our own sender, {why}.",
        advice="Set the sender's ehlo_name to the name of the machine that the probe runs on, and publish its address.",
        source="RFC 5321 section 4.1.4",
    )
    return [finding], failed


async def _reverse(address: str, ask: Ask) -> Reverse:
    parsed = ip_address(address)
    ptr = await ask(parsed.reverse_pointer, "PTR")
    names = tuple(str(value) for value in ptr.values[:_MOST_NAMES])
    confirmed, failed = [], [ptr] if ptr.is_failure else []
    for name in names:
        answer = await ask(name, "A" if parsed.version == 4 else "AAAA")
        if answer.is_failure:
            failed.append(answer)
        elif any(ip_address(str(value)) == parsed for value in answer.values):
            confirmed.append(name)
    return Reverse(address=address, ptr=ptr, names=names, confirmed=tuple(confirmed), failed=tuple(failed))


def _judge_reverse(reverse: Reverse, ehlo_name: str | None) -> Iterator[Finding]:
    """At most one finding of the way back and forth, and one of the look of the name."""
    address = reverse.address
    special = special_range(address)
    if special and reverse.ptr.status in (DnsStatus.NO_DATA, DnsStatus.NO_SUCH_NAME):
        yield make_finding(
            "egress_unroutable",
            Severity.ERROR,
            address,
            f"The egress address {address} is {special}: it is not what the world sees.",
            advice="Name the address that the first foreign host sees.",
            source="RFC 6890 section 2.2",
        )
        return
    if reverse.ptr.is_failure:
        return
    if not reverse.names:
        yield make_finding(
            "ptr_missing",
            Severity.ERROR,
            address,
            f"{address} has no PTR record.",
            advice="Have the provider of the address publish a PTR record with the EHLO name.",
            source="RFC 1912 section 2.1",
        )
        return
    if not reverse.confirmed:
        is_told = (
            ehlo_name is not None and ehlo_name.lower() in reverse.names
        )  # by the rules of the EHLO name
        if not reverse.failed and not is_told:
            yield make_finding(
                "ptr_unconfirmed",
                Severity.ERROR,
                address,
                f"The PTR record of {address} names {reverse.names[0]}, which does not have this address.",
                advice="Give the name this address, or have the PTR record name the host that has it.",
                source="RFC 1912 section 2.1",
            )
        return
    if ehlo_name is not None and ehlo_name.lower() not in reverse.confirmed:
        if _literal(ehlo_name) is None and is_host_name(ehlo_name):
            yield make_finding(
                "ptr_not_ehlo",
                Severity.ERROR,
                address,
                f"The PTR record of {address} names {reverse.confirmed[0]}, but the EHLO name is {ehlo_name}.",
                advice="Let the EHLO name, its address and the PTR record be the same name.",
                source="RFC 5321 section 4.1.4",
            )
    elif len(reverse.names) > 1:
        yield make_finding(
            "ptr_several",
            Severity.INFO,
            address,
            f"{address} has {len(reverse.names)} PTR records; which of them a receiver sees is chance.",
            advice="Keep one PTR record: the EHLO name.",
            source="RFC 1912 section 2.1",
        )
    generic = next((name for name in reverse.confirmed if looks_generic(name, address)), None)
    if generic is not None:
        yield make_finding(
            "ptr_generic",
            Severity.WARNING,
            address,
            f"{generic}, the name of {address}, looks like one that a provider gives to any customer.",
            advice="Have the provider publish a PTR record with a name of your own, as of a mail server.",
            source="M3AAWG Sender Best Common Practices",
        )


def _judge_ehlo(
    name: str, literal: str | None, answers: Sequence[DnsAnswer], egress: Sequence[str]
) -> Iterator[Finding]:
    if literal is not None:
        yield make_finding(
            "ehlo_literal",
            Severity.WARNING,
            name,
            f"The EHLO name is the address literal {name}.",
            advice="Set the EHLO name to the host's full name in DNS.",
            source="RFC 5321 section 2.3.5",
        )
    elif not is_host_name(name):
        yield make_finding(
            "ehlo_not_a_name",
            Severity.ERROR,
            name,
            f"The EHLO name {name!r} is not a full host name.",
            advice="Set the EHLO name to the host's full name in DNS.",
            source="RFC 5321 section 4.1.1.1",
        )
    elif all(answer.status in (DnsStatus.NO_DATA, DnsStatus.NO_SUCH_NAME) for answer in answers):
        yield make_finding(
            "ehlo_unresolvable",
            Severity.ERROR,
            name,
            f"The EHLO name {name} has no address.",
            advice="Publish an A or AAAA record of the name with the egress address.",
            source="RFC 5321 section 2.3.5",
        )
    else:
        yield from _judge_ehlo_addresses(name, answers, egress)


def _judge_ehlo_addresses(
    name: str, answers: Sequence[DnsAnswer], egress: Sequence[str]
) -> Iterator[Finding]:
    known = {ip_address(str(value)) for answer in answers for value in answer.values}
    for address in dict.fromkeys(egress):
        parsed = ip_address(address)
        answer = answers[0 if parsed.version == 4 else 1]
        if parsed not in known and not answer.is_failure:
            yield make_finding(
                "ehlo_not_egress",
                Severity.ERROR,
                name,
                f"The EHLO name {name} does not have the egress address {address}.",
                advice=f"Publish {'an A' if parsed.version == 4 else 'an AAAA'} record of the name with this address.",
                source="RFC 5321 section 4.1.4",
            )


def looks_generic(name: str, address: str) -> bool:
    """Whether a name is made from the address, or of the words that providers use for customers' lines."""
    host = name.lower()
    parsed = ip_address(address)
    if isinstance(parsed, IPv4Address):
        octets = str(parsed).split(".")
        forms = [octets, octets[::-1]]
        if any(sep.join(form) in host for form in forms for sep in (".", "-", "_")):
            return True
        if any("".join(part.zfill(3) for part in form) in host for form in forms):
            return True
        if parsed.packed.hex() in host.replace("-", ""):
            return True
    else:
        nibbles = parsed.exploded.replace(":", "")
        if nibbles[16:].lstrip("0") and nibbles[8:] in re.sub(r"[^0-9a-f]", "", host):
            return True
    inner = host.rsplit(".", 2)[0] if host.count(".") >= 2 else ""
    return bool(
        _BARE_NUMBERS.search(inner)
        or (_GENERIC_WORDS.search(inner) and re.search(r"[0-9]", inner))
        or (_WORDS_OF_BOTH.search(inner) and _MANY.search(inner))
    )


def _literal(name: str) -> str | None:
    """The address of an address literal; also where its brackets were forgotten."""
    text = name.strip("[]")
    text = text[5:] if text[:5].lower() == "ipv6:" else text
    try:
        return str(ip_address(text))
    except ValueError:
        return None
