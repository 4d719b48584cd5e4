"""One check of a domain: what it is given, and what it gives back.

Every check has the same shape, `Check`: it asks through `ports.Ask` (or a port of its own), judges, and returns a
`CheckResult`. What it could not see is unobserved, with the reason, and is never a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smtp_probe.model.dns import DnsAnswer
from smtp_probe.model.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainUnderCheck:
    """A domain, and what is known of the mail that it sends. Names are lower case, without the final dot."""

    domain: str
    selectors: tuple[str, ...] = ()
    """DKIM selectors to look at."""
    egress: tuple[str, ...] = ()
    """Addresses from which its mail leaves."""
    ehlo_name: str | None = None
    """The EHLO name that goes with them."""
    sender: str | None = None
    """An envelope sender; its domain may be another one."""
    mx_hosts: tuple[str, ...] = ()
    """The hosts that its MX records name, best first; given to the checks that come after the MX check."""
    egress_names: Mapping[str, str] = field(default_factory=dict)
    """The EHLO name that was seen with an address, where none is given for all."""
    own_ehlo_names: tuple[str, ...] = ()
    """The EHLO names with which our own senders hand its mail in, at the beginning of its way."""

    def ehlo_of(self, address: str) -> str | None:
        """The EHLO name that goes with an egress address."""
        return self.ehlo_name or self.egress_names.get(address)

    @property
    def ehlo_names(self) -> tuple[str, ...]:
        """All EHLO names with which its mail leaves."""
        seen = tuple(dict.fromkeys(self.egress_names.values()))
        return (self.ehlo_name,) if self.ehlo_name else seen


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMail:
    """What one delivered probe shows of a domain's mail."""

    address: str | None = None
    """From which it left its organisation, as the first host of the receiver's wrote it down."""
    ehlo_name: str | None = None
    sender: str | None = None
    """The envelope sender."""
    selectors: tuple[str, ...] = ()
    """Of the signatures by this domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What one check saw. `facts` becomes the JSON section of the check's name: plain JSON values only."""

    findings: tuple[Finding, ...] = ()
    unobserved: tuple[str, ...] = ()
    """What could not be seen, a sentence each, sanitised; nothing is claimed of it."""
    is_partial: bool = False
    """Whether enough was seen to judge by, in spite of what was not: an address family that we do not have, ..."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    """Numbers that become metrics of the domain, by the name that `report.metrics` declares for them."""

    @property
    def has_error(self) -> bool:
        """Whether something is plainly wrong."""
        return any(finding.severity.is_grave for finding in self.findings)


ESSENTIAL = frozenset({"mx", "spf", "identity", "dkim", "dmarc", "exchangers"})
"""The checks without which nothing can be said of a domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainReport:
    """What the checks saw."""

    subject: DomainUnderCheck
    results: Mapping[str, CheckResult]
    records: tuple[DnsAnswer, ...] = field(default=())
    """Every answer that was had, in the order of the checks."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them, the gravest first, in the order of the checks."""
        found = [finding for result in self.results.values() for finding in result.findings]
        return tuple(sorted(found, key=lambda finding: finding.severity.rank))

    @property
    def unobserved(self) -> tuple[str, ...]:
        """What could not be seen."""
        return tuple(dict.fromkeys(text for result in self.results.values() for text in result.unobserved))

    @property
    def is_observed(self) -> bool:
        """Whether everything essential could be seen."""
        needed = [self.results[name] for name in ESSENTIAL & set(self.results)]
        return not any(result.unobserved and not result.is_partial for result in needed)
