"""What checks saw comes out of the engine as it went in."""

import zlib

import pytest

from smtp_probe.model import (
    CheckResult,
    DomainReport,
    DomainUnderCheck,
    DrillKind,
    DrillReport,
    Finding,
    Memo,
    QueueLook,
    QueueState,
    QueueSurvey,
    RetryLook,
    RetrySchedule,
    Severity,
)
from smtp_probe.model.queue import DelayReason, StateSurvey
from smtp_probe.report.check_records import CheckRecord, read_check, write_check

FINDING = Finding(check="spf_missing", severity=Severity.WARNING, message="No SPF record", source="RFC 7208")
SURVEY = QueueSurvey(
    states={QueueState.DEFERRED: StateSurvey(messages=3, age_quantiles={0.5: 12.5})},
    deferred_reasons={DelayReason.DNS: 3},
    deferred_destinations={"example.org": 3},
)
REPORTS = [
    DomainReport(
        subject=DomainUnderCheck(domain="example.org", selectors=("s1",)),
        results={"spf": CheckResult(findings=(FINDING,), facts={"lookups": 3, "hosts": ["a", "b"]})},
    ),
    DrillReport(drill="d", kind=DrillKind.RETRY, started_ns=5, duration_seconds=1.5, facts={"a": "b"}),
    QueueLook(queue="relay", at_ns=7, duration_seconds=0.1, survey=SURVEY, growth_per_second=0.5),
    RetryLook(
        queue="relay",
        at_ns=7,
        schedule=RetrySchedule(
            first_seconds=300, longest_seconds=4000, lifetime_seconds=432000, names=("a", "b", "c")
        ),
    ),
    Memo(kind="records", name="example.org", text="{}"),
]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: type(report).__name__)
def test_a_report_is_read_back_as_it_was_written(report):
    record = CheckRecord(subject="it", at_ns=99, report=report)

    assert read_check(write_check(record)) == record


@pytest.mark.parametrize(
    "payload", [b"", b"x", zlib.compress(b"[]"), zlib.compress(b'{"kind": "moon", "report": {}}')]
)
def test_what_is_no_report_is_refused(payload):
    with pytest.raises(ValueError, match="."):
        read_check(payload)
