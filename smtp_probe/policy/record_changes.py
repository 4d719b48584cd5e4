"""Which records of a domain have changed since they were last seen, and since when each stands as it does.

In: the answers of one look after the other, and what an earlier run kept. Out: changes, each under a word from `RECORDS`;
findings for those of the last day; plain data for the journal to keep. What could not be seen is not a change, and what is
seen for the first time is none. Of the TXT records of the domain only those of SPF count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import CaaRecord, DnsAnswer, DnsValue, Finding, MxRecord, Severity, TlsaRecord
from smtp_probe.policy.dkim.check import OLD_DAYS, judge_age
from smtp_probe.policy.findings import make_finding
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


_TOLD: Mapping[str, tuple[str, str]] = {
    "mx": ("mx_changed", "RFC 5321 section 5.1"),
    "spf": ("spf_changed", "RFC 7208 section 3"),
    "dkim": ("dkim_key_changed", "RFC 6376 section 3.6.1"),
    "dmarc": ("dmarc_changed", "RFC 9989 section 4.7"),
    "mta_sts": ("mta_sts_changed", "RFC 8461 section 3.1"),
    "tls_rpt": ("tls_rpt_changed", "RFC 8460 section 3"),
    "bimi": ("bimi_changed", "BIMI, section 4"),
    "tlsa": ("dane_changed", "RFC 7672 section 3.1"),
    "caa": ("caa_changed", "RFC 8659 section 4"),
    "ptr": ("ptr_changed", "RFC 1912 section 2.1"),
    "ns": ("authority_changed", "RFC 1034 section 4.2.1"),
    "dnssec": ("dnssec_changed", "RFC 4035 section 2.4"),
}
"""The findings. Addresses and serials change by themselves: they are counted, and no finding."""
_DAY_NS = 86_400 * 10**9
_MOST_RECORDS = 400
_MOST_CHANGES = 20
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """What a question was last answered, and when that was first seen."""

    digest: str
    since_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One record set that is another than before."""

    word: str
    name: str
    kind: str
    at_ns: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RecordMemory:
    """What is remembered of one domain. Immutable: what comes later is another memory."""

    standing: Mapping[str, Standing] = field(default_factory=dict)
    """By name and kind of the question. What is asked no more is kept, the latest of it."""
    changes: tuple[RecordChange, ...] = ()
    """Those of the last day, newest last."""

    def after(
        self, answers: Iterable[DnsAnswer], now_ns: int
    ) -> tuple[RecordMemory, tuple[RecordChange, ...]]:
        """Give the memory after one more look, and what this look found changed."""
        standing = dict(self.standing)
        found: list[RecordChange] = []
        for answer in answers:
            if answer.is_failure:
                continue
            key = f"{answer.name.lower()} {answer.kind}"
            before, whole = standing.get(key), _write(answer)
            digest = hashlib.sha256(whole.encode()).hexdigest()[:24]
            if before is not None and before.digest == digest:
                continue
            now = Standing(digest, now_ns, sanitise(whole, 160) or "nothing")
            if before is not None:
                word = record_word(answer)
                change = RecordChange(
                    word, sanitise(answer.name, 255), answer.kind, now_ns, before.text, now.text
                )
                found.append(change)
            standing.pop(key, None)
            standing[key] = now
        kept = [change for change in (*self.changes, *found) if change.at_ns > now_ns - _DAY_NS]
        newest = dict(list(standing.items())[-_MOST_RECORDS:])
        return RecordMemory(newest, tuple(kept[-_MOST_CHANGES:])), tuple(found)

    def findings(self, now_ns: int, selectors: Iterable[str], domain: str) -> Iterator[Finding]:
        """Tell the changes of the last day, and the keys that have not changed for long."""
        for change in self.changes:
            if change.word in _TOLD and change.at_ns > now_ns - _DAY_NS:
                yield _tell(change)
        for selector in selectors:
            name = f"{selector}._domainkey.{domain}"
            standing = self.standing.get(f"{name.lower()} TXT")
            if (
                standing is not None
                and standing.text != "nothing"
                and standing.since_ns < now_ns - OLD_DAYS * _DAY_NS
            ):
                yield judge_age(name, (now_ns - standing.since_ns) // _DAY_NS, "has been seen for")

    def write(self) -> dict[str, Any]:
        """Plain data, fit for JSON."""
        return {
            "version": _VERSION,
            "standing": {key: [each.digest, each.since_ns, each.text] for key, each in self.standing.items()},
            "changes": [
                [each.word, each.name, each.kind, each.at_ns, each.before, each.after]
                for each in self.changes
            ],
        }


def read_record_memory(data: object) -> RecordMemory | None:
    """Read what `RecordMemory.write` gave; None for what is of another version, or damaged."""
    if not isinstance(data, dict) or data.get("version") != _VERSION:
        return None
    try:
        standing = {
            str(key): Standing(str(digest), int(since_ns), sanitise(text, 160))
            for key, (digest, since_ns, text) in data["standing"].items()
        }
        changes = tuple(
            RecordChange(word, sanitise(name, 255), kind, int(at_ns), sanitise(before), sanitise(after))
            for word, name, kind, at_ns, before, after in data["changes"]
            if word in RECORDS
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return None
    return RecordMemory(standing, changes)


def _tell(change: RecordChange) -> Finding:
    check, source = _TOLD[change.word]
    return make_finding(
        check,
        Severity.INFO,
        change.name,
        f"{change.name} {change.kind} has changed within the last day. Before: {change.before}. Now: {change.after}.",
        advice="Nothing, if the change was meant. Look at the other findings of the domain if it was not.",
        source=source,
    )


def _write(answer: DnsAnswer) -> str:
    """A text of the records that is the same for the same records, in whatever order they came."""
    values = select_records(answer.values) if record_word(answer) == "spf" else answer.values
    return "; ".join(sorted(_write_value(value) for value in values))


def _write_value(value: DnsValue) -> str:
    match value:
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case str():
            return value
        case MxRecord(preference=preference, host=host):
            return f"{preference} {host or '.'}"
        case CaaRecord(flags=flags, tag=tag, value=text):
            return f"{flags} {tag} {text}"
        case TlsaRecord(usage=usage, selector=selector, matching=matching, data=data):
            return f"{usage} {selector} {matching} {data.hex()}"
        case _:
            return repr(value)
