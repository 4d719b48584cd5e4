"""The metrics of drills are all in their list, and in that of all metrics."""

from smtp_probe.report import drill_metrics
from smtp_probe.report.drill_metrics import DRILL_METRICS
from smtp_probe.report.metric import Metric
from smtp_probe.report.metrics import METRICS


def test_every_metric_of_a_drill_is_listed_once_and_grouped_by_its_drill():
    declared = {value.name for value in vars(drill_metrics).values() if isinstance(value, Metric)}

    assert declared == {metric.name for metric in DRILL_METRICS} <= {metric.name for metric in METRICS}
    assert len(declared) == len(DRILL_METRICS)
    assert {metric.group_label for metric in DRILL_METRICS} == {"drill"}
