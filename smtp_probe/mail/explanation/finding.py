"""The order in which a person wants to read what was found in a message.

In: findings of all checks. Out: the same in the order in which a person wants to read them. `message` is one or two
plain sentences, and names of strangers in it are sanitised by whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable

from smtp_probe.model import Finding


def arrange_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put errors first and notes last, and those of one check together, in the order in which they were found."""
    found = list(findings)
    first: dict[str, int] = {}
    for finding in found:
        first.setdefault(finding.check, len(first))
    return tuple(sorted(found, key=lambda each: (each.severity.rank, first[each.check])))
