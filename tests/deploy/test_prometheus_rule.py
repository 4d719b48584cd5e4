"""The PrometheusRule objects say what the plain rule files say, and are not behind them."""

import re

import pytest
from ruamel.yaml import YAML

from tests.deploy.prometheus_rule import FOLDER, TARGET, prometheus_rules

OBJECTS = list(YAML(typ="safe").load_all(TARGET))
SOURCES = sorted((FOLDER / "rules").glob("*.yml"))


def test_they_are_made_of_the_rules_as_these_are_now():
    assert TARGET.read_text() == prometheus_rules(), "run: python -m tests.deploy.prometheus_rule"


@pytest.mark.parametrize(("made", "source"), list(zip(OBJECTS, SOURCES, strict=True)))
def test_an_object_has_the_groups_of_its_file(made, source):
    assert (made["apiVersion"], made["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert made["metadata"]["name"] == source.stem
    assert made["spec"] == YAML(typ="safe").load(source)


@pytest.mark.parametrize("made", OBJECTS)
def test_an_object_has_only_what_the_operator_knows(made):
    assert set(made) == {"apiVersion", "kind", "metadata", "spec"}
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", made["metadata"]["name"])
    names = [group["name"] for group in made["spec"]["groups"]]
    assert len(names) == len(set(names))
    for group in made["spec"]["groups"]:
        assert set(group) <= {"name", "interval", "limit", "rules", "partial_response_strategy"}
        for rule in group["rules"]:
            assert set(rule) <= {"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"}
