"""Everything that an SPF record leads to, whoever sends: for what is left of its limits, and for its faults.

In: a domain, and `ports.Ask`. Out: `SpfSurvey`: each record on the way, how many look-ups it takes when nothing matches,
and which of them find nothing. An evaluation for one address may end early; the survey never does, within its own bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address

from smtp_probe.model import DnsAnswer, DnsStatus, MxRecord
from smtp_probe.policy.spf.evaluation import MOST_LOOKUPS, MOST_VOID_LOOKUPS, is_usable_name
from smtp_probe.policy.spf.macros import has_macros
from smtp_probe.policy.spf.record import Mechanism, SpfRecord, SpfSyntaxError, parse_record, select_records
from smtp_probe.ports import Ask

_MOST_RECORDS = 30
"""Records that are looked at: more than ten are an error anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfNode:
    """One domain on the way. `by` is the term that leads to it; empty for the first."""

    domain: str
    answer: DnsAnswer
    texts: tuple[bytes, ...]
    by: str = ""
    record: SpfRecord | None = None
    fault: SpfSyntaxError | None = None
    is_included: bool = False
    """Whether its `all` only tells whether an `include` matches."""


@dataclass(slots=True)
class SpfSurvey:
    """What was found."""

    domain: str
    nodes: list[SpfNode] = field(default_factory=list)
    lookups: int = 0
    void: list[DnsAnswer] = field(default_factory=list)
    """Look-ups that find nothing."""
    told: list[DnsAnswer] = field(default_factory=list)
    """Those of them that the check of the domain's own MX records tells."""
    loop: str = ""
    """The term that leads back to a domain that leads to it."""
    crowded: list[str] = field(default_factory=list)
    """Domains of `mx` terms with more than ten MX records."""
    failed: list[DnsAnswer] = field(default_factory=list)
    """What could not be seen."""

    @property
    def ends_in_error(self) -> bool:
        """Whether whoever is not named before gets a permanent error (RFC 7208 section 4.6.4)."""
        limits = self.lookups > MOST_LOOKUPS or len(self.void) > MOST_VOID_LOOKUPS
        is_broken = any(node.record is None and not node.answer.is_failure for node in self.nodes)
        return bool(limits or is_broken or self.loop or self.crowded)

    @property
    def first(self) -> SpfNode:
        """The domain's own record, or the lack of it."""
        return self.nodes[0]


async def survey(domain: str, ask: Ask) -> SpfSurvey:
    """Walk through all of it. Never raises for what DNS says."""
    found = SpfSurvey(domain)
    await _visit(found, ask, domain, "", (), is_included=False)
    return found


async def _visit(  # noqa: PLR0913  # what a visit needs to know of the way to it
    found: SpfSurvey, ask: Ask, domain: str, by: str, way: tuple[str, ...], *, is_included: bool
) -> None:
    if domain.lower() in way:
        found.loop = found.loop or by
        return
    if len(found.nodes) >= _MOST_RECORDS:
        return
    answer = await ask(domain, "TXT")
    texts = select_records(answer.values)
    record, fault = _read(texts)
    found.nodes.append(
        SpfNode(
            domain=domain,
            answer=answer,
            texts=texts,
            by=by,
            record=record,
            fault=fault,
            is_included=is_included,
        )
    )
    if answer.is_failure:
        found.failed.append(answer)
    elif by and answer.status is not DnsStatus.FOUND:
        found.void.append(answer)
    if record is not None:
        await _visit_terms(found, ask, record, domain, (*way, domain.lower()), is_included=is_included)


def _read(texts: tuple[bytes, ...]) -> tuple[SpfRecord | None, SpfSyntaxError | None]:
    if len(texts) != 1:
        return None, None
    try:
        return parse_record(texts[0]), None
    except SpfSyntaxError as fault:
        return None, fault


async def _visit_terms(  # noqa: PLR0913  # as above
    found: SpfSurvey, ask: Ask, record: SpfRecord, domain: str, way: tuple[str, ...], *, is_included: bool
) -> None:
    end = record.all_at
    for term in record.mechanisms[:end]:  # nothing behind `all` is ever evaluated (RFC 7208 section 5.1)
        found.lookups += term.asks
        target = term.domain.removesuffix(".") or domain
        if has_macros(target):
            continue
        if term.name == "include":
            await _visit(found, ask, target, term.text, way, is_included=True)
        elif term.asks and is_usable_name(target):
            await _look_up(found, ask, term, target)
    if record.redirect and end is None:
        found.lookups += 1
        if not has_macros(record.redirect):
            target = record.redirect.removesuffix(".")
            await _visit(found, ask, target, f"redirect={record.redirect}", way, is_included=is_included)


async def _look_up(found: SpfSurvey, ask: Ask, term: Mechanism, target: str) -> None:
    """Whether a term has anything to match."""
    if term.name == "exists":
        _note(found, await ask(target, "A"))
    elif term.name == "a":
        await _look_up_addresses(found, ask, target)
    elif term.name == "mx":
        before = len(found.void)
        await _look_up_exchangers(found, ask, target)
        if target.lower() == found.domain.lower():
            found.told += found.void[before:]


async def _look_up_exchangers(found: SpfSurvey, ask: Ask, target: str) -> None:
    answer = await ask(target, "MX")
    _note(found, answer)
    hosts = [value.host for value in answer.values if isinstance(value, MxRecord)]
    if len(hosts) > 10:
        found.crowded.append(target)
        return
    for host in hosts:
        if is_usable_name(host) and not _is_address(host):  # that is told by the check of the MX records
            await _look_up_addresses(found, ask, host)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


async def _look_up_addresses(found: SpfSurvey, ask: Ask, name: str) -> None:
    """A name with an address of either family is not void for every sender."""
    four = await ask(name, "A")
    if four.status is DnsStatus.NO_DATA and (await ask(name, "AAAA")).values:
        return
    _note(found, four)


def _note(found: SpfSurvey, answer: DnsAnswer) -> None:
    if answer.is_failure and answer.status is not DnsStatus.ALIAS_LOOP:
        found.failed.append(answer)
    elif not answer.values:
        found.void.append(answer)
