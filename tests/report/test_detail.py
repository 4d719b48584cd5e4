"""What the lesser details leave out."""

from smtp_probe.config.settings import MetricsSettings
from smtp_probe.report.detail import SERIES_BY_DETAIL, left_out
from smtp_probe.report.metrics import DELIVERY_DURATION, FAILURES, LAST_HOP, METRICS, ROUTE_SERIES


def test_each_detail_shows_all_of_the_one_below_it():
    assert left_out("full") == left_out("default") == frozenset()
    assert left_out("default") < left_out("route") < left_out("minimal")
    assert LAST_HOP.name in left_out("route")
    assert DELIVERY_DURATION.name in left_out("minimal") - left_out("route")
    assert FAILURES.name not in left_out("minimal")


def test_nothing_but_series_of_routes_is_left_out():
    labels = {metric.name: metric.labels for metric in METRICS}
    assert {labels[name][0] for name in left_out("minimal")} == {"route"}


def test_every_detail_of_the_settings_has_a_bound():
    details = MetricsSettings.model_json_schema()["properties"]["detail"]["enum"]
    assert set(SERIES_BY_DETAIL) == set(details)
    assert SERIES_BY_DETAIL["default"] == ROUTE_SERIES
