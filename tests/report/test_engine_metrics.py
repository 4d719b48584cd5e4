"""The metrics of the engine are a part of the whole list, and none of them speaks of a route."""

from smtp_probe.report import engine_metrics
from smtp_probe.report.engine_metrics import ENGINE_METRICS
from smtp_probe.report.metric import Metric
from smtp_probe.report.metrics import METRICS


def test_every_metric_of_the_engine_is_listed_and_begins_with_the_process():
    declared = {value.name for value in vars(engine_metrics).values() if isinstance(value, Metric)}

    assert declared == {metric.name for metric in ENGINE_METRICS} <= {metric.name for metric in METRICS}
    assert not any(metric.is_durable for metric in ENGINE_METRICS)
    assert {label for metric in ENGINE_METRICS for label in metric.labels} == {
        "answer",
        "member",
        "roles",
        "vantage",
    }
