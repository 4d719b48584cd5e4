"""Which records of a domain have changed since the last look, by the word that a metric has for them.

In: reports, one after the other. Out: words from `RECORDS`. What could not be seen is not a change, and what is seen for the
first time is none. Of the TXT records of the domain only those of SPF count.
"""

from __future__ import annotations

from collections.abc import Iterable

from smtp_probe.model import DnsAnswer, DnsValue
from smtp_probe.policy.spf.record import select_records

RECORDS = (
    "mx",
    "spf",
    "dkim",
    "dmarc",
    "mta_sts",
    "tls_rpt",
    "bimi",
    "tlsa",
    "caa",
    "address",
    "ptr",
    "ns",
    "soa",
    "dnssec",
    "other",
)
"""The words, bounded: they are label values."""

_BY_KIND = {
    "MX": "mx",
    "TLSA": "tlsa",
    "CAA": "caa",
    "A": "address",
    "AAAA": "address",
    "PTR": "ptr",
    "NS": "ns",
    "SOA": "soa",
    "DS": "dnssec",
    "DNSKEY": "dnssec",
}
_BY_PREFIX = {"_dmarc.": "dmarc", "_mta-sts.": "mta_sts", "_smtp._tls.": "tls_rpt"}


def record_word(answer: DnsAnswer) -> str:
    """The word for the records of an answer."""
    if answer.kind in _BY_KIND:
        return _BY_KIND[answer.kind]
    if answer.kind != "TXT":
        return "other"
    name = answer.name.lower()
    word = next((word for prefix, word in _BY_PREFIX.items() if name.startswith(prefix)), "")
    if word:
        return word
    if "._domainkey." in name:
        return "dkim"
    return "bimi" if "._bimi." in name else "spf"


def _fingerprint(answer: DnsAnswer) -> frozenset[DnsValue]:
    values = select_records(answer.values) if record_word(answer) == "spf" else answer.values
    return frozenset(values)


class RecordMemory:
    """What each question was last answered, for one domain."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], frozenset[DnsValue]] = {}

    def note(self, answers: Iterable[DnsAnswer]) -> list[str]:
        """Give a word for each question whose records are others than before. What is asked no more is forgotten."""
        changed: list[str] = []
        seen: dict[tuple[str, str], frozenset[DnsValue]] = {}
        for answer in answers:
            key = answer.name.lower(), answer.kind
            if answer.is_failure:
                if key in self._known:
                    seen[key] = self._known[key]
                continue
            seen[key] = _fingerprint(answer)
            if key in self._known and self._known[key] != seen[key]:
                changed.append(record_word(answer))
        self._known = seen
        return changed
