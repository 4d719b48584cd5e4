"""What is wrong with an SPF record, as findings: the domain's own, those it leads to, and the limits over all.

In: a survey. Out: findings whose ids begin with `spf_`. Each fault is told once, where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import DnsStatus, Finding, Severity
from smtp_probe.policy.spf.evaluation import MOST_LOOKUPS, MOST_VOID_LOOKUPS
from smtp_probe.policy.spf.record import SpfRecord
from smtp_probe.policy.spf.survey import SpfNode, SpfSurvey

_LONGEST_BYTES = 450
"""RFC 7208 section 3.4: then the whole answer fits into a datagram of 512 octets."""
_FEW_LEFT = 1
_WIDEST = {4: 8, 6: 16}


def spf_finding(  # noqa: PLR0913, PLR0917  # a finding has so many parts
    check: str, severity: Severity, subject: str, message: str, advice: str, section: str
) -> Finding:
    """One finding of this check."""
    return Finding(
        check=check,
        severity=severity,
        subject=sanitise(subject),
        message=sanitise(message, 500),
        advice=advice,
        source=f"RFC 7208 section {section}",
    )


def judge_record(found: SpfSurvey) -> Iterator[Finding]:
    """All that is wrong with what the domain publishes. Nothing is said of what could not be seen."""
    first = found.first
    is_absent = first.answer.status is DnsStatus.NO_SUCH_NAME and not first.answer.aliases
    if first.answer.is_failure or is_absent:
        return  # a domain that does not exist is told by the check of its MX records
    if not first.texts:
        yield _missing(first)
        return
    for node in found.nodes:
        yield from _judge_node(node)
    yield from _judge_limits(found)


def _missing(first: SpfNode) -> Finding:
    lookalikes = [
        value for value in first.answer.values if isinstance(value, bytes) and b"spf1" in value.lower()[:16]
    ]
    seen = f": {sanitise(lookalikes[0], 80)!r} is none" if lookalikes else ""
    return spf_finding(
        "spf_missing",
        Severity.ERROR,
        first.domain,
        f"{first.domain} has no SPF record{seen}.",
        "Publish one TXT record that names the hosts that send for the domain and ends with -all or ~all; "
        "for a domain that sends nothing: v=spf1 -all.",
        "4.5",
    )


def _judge_node(node: SpfNode) -> Iterator[Finding]:
    """One record on the way: there must be exactly one that can be read."""
    if node.answer.is_failure:
        return
    if len(node.texts) > 1:
        yield spf_finding(
            "spf_multiple",
            Severity.ERROR,
            node.domain,
            f"{node.domain} has {len(node.texts)} SPF records; receivers treat that as an error.",
            "Merge them into one record.",
            "4.5",
        )
    elif node.fault is not None:
        yield spf_finding(
            "spf_syntax",
            Severity.ERROR,
            node.domain,
            f"The SPF record of {node.domain} cannot be read, at {node.fault}.",
            "Correct this term: one fault makes the whole record an error.",
            "4.6",
        )
    elif not node.texts:
        yield spf_finding(
            "spf_include_missing",
            Severity.ERROR,
            node.domain,
            f"{node.by} leads to {node.domain}, which has no SPF record.",
            "Take the term out of the record, or correct the name.",
            "5.2",
        )
    elif node.record is not None:
        yield from _judge_terms(node, node.record)


def _judge_terms(node: SpfNode, record: SpfRecord) -> Iterator[Finding]:
    yield from _judge_end(node, record)
    terms = record.mechanisms
    if any(term.name == "ptr" for term in terms[: record.all_at]):
        yield spf_finding(
            "spf_ptr",
            Severity.WARNING,
            node.domain,
            f"The SPF record of {node.domain} uses ptr, which is slow and which some receivers ignore.",
            "Name the addresses with ip4, ip6, a or mx instead.",
            "5.5",
        )
    wide = [term.text for term in terms if _is_wide(term.network)]
    if wide:
        yield spf_finding(
            "spf_wide",
            Severity.ERROR,
            node.domain,
            f"{wide[0]} in the SPF record of {node.domain} lets a great part of the Internet send.",
            "Name the networks that really send.",
            "11.4",
        )
    if not node.by and len(node.texts[0]) > _LONGEST_BYTES:
        yield spf_finding(
            "spf_long",
            Severity.WARNING,
            node.domain,
            f"The SPF record has {len(node.texts[0])} octets; above {_LONGEST_BYTES} the answer may need TCP.",
            "Move parts of it into records of their own, with include.",
            "3.4",
        )


def _is_wide(network: object) -> bool:
    version = 4 if isinstance(network, IPv4Network) else 6
    return network is not None and network.prefixlen < _WIDEST[version]  # type: ignore[attr-defined]


def _judge_end(node: SpfNode, record: SpfRecord) -> Iterator[Finding]:
    """What happens to everybody else."""
    terms, at = record.mechanisms, record.all_at
    domain = node.domain
    qualifier = "" if at is None else terms[at].qualifier
    if qualifier == "+":
        yield spf_finding(
            "spf_pass_all",
            Severity.ERROR,
            domain,
            f"The SPF record of {domain} ends with +all: everybody may send for the domain.",
            "End the record with -all or ~all.",
            "5.1",
        )
    if at is not None and (at + 1 < len(terms) or record.redirect):
        ignored = terms[at + 1].text if at + 1 < len(terms) else f"redirect={record.redirect}"
        yield spf_finding(
            "spf_after_all",
            Severity.WARNING,
            domain,
            f"{ignored} in the SPF record of {domain} is never reached: it stands behind {terms[at].text}.",
            "Put all at the end, and use either all or redirect.",
            "5.1",
        )
    if node.is_included:
        return  # there it only tells that nothing matched
    if qualifier == "?":
        yield spf_finding(
            "spf_neutral_all",
            Severity.WARNING,
            domain,
            f"The SPF record of {domain} ends with ?all: it says nothing of other senders.",
            "End the record with -all or ~all.",
            "8.2",
        )
    if at is None and not record.redirect:
        yield spf_finding(
            "spf_no_all",
            Severity.WARNING,
            domain,
            f"The SPF record of {domain} has no all and no redirect: it says nothing of other senders.",
            "End the record with -all or ~all.",
            "4.7",
        )


def _judge_limits(found: SpfSurvey) -> Iterator[Finding]:
    if found.loop:
        yield spf_finding(
            "spf_loop",
            Severity.ERROR,
            found.domain,
            f"{found.loop} leads back to a record that leads to it: every evaluation ends in an error.",
            "Take one of the terms out.",
            "4.6.4",
        )
    elif found.lookups > MOST_LOOKUPS:
        yield spf_finding(
            "spf_too_many_lookups",
            Severity.ERROR,
            found.domain,
            f"The SPF record needs {found.lookups} look-ups, and {MOST_LOOKUPS} are allowed: "
            "receivers treat it as an error.",
            "Replace include, a and mx by ip4 and ip6, and drop senders that are not used any more.",
            "4.6.4",
        )
    elif found.lookups >= MOST_LOOKUPS - _FEW_LEFT:
        yield spf_finding(
            "spf_lookups_nearly_spent",
            Severity.WARNING,
            found.domain,
            f"The SPF record needs {found.lookups} of {MOST_LOOKUPS} look-ups: a provider that adds one breaks it.",
            "Replace include, a and mx by ip4 and ip6 where addresses are stable.",
            "4.6.4",
        )
    for domain in found.crowded:
        yield spf_finding(
            "spf_many_mx",
            Severity.ERROR,
            domain,
            f"mx in the SPF record asks for the MX records of {domain}, which are more than ten.",
            "Name the addresses with ip4 and ip6 instead.",
            "4.6.4",
        )
    if found.loop or found.lookups > MOST_LOOKUPS:
        return  # what is broken already is not broken again
    if len(found.void) > MOST_VOID_LOOKUPS:
        names = ", ".join(f"{answer.name} {answer.kind}" for answer in found.void[:4])
        yield spf_finding(
            "spf_too_many_void_lookups",
            Severity.ERROR,
            found.domain,
            f"{len(found.void)} look-ups of the SPF record find nothing ({names}); {MOST_VOID_LOOKUPS} are allowed.",
            "Take the terms out whose names do not exist any more.",
            "4.6.4",
        )
        return
    untold = [answer for answer in found.void if answer not in found.told]
    if untold and all(node.texts for node in found.nodes):
        void = untold[0]
        yield spf_finding(
            "spf_void_lookup",
            Severity.WARNING,
            found.domain,
            f"A term of the SPF record looks for {void.name} {void.kind}, and there is none.",
            "Take the term out, or correct the name.",
            "4.6.4",
        )
