"""The MX records of a domain: who takes its mail, in which order, and whether that can work.

In: a domain and `ports.Ask`. Out: findings whose ids begin with `mx_` (and `domain_missing`), the hosts in the order of
preference, and each host's addresses. Dials nobody.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from smtp_probe.model import CheckResult, DnsAnswer, DnsStatus, DomainUnderCheck, Finding, MxRecord, Severity
from smtp_probe.policy.address_space import special_range
from smtp_probe.policy.findings import make_finding, unseen
from smtp_probe.ports import Ask

LONGEST_TTL_SECONDS = 86_400
SHORTEST_TTL_SECONDS = 60
_MOST_HOSTS = 50
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MxHost:
    """One host that takes mail, and what is known of its addresses."""

    preference: int | None
    """None where the domain has no MX record, and is its own host (RFC 5321 section 5.1)."""
    name: str
    answers: tuple[DnsAnswer, ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        """IPv6 before IPv4, as in the answers."""
        return tuple(str(value) for answer in self.answers for value in answer.values)

    @property
    def aliases(self) -> tuple[str, ...]:
        """What the name is an alias of."""
        return next((answer.aliases for answer in self.answers if answer.aliases), ())

    @property
    def is_looping(self) -> bool:
        """Whether its name is an alias that leads nowhere."""
        return any(answer.status is DnsStatus.ALIAS_LOOP for answer in self.answers)

    @property
    def failed(self) -> tuple[DnsAnswer, ...]:
        """What could not be seen of it."""
        return () if self.is_looping else tuple(answer for answer in self.answers if answer.is_failure)

    @property
    def is_absent(self) -> bool:
        """Whether DNS says for certain that it has no address."""
        return not self.addresses and not self.failed


def is_host_name(name: str) -> bool:
    """Whether it is a name of letters, digits and hyphens, with two labels or more (RFC 1123 section 2.1)."""
    return _HOST_NAME.fullmatch(name.lower()) is not None


async def check_mx(subject: DomainUnderCheck, ask: Ask, *, allows_private: bool = False) -> CheckResult:
    """Look at the set, and at each host's addresses. Fits `ports.Check`."""
    answer = await ask(subject.domain, "MX")
    if answer.is_failure:
        return CheckResult(unobserved=(unseen(answer),))
    records = sorted(
        (value for value in answer.values if isinstance(value, MxRecord)),
        key=lambda record: (record.preference, record.host),
    )
    if answer.status is DnsStatus.NO_SUCH_NAME and not answer.aliases:
        return CheckResult(findings=(_domain_missing(subject.domain),))
    named = [record for record in records if record.host]
    is_null = len(named) < len(records)
    hosts = [await _look_up(record.preference, record.host, ask) for record in _once(named)[:_MOST_HOSTS]]
    if not records:
        hosts = [await _look_up(None, subject.domain, ask)]
    findings = [
        *_judge_set(subject.domain, named, hosts, is_null=is_null),
        *(finding for host in hosts for finding in _judge_host(host, allows_private=allows_private)),
        *(_judge_ttls(subject.domain, answer, hosts)),
    ]
    unobserved = [unseen(entry) for host in hosts for entry in host.failed]
    if len(_once(named)) > len(hosts) > 1:
        unobserved.append(f"of {len(_once(named))} MX hosts only the first {len(hosts)} are looked at")
    return CheckResult(
        findings=tuple(findings),
        unobserved=tuple(unobserved),
        is_partial=not any(host.failed for host in hosts),
        facts=_facts(answer, hosts, is_null=is_null),
        gauges={} if answer.original_ttl_seconds is None else {"mx_ttl_seconds": answer.original_ttl_seconds},
    )


def _once(records: Sequence[MxRecord]) -> list[MxRecord]:
    """Each host once, at its best preference."""
    best: dict[str, MxRecord] = {}
    for record in records:
        best.setdefault(record.host, record)
    return list(best.values())


async def _look_up(preference: int | None, name: str, ask: Ask) -> MxHost:
    if _is_address(name):
        return MxHost(preference=preference, name=name, answers=())
    return MxHost(preference=preference, name=name, answers=(await ask(name, "AAAA"), await ask(name, "A")))


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _facts(answer: DnsAnswer, hosts: Sequence[MxHost], *, is_null: bool) -> dict[str, Any]:
    return {
        "hosts": [host.name for host in hosts if host.addresses],
        "is_null": is_null,
        "ttl_seconds": answer.ttl_seconds,
        "records": [
            {"preference": host.preference, "host": host.name, "addresses": list(host.addresses)}
            for host in hosts
        ],
    }


# The rules.


def _domain_missing(domain: str) -> Finding:
    return make_finding(
        "domain_missing",
        Severity.ERROR,
        domain,
        f"{domain} does not exist in DNS.",
        advice="Correct the name, or register the domain and publish its zone.",
        source="RFC 1035 section 4.1.1",
    )


def _judge_set(
    domain: str, named: Sequence[MxRecord], hosts: Sequence[MxHost], *, is_null: bool
) -> Iterator[Finding]:
    if is_null:
        yield _null(domain, has_others=bool(named))
        return
    if not named:
        yield _no_records(domain, hosts[0])
        return
    for name, count in Counter(record.host for record in named).items():
        if count > 1:
            yield make_finding(
                "mx_duplicate",
                Severity.WARNING,
                name,
                f"{domain} names {name} in {count} MX records.",
                advice="Keep one record for each host.",
                source="RFC 5321 section 5.1",
            )
    if _is_single(hosts):
        what = (
            f"host {hosts[0].name}"
            if len(hosts) == 1
            else f"address {hosts[0].addresses[-1]} of all its hosts"
        )
        yield make_finding(
            "mx_single",
            Severity.WARNING,
            domain,
            f"All mail of {domain} depends on the one {what}.",
            advice="Add a second MX host at another place, or accept that mail waits while this one is down.",
            source="RFC 5321 section 5.1",
        )


