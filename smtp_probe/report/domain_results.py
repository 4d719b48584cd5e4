"""What the checks of domains say, as samples; and what asking DNS took.

In: reports of domains, and every answer of a name server. Out: samples in `Series`. Whatever was not seen has no sample:
a finding that cannot be observed now is neither there nor gone, so it stays as it was, and `check_up` says so.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from smtp_probe.config.settings import Config
from smtp_probe.model import CheckResult, DnsAnswer, DomainReport, Finding, Severity
from smtp_probe.policy.record_changes import record_word
from smtp_probe.report.metrics import (
    BLOCK_LISTED,
    CHECK_UP,
    DKIM_KEY_BITS,
    DNS_DURATION,
    DNS_QUERIES,
    DOMAIN_CHECKED,
    EXCHANGER_CERTIFICATE,
    EXCHANGER_PHASE,
    EXCHANGER_UP,
    FINDING,
    POLICY_EXPIRY,
    RECORD_TTL,
    SPF_LOOKUPS_LEFT,
)
from smtp_probe.report.series import HistogramValue, Labels, Series

_log = logging.getLogger(__name__)
_GAUGES = {
    "dkim_key_bits": DKIM_KEY_BITS,
    "spf_lookups_left": SPF_LOOKUPS_LEFT,
    "mta_sts_policy_expiry_timestamp_seconds": POLICY_EXPIRY,
}
_MOST_EXCHANGERS = 40
"""Addresses of one domain that have samples."""


class DomainResults:
    """All domains."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._findings: dict[str, dict[str, tuple[Finding, ...]]] = {}
        self.latest: dict[str, tuple[DomainReport, int]] = {}
        """The last report of each domain and when it was made, for pages."""
        series.put(DNS_DURATION, (), HistogramValue.empty(DNS_DURATION.buckets))

    def declare(self, config: Config) -> None:
        """Take over a configuration: what is gone is forgotten."""
        for known in (self._findings, self.latest):
            for domain in [domain for domain in known if domain not in config.domains]:
                del known[domain]

    def show(self, report: DomainReport, at_ns: int) -> None:
        """Take over what one look saw, at an instant of the reference clock."""
        domain = report.subject.domain
        self.latest[domain] = report, at_ns
        self._series.put(DOMAIN_CHECKED, (domain,), at_ns / 1e9)
        self._show_findings(domain, report.results)
        for result in report.results.values():
            for name, value in result.gauges.items():
                if name in _GAUGES:
                    self._series.put(_GAUGES[name], (domain,), float(value))
        self._show_records(domain, report.records)
        if "dnsbl" in report.results:
            self._show_block_lists(domain, report.results["dnsbl"].facts.get("listings", ()))
        exchangers = report.results.get("exchangers")
        if exchangers is not None:
            self._show_exchangers(domain, exchangers.facts.get("visits", {}))

    def observe_answer(self, answer: DnsAnswer) -> None:
        """Count one question to a name server, and how long it took."""
        self._series.put_new(DNS_QUERIES, (answer.kind, answer.status.value), 0.0)
        self._series.add(DNS_QUERIES, (answer.kind, answer.status.value), 1.0)
        before = self._series.get(DNS_DURATION, ())
        if isinstance(before, HistogramValue) and answer.duration_seconds is not None:
            counts = list(before.counts)
            counts[bisect_left(before.bounds, answer.duration_seconds)] += 1.0
            sum_us = before.sum_us + round(answer.duration_seconds * 1e6)
            self._series.put(DNS_DURATION, (), HistogramValue(before.bounds, tuple(counts), sum_us))

    def _show_findings(self, domain: str, results: Mapping[str, CheckResult]) -> None:
        """A check that could not see all keeps what it found before of what it could not see, beside what it finds now."""
        known = self._findings.setdefault(domain, {})
        now: dict[str, tuple[Finding, ...]] = {}
        up: dict[Labels, float] = {}
        for name, result in results.items():
            found = result.findings
            if result.unobserved:
                found = tuple(dict.fromkeys((*found, *_still_unknown(known.get(name, ()), result))))
            now[name] = found
            up[domain, name] = float(result.is_partial or not result.unobserved)
        self._log_changes(domain, known, now)
        self._findings[domain] = now
        standing: dict[Labels, float] = {
            (domain, finding.check, finding.severity.value): 1.0
            for found in now.values()
            for finding in found
        }
        self._series.replace(FINDING, domain, standing)
        self._series.replace(CHECK_UP, domain, up)

    def _log_changes(
        self, domain: str, before: Mapping[str, tuple[Finding, ...]], now: Mapping[str, tuple[Finding, ...]]
    ) -> None:
        old = {(item.check, item.subject): item for found in before.values() for item in found}
        new = {(item.check, item.subject): item for found in now.values() for item in found}
        for key, finding in new.items():
            if key not in old:
                level = logging.INFO if finding.severity is Severity.INFO else logging.WARNING
                _log.log(level, "finding: %s", finding.message, extra=_extra(domain, finding))
        for key, finding in old.items():
            if key not in new:
                _log.info("finding gone", extra=_extra(domain, finding))

    def _show_records(self, domain: str, answers: tuple[DnsAnswer, ...]) -> None:
        ttls: dict[Labels, float] = {}
        for answer in answers:
            seconds = answer.original_ttl_seconds
            if answer.values and seconds is not None:
                key = domain, record_word(answer)
                ttls[key] = min(ttls.get(key, float(seconds)), float(seconds))
        self._series.replace(RECORD_TTL, domain, ttls)

    def _show_block_lists(self, domain: str, listings: Sequence[Mapping[str, Any]]) -> None:
        """One sample for each list that answered: what it did not answer is neither listed nor not."""
        shown: dict[Labels, float] = {}
        for listing in listings:
            if listing["state"] != "unknown":
                labels = domain, listing["zone"]
                shown[labels] = max(shown.get(labels, 0.0), float(listing["state"] == "listed"))
        self._series.replace(BLOCK_LISTED, domain, shown)

    def _show_exchangers(self, domain: str, visits: Mapping[str, Any]) -> None:
        up: dict[Labels, float] = {}
        phases: dict[Labels, float] = {}
        ends: dict[Labels, float] = {}
        for key, visit in list(visits.items())[:_MOST_EXCHANGERS]:
            if visit["up"] is None:
                continue  # it says nothing of the host
            labels = domain, key.rpartition(" ")[0], visit["address"]
            up[labels] = float(visit["up"])
            for phase, seconds in visit["phases"].items():
                phases[(*labels, phase)] = seconds
            if visit["certificate_not_after"] is not None:
                ends[labels] = float(visit["certificate_not_after"])
        self._series.replace(EXCHANGER_UP, domain, up)
        self._series.replace(EXCHANGER_PHASE, domain, phases)
        self._series.replace(EXCHANGER_CERTIFICATE, domain, ends)


def _still_unknown(before: Sequence[Finding], result: CheckResult) -> Iterator[Finding]:
    """Findings of before that this look cannot have refuted: all, or, where it saw enough, those of what it did not see."""
    for finding in before:
        if not result.is_partial or any(finding.subject in text for text in result.unobserved):
            yield finding


def _extra(domain: str, finding: Finding) -> dict[str, str]:
    return {
        "domain": domain,
        "check": finding.check,
        "severity": finding.severity.value,
        "subject": finding.subject,
    }
