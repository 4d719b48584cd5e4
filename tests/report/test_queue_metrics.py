"""The metrics of queues are all in their list, and in that of all metrics."""

from smtp_probe.report import queue_metrics
from smtp_probe.report.metric import Metric
from smtp_probe.report.metrics import METRICS
from smtp_probe.report.queue_metrics import QUEUE_METRICS


def test_every_metric_of_a_queue_is_listed_once_and_grouped_by_its_queue():
    declared = {value.name for value in vars(queue_metrics).values() if isinstance(value, Metric)}

    assert declared == {metric.name for metric in QUEUE_METRICS} <= {metric.name for metric in METRICS}
    assert len(declared) == len(QUEUE_METRICS)
    assert {metric.group_label for metric in QUEUE_METRICS} == {"queue"}
