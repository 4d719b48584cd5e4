"""The declarations: whole, well named, bounded, and the same as in the documentation."""

import re
from pathlib import Path

import pytest

from smtp_probe.report import metrics
from smtp_probe.report.metric import GROUP_LABELS, Kind
from smtp_probe.report.metrics import METRICS

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(smtp_probe_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)

DEMANDED = re.findall(
    r"\w+",
    """
build_info shard_info interval_seconds probes_total probe_failures_total outcomes_total unobserved_total
delivery_duration_seconds last_delivery_duration_seconds last_probe_timestamp_seconds
last_success_timestamp_seconds submission_phase_duration_seconds hop_duration_seconds hop_last_duration_seconds
hops messages_in_flight oldest_in_flight_timestamp_seconds visibility_delay_seconds mailbox_up
mailbox_reconnects_total smtp_replies_total tls_certificate_not_after_timestamp_seconds forged_messages_total
hop_uncertainty_seconds hop_clock_offset_seconds hop_clock_steps_total hop_tls leg_duration_seconds path_info
path_changes_total slowest_hop duplicate_messages_total schedule_missed_total scheduler_lag_seconds config_last_reload_successful
""",
)


def documented():
    return {
        (name, kind, tuple(re.findall(r"`(\w+)`", labels)), text.strip())
        for name, kind, labels, text in ROW.findall(DOCUMENT.read_text())
    }


def test_every_metric_is_declared_in_this_one_file_and_once():
    package = Path(metrics.__file__).parents[1]
    declares = re.compile(r"^\w+ = (?:counter|gauge|histogram|info|Metric)\(", re.MULTILINE)
    places = {path.name for path in package.rglob("*.py") if declares.search(path.read_text())}
    one_in_two_forms = {"smtp_probe_finding"}

    assert places == {"metrics.py"}
    assert len({metric.name for metric in METRICS}) == len(METRICS) - len(one_in_two_forms)


def test_every_demanded_metric_is_declared():
    assert {f"smtp_probe_{name}" for name in DEMANDED} <= {metric.name for metric in METRICS}


def test_the_documentation_says_what_is_declared_and_nothing_else():
    declared = {
        (
            metric.name,
            metric.kind.value,
            metric.labels,
            metric.help,
        )
        for metric in METRICS
    }

    assert documented() == declared


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: f"{metric.name} {metric.labels[:1]}")
def test_names_and_labels_follow_the_conventions_of_prometheus(metric):
    assert re.fullmatch(r"smtp_probe_[a-z_]+", metric.name)
    assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
    assert (metric.kind is Kind.INFO) == metric.name.endswith("_info")
    if metric.kind is Kind.HISTOGRAM:
        assert metric.name.endswith("_seconds")
        assert list(metric.buckets) == sorted(set(metric.buckets))
    else:
        assert metric.buckets == ()
    if "timestamp" in metric.name:
        assert metric.name.endswith("_timestamp_seconds")
    assert not set(metric.labels) & {
        "le",
        "quantile",
        "type",
        "stage",
        "service",
        "region",
        "job",
        "instance",
    }
    assert metric.help.endswith(".")
    assert "|" not in metric.help


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: f"{metric.name} {metric.labels[:1]}")
def test_label_values_are_bounded(metric):
    """A label names a part of the configuration, or has its values listed, or is capped."""
    listed_or_capped = {
        "reason",
        "outcome",
        "phase",
        "action",
        "level",
        "code",
        "hop",
        "by",
        "check",
        "severity",
        "record",
        "host",
        "address",
        "kind",
        "status",
        "leg",
        "path",
        "origin",
    }
    listed_or_capped |= {"state", "percentile", "destination", "method", "wait"}
    listed_or_capped |= {"source", "result", "zone", "attempt", "answer"}
    listed_or_capped |= {"status_class", "category", "placement", "filter", "resource"}
    fixed = {"version", "pythonversion", "shard", "shards", "member", "roles", "vantage"}

    assert set(metric.labels) <= {*GROUP_LABELS, *listed_or_capped, *fixed}


def test_only_counters_and_histograms_are_kept_by_the_journal():
    kept = {metric.kind for metric in METRICS if metric.is_durable}

    assert kept == {Kind.COUNTER, Kind.HISTOGRAM}
