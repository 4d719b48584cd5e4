"""What the last delivered probes show of each domain's mail: where it leaves, by which names, and with which signatures.

In: what each probe shows, by route. Out: the subject of a check, completed. Of each route the last few probes count, so that
several egress hosts in turn are all seen, and one that is given up is soon forgotten.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Container, Iterator

from smtp_probe.model import DomainUnderCheck, SeenMail

_MOST_PROBES = 6
_MOST_VALUES = 8


class SeenByDomain:
    """All domains."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, deque[SeenMail]]] = {}

    def keep(self, domains: Container[str]) -> None:
        """Forget the others."""
        self._seen = {domain: routes for domain, routes in self._seen.items() if domain in domains}

    def note(self, route: str, domain: str, seen: SeenMail) -> bool:
        """Take in one probe. Returns whether its domain's checks are to be given something else than before."""
        subject = DomainUnderCheck(domain=domain)
        before = self.complete(subject)
        self._seen.setdefault(domain, {}).setdefault(route, deque(maxlen=_MOST_PROBES)).append(seen)
        return self.complete(subject) != before

    def complete(self, subject: DomainUnderCheck) -> DomainUnderCheck:
        """Give what is configured, with what probes have shown. What is configured counts more."""
        seen = list(self._of(subject.domain))
        addresses = sorted({each.address for each in seen if each.address})
        names = {each.address: each.ehlo_name for each in seen if each.address and each.ehlo_name}
        senders = sorted({each.sender for each in seen if each.sender})
        selectors = sorted({selector for each in seen for selector in each.selectors})
        return dataclasses.replace(
            subject,
            egress=tuple(dict.fromkeys((*subject.egress, *addresses[:_MOST_VALUES]))),
            egress_names={} if subject.ehlo_name else dict(sorted(names.items())[:_MOST_VALUES]),
            sender=subject.sender or next(iter(senders), None),
            selectors=tuple(dict.fromkeys((*subject.selectors, *selectors[:_MOST_VALUES]))),
        )

    def _of(self, domain: str) -> Iterator[SeenMail]:
        """The oldest first, so that of two names of one address the newest counts."""
        for probes in self._seen.get(domain, {}).values():
            yield from probes