def _is_single(hosts: Sequence[MxHost]) -> bool:
    """Whether there is one machine only, by whatever names: the same address of each family behind all of them."""
    sets = {frozenset(host.addresses) for host in hosts if host.addresses}
    is_known = all(host.addresses or host.is_absent for host in hosts)
    if not is_known or len(sets) != 1 or (len(hosts) > 1 and not all(host.addresses for host in hosts)):
        return False
    versions = Counter(ip_address(address).version for address in next(iter(sets)))
    return max(versions.values()) < 2


def _null(domain: str, *, has_others: bool) -> Finding:
    if has_others:
        return make_finding(
            "mx_null_with_others",
            Severity.ERROR,
            domain,
            f"{domain} has a null MX record, which says that it takes no mail, and others beside it.",
            advice="Remove the record `MX 0 .`, or all the others.",
            source="RFC 7505 section 3",
        )
    return make_finding(
        "mx_null",
        Severity.INFO,
        domain,
        f"{domain} says with a null MX record that it takes no mail.",
        advice="Nothing, if that is so: bounces to this domain cannot be delivered either.",
        source="RFC 7505 section 3",
    )


def _no_records(domain: str, host: MxHost) -> Finding:
    if host.is_absent:
        return make_finding(
            "mx_missing",
            Severity.ERROR,
            domain,
            f"{domain} has neither MX records nor an address: nobody can send mail to it.",
            advice="Publish MX records, or `MX 0 .` if the domain is to take no mail.",
            source="RFC 5321 section 5.1",
        )
    return make_finding(
        "mx_implicit",
        Severity.WARNING,
        domain,
        f"{domain} has no MX records: mail goes to the domain's own address.",
        advice="Publish MX records that name the hosts which take mail.",
        source="RFC 5321 section 5.1",
    )


def _judge_host(host: MxHost, *, allows_private: bool) -> Iterator[Finding]:
    if host.preference is not None:
        yield from _judge_name(host)
    special = {
        address: special_range(address) for address in dict.fromkeys(host.addresses) if special_range(address)
    }
    if special and not allows_private:
        address, name = next(iter(special.items()))
        yield make_finding(
            "mx_unroutable_address",
            Severity.ERROR,
            host.name,
            f"{host.name} has the address {address}, which is {name}: nobody outside can reach it.",
            advice="Publish addresses that can be reached from the Internet.",
            source="RFC 6890 section 2.2",
        )


def _judge_name(host: MxHost) -> Iterator[Finding]:
    """At most one finding: what is wrong with the name explains what follows from it."""
    if _is_address(host.name):
        yield make_finding(
            "mx_is_address",
            Severity.ERROR,
            host.name,
            f"An MX record names the address {host.name}, where a host name has to be.",
            advice="Name a host, and give that host the address.",
            source="RFC 1035 section 3.3.9",
        )
    elif not is_host_name(host.name):
        yield make_finding(
            "mx_bad_name",
            Severity.ERROR,
            host.name,
            f"An MX record names {host.name!r}, which is no host name.",
            advice="Name a host by its full name of letters, digits and hyphens.",
            source="RFC 1123 section 2.1",
        )
    elif host.is_absent:
        yield make_finding(
            "mx_unresolvable",
            Severity.ERROR,
            host.name,
            f"An MX record names {host.name}, which "
            + ("is an alias that leads back to itself." if host.is_looping else "has no address."),
            advice="Give the host an address, or remove the record; a final dot may be missing in the zone file.",
            source="RFC 5321 section 5.1",
        )
    elif host.aliases:
        yield make_finding(
            "mx_is_alias",
            Severity.ERROR,
            host.name,
            f"An MX record names {host.name}, which is an alias of {host.aliases[-1]}.",
            advice=f"Name the host itself: {host.aliases[-1]}."
            if is_host_name(host.aliases[-1])
            else "Name the host.",
            source="RFC 2181 section 10.3",
        )


def _judge_ttls(domain: str, answer: DnsAnswer, hosts: Sequence[MxHost]) -> Iterator[Finding]:
    """The MX set and the addresses of its hosts, each at most once. A resolver's cache tells a lower bound only."""
    found = [(f"the MX records of {domain}", domain, answer)]
    found += [
        (f"the addresses of {host.name}", host.name, entry)
        for host in hosts
        if host.preference is not None
        for entry in host.answers
    ]
    told: set[str] = set()
    for what, subject, entry in found:
        if entry.status is not DnsStatus.FOUND or subject in told:
            continue
        original = entry.original_ttl_seconds
        longest = max(original or 0, entry.ttl_seconds or 0)
        if longest > LONGEST_TTL_SECONDS:
            told.add(subject)
            yield make_finding(
                "mx_ttl_long",
                Severity.WARNING,
                subject,
                f"{what[0].upper()}{what[1:]} may be kept for {longest} s: a move takes that long to be seen.",
                advice="Publish a TTL of one hour to one day, and of some minutes before a migration.",
                source="RFC 1912 section 2.2",
            )
        elif original is not None and original < SHORTEST_TTL_SECONDS:
            told.add(subject)
            yield make_finding(
                "mx_ttl_short",
                Severity.WARNING,
                subject,
                f"{what[0].upper()}{what[1:]} may be kept for {original} s only: every mail asks anew, "
                "and a failure of DNS stops mail at once.",
                advice="Publish a TTL of one hour to one day when no migration is under way.",
                source="RFC 1912 section 2.2",
            )
