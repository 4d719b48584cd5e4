"""The metrics of credentials are a part of the whole list, and speak of nothing but a credential and a closed list."""

from smtp_probe.report.credential_metrics import CREDENTIAL_METRICS
from smtp_probe.report.metrics import METRICS


def test_they_are_shown_and_begin_with_the_process():
    assert set(CREDENTIAL_METRICS) <= set(METRICS)
    assert {metric.labels[0] for metric in CREDENTIAL_METRICS} == {"credential"}
    assert not any(metric.is_durable for metric in CREDENTIAL_METRICS)
