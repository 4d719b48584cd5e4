"""All checks of one domain: which there are, and what each needs from outside. Also one look, for the command line.

In: what is known of the domain, and how to look. Out: the checks, or a `DomainReport`. Needs no configuration.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from smtp_probe.config.settings import ResolverSettings, TlsOptions
from smtp_probe.model import DnsAnswer, DomainReport, DomainUnderCheck, ExchangerVisit
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.exchanger import ExchangerVisitor, VisitTerms
from smtp_probe.network.http import WebReader
from smtp_probe.network.resolver import DnsResolver
from smtp_probe.policy.authority import check_authority
from smtp_probe.policy.dkim.check import check_dkim
from smtp_probe.policy.dnsbl import BlockLists
from smtp_probe.policy.dnssec import check_dnssec
from smtp_probe.policy.mta_sts import check_mta_sts
from smtp_probe.policy.mx import check_mx
from smtp_probe.ports import Check, Clock
from smtp_probe.probes.block_lists import BlockListLook
from smtp_probe.probes.domain import DNS_CHECKS, check_domain
from smtp_probe.probes.exchangers import ExchangerLook


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOptions:
    """How to look at a domain."""

    resolver: ResolverSettings
    dials: bool = True
    allows_private: bool = False
    """Whether private addresses are as they should be: a domain inside of a network."""
    asks_authority: bool = False
    """Whether the zone's own name servers are asked one by one."""
    authority_port: int = 53
    ca_file: Path | None = None
    terms: VisitTerms = field(default_factory=VisitTerms)
    https_port: int = 443
    block_lists: BlockLists = field(default_factory=BlockLists)


class DomainChecker:
    """The adapters that checks need, made once. `checks` gives the checks for one look."""

    def __init__(
        self, resolver: DnsResolver, clock: Clock, ca_file: Path | None = None, https_port: int = 443
    ) -> None:
        tls = TlsOptions(ca_file=ca_file)
        self._resolver = resolver
        self._clock = clock
        self._visitor = ExchangerVisitor(clock, tls)
        self._block_lists = BlockListLook(clock)
        self._web = WebReader(resolver, tls, port=https_port)

    def checks(self, options: LookOptions, *, dials: bool | None = None) -> Mapping[str, Check]:
        """The checks, by the names of their sections, in the order in which they are told."""
        now_seconds = self._clock.now_ns() // 10**9
        checks: dict[str, Check] = {
            **DNS_CHECKS,
            "mx": functools.partial(check_mx, allows_private=options.allows_private),
            "dkim": functools.partial(check_dkim, now_seconds=now_seconds),
            "dnssec": functools.partial(check_dnssec, now_seconds=now_seconds),
        }
        if options.dials:
            checks["mta_sts"] = functools.partial(
                check_mta_sts, fetch=self._web.fetch, now_seconds=now_seconds
            )
        if options.dials if dials is None else dials:
            check_policy = checks["mta_sts"]
            look = ExchangerLook(
                functools.partial(self._visit, options.terms), self._clock.now_ns, check_policy
            )
            checks["exchangers"] = look.check_exchangers
            checks["mta_sts"] = look.check_mta_sts
            checks["dane"] = look.check_dane
        if options.block_lists != BlockLists():
            checks["dnsbl"] = functools.partial(self._block_lists.check, lists=options.block_lists)
        if options.asks_authority:
            ask_server = functools.partial(self._ask_server, options.authority_port)
            checks["authority"] = functools.partial(check_authority, ask_server=ask_server)
        return checks

    async def _visit(self, terms: VisitTerms, host: str, address: str) -> ExchangerVisit:
        return await self._visitor.visit(host, address, terms)

    async def _ask_server(self, port: int, address: str, name: str, kind: str) -> DnsAnswer:
        return await self._resolver.ask_server(address, name, kind, port)


async def look_at_domain(subject: DomainUnderCheck, options: LookOptions) -> DomainReport:
    """Run every check once. Never raises for what DNS or servers do."""
    resolver = DnsResolver(options.resolver)
    try:
        checker = DomainChecker(resolver, ReferenceClock(), options.ca_file, options.https_port)
        return await check_domain(subject, resolver.ask, checker.checks(options))
    finally:
        await resolver.close()
