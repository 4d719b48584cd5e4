"""Reports of domains as samples: what stands, what is gone, and what could not be seen."""

from __future__ import annotations

import logging

import pytest

from smtp_probe.model import (
    CheckResult,
    DnsAnswer,
    DnsStatus,
    DomainReport,
    DomainUnderCheck,
    Finding,
    Severity,
)
from smtp_probe.report.domain_results import DomainResults
from smtp_probe.report.metric import Metric
from smtp_probe.report.metrics import (
    CHECK_UP,
    DNS_DURATION,
    DNS_QUERIES,
    EXCHANGER_UP,
    FINDING,
    RECORD_TTL,
    SPF_LOOKUPS_LEFT,
)
from smtp_probe.report.series import HistogramValue, Series
from tests.report.samples import make_config

ERROR = Finding(check="spf_missing", severity=Severity.ERROR, subject="e.test", message="None.")


def _report(records: tuple[DnsAnswer, ...] = (), **results: CheckResult) -> DomainReport:
    return DomainReport(subject=DomainUnderCheck(domain="e.test"), results=results, records=records)


def _shown(series: Series, metric: Metric) -> dict[tuple[str, ...], object]:
    return dict(series.all(metric))


def test_a_finding_stands_while_it_is_found() -> None:
    series = Series()
    results = DomainResults(series)
    results.show(_report(spf=CheckResult(findings=(ERROR, ERROR))), 0)
    assert _shown(series, FINDING) == {("e.test", "spf_missing", "error"): 1.0}
    results.show(_report(spf=CheckResult()), 0)
    assert _shown(series, FINDING) == {}


def test_what_cannot_be_seen_now_stays_as_it_was() -> None:
    series = Series()
    results = DomainResults(series)
    results.show(_report(spf=CheckResult(findings=(ERROR,))), 0)
    results.show(_report(spf=CheckResult(unobserved=("dark",))), 0)
    assert _shown(series, FINDING) == {("e.test", "spf_missing", "error"): 1.0}
    assert _shown(series, CHECK_UP) == {("e.test", "spf"): 0.0}
    results.show(_report(spf=CheckResult()), 0)
    assert _shown(series, FINDING) == {}
    assert _shown(series, CHECK_UP) == {("e.test", "spf"): 1.0}


def test_what_a_look_that_saw_enough_has_refuted_is_gone() -> None:
    """The observer has no IPv6, and never sees that address: what is mended at the other is mended."""
    series = Series()
    results = DomainResults(series)
    four = Finding(
        check="exchanger_no_starttls", severity=Severity.WARNING, subject="mx [192.0.2.1]", message=""
    )
    six = Finding(check="exchanger_broken", severity=Severity.ERROR, subject="mx [2001:db8::1]", message="")
    results.show(_report(exchangers=CheckResult(findings=(four, six))), 0)
    unseen = ("mx [2001:db8::1] could not be reached from here: no route",)
    results.show(_report(exchangers=CheckResult(unobserved=unseen, is_partial=True)), 0)
    assert _shown(series, FINDING) == {("e.test", "exchanger_broken", "error"): 1.0}
    assert _shown(series, CHECK_UP) == {("e.test", "exchangers"): 1.0}


def test_findings_are_logged_when_they_come_and_when_they_go(caplog: pytest.LogCaptureFixture) -> None:
    results = DomainResults(Series())
    with caplog.at_level(logging.INFO):
        for result in (CheckResult(findings=(ERROR,)), CheckResult(findings=(ERROR,)), CheckResult()):
            results.show(_report(spf=result), 0)
    assert caplog.records[0].levelname == "WARNING"
    assert [record.getMessage() for record in caplog.records] == ["finding: None.", "finding gone"]


def test_times_to_live_are_shown() -> None:
    series = Series()
    results = DomainResults(series)
    for seconds, name in ((90, "mx1.e.test"), (60, "mx2.e.test")):
        answer = DnsAnswer(
            name=name, kind="A", status=DnsStatus.FOUND, values=("192.0.2.1",), original_ttl_seconds=seconds
        )
        results.show(_report((answer,)), 0)
    assert _shown(series, RECORD_TTL) == {("e.test", "address"): 60.0}


def test_numbers_and_exchangers_have_their_samples() -> None:
    series = Series()
    visit = {"address": "192.0.2.1", "up": False, "phases": {}, "certificate_not_after": None}
    unseen = {**visit, "address": "2001:db8::1", "up": None}
    report = _report(
        spf=CheckResult(gauges={"spf_lookups_left": 4}),
        exchangers=CheckResult(
            facts={"visits": {"mx.e.test 192.0.2.1": visit, "mx.e.test 2001:db8::1": unseen}}
        ),
    )
    DomainResults(series).show(report, 0)
    assert _shown(series, SPF_LOOKUPS_LEFT) == {("e.test",): 4.0}
    assert _shown(series, EXCHANGER_UP) == {("e.test", "mx.e.test", "192.0.2.1"): 0.0}


def test_questions_are_counted_by_how_they_ended() -> None:
    series = Series()
    results = DomainResults(series)
    for status in (DnsStatus.FOUND, DnsStatus.TIMEOUT, DnsStatus.TIMEOUT):
        results.observe_answer(DnsAnswer(name="x", kind="A", status=status, duration_seconds=0.05))
    assert _shown(series, DNS_QUERIES) == {("A", "found"): 1.0, ("A", "timeout"): 2.0}
    value = series.get(DNS_DURATION, ())
    assert isinstance(value, HistogramValue)
    assert (sum(value.counts), value.sum_us) == (3.0, 150_000.0)


def test_a_domain_that_is_gone_is_forgotten() -> None:
    results = DomainResults(Series())
    results.show(_report(spf=CheckResult(findings=(ERROR,))), 7)
    assert results.latest["e.test"][1] == 7
    results.declare(make_config())
    assert results.latest == {}
