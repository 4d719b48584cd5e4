"""`check_host` (RFC 7208 section 4): what a receiver makes of an address, a domain's record and the records it names.

In: an address, a domain, a sender, an EHLO name, and `ports.Ask`. Out: `SpfVerdict`: the result, how it came about, and
how many of the ten look-ups and two void look-ups it took. Deadlines are those of the `Ask`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from smtp_probe.model import DnsAnswer, DnsStatus, MxRecord
from smtp_probe.model.words import in_words
from smtp_probe.policy.spf.macros import (
    MacroFacts,
    expand,
    expand_name,
    is_explanation,
    needs_validated_name,
)
from smtp_probe.policy.spf.record import Mechanism, SpfRecord, SpfSyntaxError, parse_record, select_records
from smtp_probe.ports import Ask

MOST_LOOKUPS = 10
MOST_VOID_LOOKUPS = 2
_MOST_NAMES = 10
"""MX hosts of one `mx`, and PTR names, of which addresses are asked (RFC 7208 section 4.6.4)."""

Address = IPv4Address | IPv6Address


class SpfResult(StrEnum):
    """RFC 7208 section 2.6. Bounded: these values are metric labels."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105  # a result
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


_QUALIFIERS = {
    "+": SpfResult.PASS,
    "-": SpfResult.FAIL,
    "~": SpfResult.SOFTFAIL,
    "?": SpfResult.NEUTRAL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfVerdict:
    """What one evaluation came to. `mechanism` is the term that decided, `reason` why there was an error."""

    result: SpfResult
    domain: str
    mechanism: str = ""
    reason: str = ""
    lookups: int = 0
    void_lookups: int = 0
    explanation: str = ""


class _Stop(Exception):  # noqa: N818  # it ends the evaluation; it is no error of the program
    """The evaluation is over, whatever includes are open."""

    def __init__(self, result: SpfResult, reason: str) -> None:
        self.result = result
        self.reason = reason
        super().__init__(reason)


@dataclass(slots=True)
class _Run:
    """The state of one evaluation, over all records that it comes to."""

    ask: Ask
    facts: MacroFacts
    lookups: int = 0
    void_lookups: int = 0
    explanation: tuple[str, str] | None = None
    names: dict[str, str] = field(default_factory=dict)

    def count(self, term: str) -> None:
        """One more of the ten."""
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise _Stop(SpfResult.PERMERROR, f"{term}: more than {MOST_LOOKUPS} look-ups (section 4.6.4)")

    def note_void(self, answer: DnsAnswer) -> None:
        """One more of the two, if there was nothing."""
        if answer.status not in (DnsStatus.NO_DATA, DnsStatus.NO_SUCH_NAME):
            return
        self.void_lookups += 1
        if self.void_lookups > MOST_VOID_LOOKUPS:
            raise _Stop(
                SpfResult.PERMERROR,
                f"{answer.name}: more than {MOST_VOID_LOOKUPS} look-ups without an answer (section 4.6.4)",
            )


async def check_host(  # noqa: PLR0913  # the arguments that RFC 7208 section 4.1 names, and two for explanations
    ip: str,
    domain: str,
    sender: str,
    ask: Ask,
    *,
    helo: str = "unknown",
    receiver: str = "unknown",
    now_seconds: int = 0,
) -> SpfVerdict:
    """Evaluate. `sender` without a local part is the postmaster's (section 4.3). Never raises for what DNS says."""
    address = ip_address(ip)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    local, at, sender_domain = sender.rpartition("@")
    if not local:
        sender = f"postmaster@{sender_domain if at or sender else domain}"
    facts = MacroFacts(
        ip=address, sender=sender, domain=domain, helo=helo, receiver=receiver, now_seconds=now_seconds
    )
    run = _Run(ask, facts)
    try:
        result, term, reason = await _check(run, domain, depth=0)
    except _Stop as stop:
        result, term, reason = stop.result, "", stop.reason
    explanation = ""
    if result is SpfResult.FAIL and run.explanation is not None:
        explanation = await _explain(run, *run.explanation)
    return SpfVerdict(
        result=result,
        domain=domain,
        mechanism=term,
        reason=reason,
        lookups=run.lookups,
        void_lookups=run.void_lookups,
        explanation=explanation,
    )


def is_usable_name(name: str) -> bool:
    """Whether a name can be asked for as a domain with mail (RFC 7208 section 4.3)."""
    labels = name.removesuffix(".").split(".")
    return len(labels) > 1 and len(name) <= 254 and all(0 < len(label) <= 63 for label in labels)


async def _check(run: _Run, domain: str, depth: int) -> tuple[SpfResult, str, str]:
    """One domain: the result, the term that decided, and the reason of an error."""
    if not is_usable_name(domain):
        return SpfResult.NONE, "", f"{domain[:80]!r} is no domain name of two labels or more"
    answer = await run.ask(domain, "TXT")
    if answer.is_failure:
        return SpfResult.TEMPERROR, "", f"{domain} TXT: {answer.detail or in_words(answer.status)}"
    records = select_records(answer.values)
    if not records:
        return SpfResult.NONE, "", f"{domain} has no SPF record"
    if len(records) > 1:
        return SpfResult.PERMERROR, "", f"{domain} has {len(records)} SPF records"
    try:
        record = parse_record(records[0])
    except SpfSyntaxError as fault:
        return SpfResult.PERMERROR, fault.term, f"{domain}: {fault}"
    run.facts = replace(run.facts, domain=domain)
    return await _evaluate(run, record, domain, depth)


async def _evaluate(run: _Run, record: SpfRecord, domain: str, depth: int) -> tuple[SpfResult, str, str]:
    for term in record.mechanisms:
        if term.asks:
            run.count(term.text)
        if await _matches(run, term, domain, depth):
            if depth == 0 and record.explanation:
                run.explanation = (record.explanation, domain)
            return _QUALIFIERS[term.qualifier], term.text, ""
    if not record.redirect:
        return SpfResult.NEUTRAL, "", "nothing matched"
    run.count(f"redirect={record.redirect}")
    target = await _target(run, record.redirect, domain)
    result, term_text, reason = await _check(run, target, depth)
    if result is SpfResult.NONE:
        return SpfResult.PERMERROR, f"redirect={record.redirect}", f"redirect leads to nothing: {reason}"
    return result, term_text, reason


async def _matches(run: _Run, term: Mechanism, domain: str, depth: int) -> bool:
    if term.name == "all":
        return True
    if term.network is not None:
        return run.facts.ip in term.network
    target = await _target(run, term.domain, domain) if term.domain else domain
    if term.name == "include":
        return await _included(run, term, target, domain, depth)
    if not is_usable_name(target):
        return False  # section 4.8
    if term.name == "ptr":
        return await _has_validated_name(run, target)
    if term.name == "exists":
        return bool((await _asked(run, target, "A")).values)
    names = [target] if term.name == "a" else await _exchangers(run, term, target)
    for name in names:
        if await _is_address_of(run, name, term):
            return True
    return False


async def _included(run: _Run, term: Mechanism, target: str, domain: str, depth: int) -> bool:
    """RFC 7208 section 5.2: its table of results."""
    result, _, reason = await _check(run, target, depth + 1)
    run.facts = replace(run.facts, domain=domain)
    if result in (SpfResult.TEMPERROR, SpfResult.PERMERROR):
        raise _Stop(result, reason)
    if result is SpfResult.NONE:
        raise _Stop(SpfResult.PERMERROR, f"{term.text}: {reason}")
    return result is SpfResult.PASS


async def _exchangers(run: _Run, term: Mechanism, target: str) -> list[str]:
    answer = await _asked(run, target, "MX")
    records = sorted(
        (value for value in answer.values if isinstance(value, MxRecord)),
        key=lambda record: record.preference,
    )
    if len(records) > _MOST_NAMES:
        reason = f"{term.text}: {target} has more than {_MOST_NAMES} MX records (section 4.6.4)"
        raise _Stop(SpfResult.PERMERROR, reason)
    return [record.host for record in records if is_usable_name(record.host)]


async def _is_address_of(run: _Run, name: str, term: Mechanism) -> bool:
    kind, prefix = ("A", term.prefix4) if run.facts.ip.version == 4 else ("AAAA", term.prefix6)
    answer = await _asked(run, name, kind)
    return any(
        run.facts.ip in ip_network(f"{value}/{prefix}", strict=False)
        for value in answer.values
        if isinstance(value, str)
    )


async def _asked(run: _Run, name: str, kind: str) -> DnsAnswer:
    """Ask for a mechanism: no answer from DNS ends the evaluation, no record is counted."""
    answer = await run.ask(name, kind)
    if answer.is_failure:
        raise _Stop(SpfResult.TEMPERROR, f"{name} {kind}: {answer.detail or in_words(answer.status)}")
    run.note_void(answer)
    return answer


# Names of the address: for `ptr` and `%{p}`.


async def _validated_names(run: _Run) -> list[str]:
    """RFC 7208 section 5.5: names of the address that have the address. What fails is passed over."""
    ip = run.facts.ip
    answer = await run.ask(ip.reverse_pointer, "PTR")
    run.note_void(answer)
    names: list[str] = []
    for value in answer.values[:_MOST_NAMES]:
        name = str(value)
        if not is_usable_name(name):
            continue
        addresses = await run.ask(name, "A" if ip.version == 4 else "AAAA")
        run.note_void(addresses)
        if any(ip_address(str(found)) == ip for found in addresses.values):
            names.append(name.lower())
    return names


async def _has_validated_name(run: _Run, target: str) -> bool:
    suffix = target.lower().removesuffix(".")
    return any(f".{name}".endswith(f".{suffix}") for name in await _validated_names(run))


async def _target(run: _Run, text: str, domain: str) -> str:
    """Expand a domain-spec for the domain at hand."""
    return expand_name(text, await _facts_for(run, text, domain))


async def _facts_for(run: _Run, text: str, domain: str) -> MacroFacts:
    facts = replace(run.facts, domain=domain)
    if not needs_validated_name(text):
        return facts
    if domain not in run.names:
        run.names[domain] = _choose_name(await _validated_names(run), domain.lower())
    return replace(facts, validated_name=run.names[domain])


def _choose_name(names: list[str], domain: str) -> str:
    """RFC 7208 section 7.3: the domain itself, or a name below it, or any."""
    if domain in names:
        return domain
    below = [name for name in names if name.endswith(f".{domain}")]
    return (below or names or ["unknown"])[0]


async def _explain(run: _Run, text: str, domain: str) -> str:
    """RFC 7208 section 6.2: the text that the domain gives for a failure. Anything wrong with it, and there is none."""
    try:
        answer = await run.ask(await _target(run, text, domain), "TXT")
    except _Stop:
        return ""
    if len(answer.values) != 1 or not isinstance(answer.values[0], bytes):
        return ""
    try:
        wording = answer.values[0].decode("ascii")
    except UnicodeDecodeError:
        return ""
    if not is_explanation(wording) or re.search(r"%\{[A-Za-z]0+\D", wording):
        return ""
    return expand(wording, await _facts_for(run, wording, domain))
