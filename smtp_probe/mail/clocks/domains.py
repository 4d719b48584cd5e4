"""Which clock a host's stamps are read from.

In: the name of a host, as a header has it, and rules. Out: a clock domain: stamps of the same domain are taken to be of
one clock. As a rule that is the host by its normalised name. The hosts of a large provider change with every message and
are kept in step by the provider: they are one domain, whose stamps are taken a little less literally. Looks nothing up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smtp_probe.mail.hostnames import find_provider, normalise_by

PROVIDER_LOOSENESS_NS = 50_000_000
"""How far two hosts of one large provider are allowed to differ. No provider states it."""

_NAMELESS = frozenset({"address", "unknown", "localhost", "localhost.localdomain"})
"""An address is no name: providers write another one into every message. And `localhost` is everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockDomain:
    """One clock, or several that are kept together to within `looseness_ns` (to both sides)."""

    name: str
    looseness_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRule:
    """Hosts whose name is `suffix`, or ends in a dot and `suffix`, share one clock domain."""

    suffix: str
    domain: ClockDomain


def find_domain(host: str | None, rules: Sequence[DomainRule] = ()) -> ClockDomain | None:
    """Give the clock domain of a host; None where the name does not tell one host from another.

    The first rule that fits is taken; then the large providers; then the host's own name.
    """
    name = (host or "").strip("[]<>\"'").rstrip(".").lower()
    for rule in rules:
        suffix = rule.suffix.strip(".").lower()
        if name == suffix or name.endswith("." + suffix):
            return rule.domain
    provider = find_provider(name)
    if provider is not None:
        return ClockDomain(name=provider, looseness_ns=PROVIDER_LOOSENESS_NS)
    label = normalise_by(name)
    return None if label in _NAMELESS else ClockDomain(name=label)
