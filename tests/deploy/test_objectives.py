"""The examples for sloth and pyrra: their queries are PromQL over series that the program exposes."""

import re
from pathlib import Path

import pytest
from promql_parser import parse
from ruamel.yaml import YAML

from smtp_probe.config.settings import MetricsSettings
from smtp_probe.report.metric import Kind
from smtp_probe.report.metrics import METRICS

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
KINDS = {metric.name: metric.kind for metric in METRICS}
SUFFIX = re.compile(r"_(bucket|count|sum)$")


def sloth_queries():
    for objective in YAML(typ="safe").load(FOLDER / "sloth.yml")["slos"]:
        events = objective["sli"]["events"]
        yield from (events[key].replace("{{.window}}", "5m") for key in ("error_query", "total_query"))


def pyrra_objectives():
    return list(YAML(typ="safe").load_all(FOLDER / "pyrra.yaml"))


def pyrra_series():
    for objective in pyrra_objectives():
        for indicator in objective["spec"]["indicator"].values():
            yield from (part["metric"] for part in indicator.values() if isinstance(part, dict))


@pytest.mark.parametrize("query", [*sloth_queries(), *pyrra_series()])
def test_a_query_is_of_series_that_exist(query):
    parse(query)
    for name in re.findall(r"smtp_probe_\w+", query):
        if name in KINDS:
            assert KINDS[name] is Kind.COUNTER
        else:
            assert KINDS[SUFFIX.sub("", name)] is Kind.HISTOGRAM


@pytest.mark.parametrize("query", [*sloth_queries(), *pyrra_series()])
def test_an_objective_rests_on_a_bucket_that_there_is_by_default(query):
    for bound in re.findall(r'le="([^"]*)"', query):
        assert float(bound) in MetricsSettings().delivery_buckets
        assert bound == str(float(bound)), "as it is exposed"


def test_the_two_agree_on_what_is_promised():
    slos = YAML(typ="safe").load(FOLDER / "sloth.yml")["slos"]

    assert [each["objective"] for each in slos] == [
        float(each["spec"]["target"]) for each in pyrra_objectives()
    ]
    assert all(each["spec"]["window"] == "30d" for each in pyrra_objectives())
