"""One look at a domain of the configuration: its settings become checks, and these a report.

In: a configuration, a domain, and whether its servers are called and visited. Out: a `DomainReport`. Shares the resolver and its
cache with the probes: a question is asked once for all of them. Checks need more libraries than all else: none of them is
imported where no domain is configured.
"""

from __future__ import annotations

from pathlib import Path

from smtp_probe.app.domain_check import DomainChecker, LookOptions
from smtp_probe.config.settings import Config, Domain
from smtp_probe.model import DomainReport, DomainUnderCheck
from smtp_probe.network.exchanger import VisitTerms
from smtp_probe.network.resolver import DnsResolver
from smtp_probe.policy.dnsbl import BlockLists
from smtp_probe.ports import Clock
from smtp_probe.probes.domain import check_domain

_FALLBACK_EHLO = "localhost.localdomain"


class DomainLooks:
    """The looks of one configuration; it is given `config` before the first."""

    config: Config

    def __init__(self, resolver: DnsResolver, clock: Clock) -> None:
        self.resolver = resolver
        self._clock = clock
        self._checkers: dict[Path | None, DomainChecker] = {}

    async def look(self, subject: DomainUnderCheck, *, dials: bool, visits: bool) -> DomainReport:
        """Look once."""
        settings = self.config.domains[subject.domain]
        options = LookOptions(
            resolver=self.config.resolver,
            dials=dials,
            allows_private=settings.private_addresses,
            asks_authority=settings.authority,
            block_lists=BlockLists(addresses=settings.dnsbl, domains=settings.rhsbl),
            terms=_terms(settings, subject, self.config),
        )
        checks = self._checker(settings.ca_file).checks(options, dials=visits)
        return await check_domain(subject, self.resolver.ask, checks)

    def _checker(self, ca_file: Path | None) -> DomainChecker:
        if ca_file not in self._checkers:
            self._checkers[ca_file] = DomainChecker(self.resolver, self._clock, ca_file)
        return self._checkers[ca_file]


def _terms(settings: Domain, subject: DomainUnderCheck, config: Config) -> VisitTerms:
    """What a visit may ask, in the name of a sender of ours."""
    senders = [sender.ehlo_name for sender in config.senders.values()]
    return VisitTerms(
        ehlo_name=subject.ehlo_name or next(iter(senders), _FALLBACK_EHLO),
        recipient=settings.recipient
        or (_find_recipient(subject.domain, config) if settings.route_recipient else None),
        sender=settings.sender or "",
        tests_relay=settings.relay_test,
    )


def _find_recipient(domain: str, config: Config) -> str | None:
    """The recipient of the first route whose mail goes to a domain."""
    recipients = (route.recipient for route in config.routes.values())
    return next((each for each in recipients if each.rpartition("@")[2].lower() == domain), None)
