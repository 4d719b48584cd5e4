"""One DMARC policy record: its grammar (RFC 9989 section 4.7).

In: the octets of a TXT record. Out: a `DmarcRecord`, with what is wrong in it. Looks nothing up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from smtp_probe.mail.authentication.tags import TagList, read_tags

POLICIES = ("none", "quarantine", "reject")
"""Weakest first."""
_VERSION = re.compile(rb"[ \t]*v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)", re.DOTALL)
_KNOWN = frozenset({"v", "p", "sp", "np", "adkim", "aspf", "fo", "psd", "rua", "ruf", "t"})
REMOVED = frozenset({"pct", "rf", "ri"})
"""Tags of RFC 7489 that receivers ignore now."""
_VALUES = {
    "p": POLICIES,
    "sp": POLICIES,
    "np": POLICIES,
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
    "psd": ("y", "n", "u"),
    "t": ("y", "n"),
}
_FAILURE_OPTIONS = frozenset({"0", "1", "d", "s"})
_URI = re.compile(r"([a-z][a-z0-9+.-]*):([^\s,;!]+)(![0-9]+[kmgt]?)?", re.IGNORECASE)
_MAILBOX = re.compile(
    r"[^@\s]{1,64}@([a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAddress:
    """One place for reports. `host` is where a mailto address is; None where the URI is of no use."""

    tag: str
    """`rua` or `ruf`."""
    uri: str
    host: str | None = None
    has_size: bool = False
    """Whether it has a size limit of RFC 7489, which nobody reads any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcRecord:
    """What a record says; None is not said. Values that are none are faults, and count as not said."""

    policy: str | None
    subdomain_policy: str | None
    absent_policy: str | None
    """For names that do not exist (np)."""
    strict_dkim: bool
    strict_spf: bool
    psd: str
    is_testing: bool
    reports: tuple[ReportAddress, ...]
    removed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    text: bytes = b""

    @property
    def effective_policy(self) -> str | None:
        """The policy as receivers apply it: `none` where only reports are asked for (RFC 9989 section 4.7)."""
        if self.policy is not None:
            return self.policy
        return "none" if any(report.tag == "rua" and report.host for report in self.reports) else None


def is_dmarc(record: bytes) -> bool:
    """Whether a TXT record claims to be one. The version is case-sensitive and comes first."""
    return _VERSION.match(record) is not None


@lru_cache(maxsize=256)  # the policies of a few domains, asked for with every message
def read_record(record: bytes) -> DmarcRecord:
    """Read a record that `is_dmarc`."""
    tags = read_tags(record)
    faults = list(tags.faults)
    values = {name: _read_value(tags, name, faults) for name in _VALUES}
    if not _read_failure_options(tags.get("fo", "0")):
        faults.append(f"fo={tags.get('fo')[:40]} is none of 0, 1, d and s")
    others = [name for name in tags.tags if name not in _KNOWN]
    return DmarcRecord(
        policy=values["p"],
        subdomain_policy=values["sp"],
        absent_policy=values["np"],
        strict_dkim=values["adkim"] == "s",
        strict_spf=values["aspf"] == "s",
        psd=values["psd"] or "u",
        is_testing=values["t"] == "y",
        reports=(*_read_reports(tags, "rua"), *_read_reports(tags, "ruf")),
        removed=tuple(name for name in others if name in REMOVED),
        unknown=tuple(name for name in others if name not in REMOVED),
        faults=tuple(faults),
        text=record,
    )


def _read_value(tags: TagList, name: str, faults: list[str]) -> str | None:
    if name not in tags.tags:
        return None
    value = tags.get(name).lower()
    if value in _VALUES[name]:
        return value
    faults.append(f"{name}={value[:40]} is none of {', '.join(_VALUES[name])}")
    return None


def _read_failure_options(text: str) -> bool:
    return all(option.strip().lower() in _FAILURE_OPTIONS for option in text.split(":"))


def _read_reports(tags: TagList, tag: str) -> Sequence[ReportAddress]:
    written = [uri.strip() for uri in tags.get(tag).split(",")] if tag in tags.tags else []
    return [_read_report(tag, uri) for uri in written[:20]]


def _read_report(tag: str, text: str) -> ReportAddress:
    match = _URI.fullmatch(text)
    if match is None or match[1].lower() != "mailto":
        return ReportAddress(tag=tag, uri=text)
    mailbox = _MAILBOX.fullmatch(match[2].split("?")[0])
    return ReportAddress(
        tag=tag,
        uri=text,
        host=mailbox[1].lower() if mailbox else None,
        has_size=match[3] is not None,
    )
