"""The shipped rules: sound, each alert tried in every way that it can go wrong, and each with a page to read."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from promql_parser import parse
from ruamel.yaml import YAML

from smtp_probe.report.metric import Kind
from smtp_probe.report.metrics import METRICS
from tests.grafana.boards import BOARDS, variables

from .cases import Trial
from .table import TABLE

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "deploy" / "prometheus"
RULES = SHIPPED / "rules"
FILES = sorted(RULES.glob("*.yml"))
FOREIGN = {"up", "process_start_time_seconds"}
WAYS = {
    "fires": ("fires",),
    "just below": ("does not fire just below", "enough by "),
    "one event": ("one ",),
    "counter reset": ("a restart", "a counter that begins anew"),
    "absent series": ("nothing is known", "fires where there never was one"),
    "cold start": ("a cold start",),
    "recovers": ("recovers",),
}
"""In how many ways each alert is tried, and how the names of such trials begin."""
LABEL_OF = {"hop": "by"}
"""Which label a variable of a dashboard chooses, where it is not called like it."""
AT_ONCE = {"SmtpProbeInternalErrors", "SmtpProbePathChanged", "SmtpProbeRecordsChanged"}
"""One event is what these tell: of what they count, one less is none at all."""

pytestmark = pytest.mark.lab  # promtool is a program of Debian's


GROUPS = [(path.stem, group) for path in FILES for group in YAML(typ="safe").load(path)["groups"]]
"""Every group with the name of its file."""


def rules():
    for _, group in GROUPS:
        yield from group["rules"]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDS = {rule["record"]: rule for rule in rules() if "record" in rule}


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_finds_nothing_wrong():
    run("promtool", "check", "rules", "--lint=all", "--lint-fatal", *map(str, FILES))
    run("promtool", "check", "config", str(SHIPPED / "prometheus.yml"))


def trials_of(alert):
    known = TABLE[alert]
    return known if isinstance(known, list) else list(known.trials())


def told_labels(alert):
    """The labels that its words and its link are made of, whatever it is about."""
    notes = "".join(ALERTS[alert]["annotations"].values())
    always = re.sub(r"{{ (if|with) .*?{{ end }}", "", notes)
    return sorted(set(re.findall(r"\$labels\.(\w+)", always)))


def as_test(alert, trial: Trial):
    """One trial as promtool wants it: whether the alert fires, and then with every label that it tells."""
    blank = [
        {
            "expr": f'ALERTS{{alertname="{alert}",alertstate="firing",{label}=""}}',
            "eval_time": f"{trial.at}m",
            "exp_samples": [],
        }
        for label in told_labels(alert)
    ]
    count = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
    return {
        "name": f"{alert}: {trial.name}",
        "interval": f"{trial.step}m",
        "input_series": [{"series": name, "values": values} for name, values in trial.series.items()],
        "promql_expr_test": [
            {
                "expr": f"{count} > bool 0" if trial.fires else count,
                "eval_time": f"{trial.at}m",
                "exp_samples": [{"labels": "{}", "value": 1}] if trial.fires else [],
            },
            *(blank if trial.fires else []),
        ],
    }


def needed_by(name, minutes):
    """The groups as they are shipped, without the rules that an alert does not need, evaluated that often."""
    wanted, found = {name}, set()
    while wanted:
        found |= wanted
        wanted = (
            set().union(*(selected((ALERTS.get(each) or RECORDS[each])["expr"]) for each in wanted))
            & set(RECORDS) - found
        )
    for file, group in GROUPS:
        kept = [rule for rule in group["rules"] if (rule.get("alert") or rule["record"]) in found]
        if kept:
            yield {"interval": f"{minutes}m", "name": f"{file} {group['name']}", "rules": kept}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_fires_when_it_has_to_and_only_then(alert, tmp_path):
    trials = trials_of(alert)
    for step in {trial.step for trial in trials}:
        rules_file = tmp_path / f"rules-{step}.yml"
        groups = list(needed_by(alert, step))
        rules_file.write_text(json.dumps({"groups": groups}))
        order = sorted(group["name"] for group in groups if "recording" in group["name"])
        order += [group["name"] for group in groups if "recording" not in group["name"]]
        file = tmp_path / f"test-{step}.yml"
        tests = [as_test(alert, trial) for trial in trials if trial.step == step]
        file.write_text(
            json.dumps(
                {
                    "rule_files": [str(rules_file)],
                    "group_eval_order": order,  # what is compared is there before it is compared
                    "evaluation_interval": f"{step}m",
                    "tests": tests,
                }
            )
        )
        run(
            "promtool", "test", "rules", str(file), env=os.environ | {"GOGC": "400"}
        )  # memory is cheaper here than time


def test_every_alert_is_tried():
    assert set(TABLE) == set(ALERTS)


@pytest.mark.parametrize("alert", sorted(set(ALERTS) - {"SmtpProbeWatchdog"}))
def test_an_alert_is_tried_in_every_way(alert):
    wanted = set(WAYS) - ({"just below", "one event"} if alert in AT_ONCE else set())
    for way in wanted:
        trials = [trial for trial in trials_of(alert) if trial.name.startswith(WAYS[way])]
        assert trials, f"{alert}: {way}"
        fires = way == "fires" or (alert, way) == ("SmtpProbeAbsent", "absent series")
        assert all(trial.fires == fires for trial in trials), f"{alert}: {way}"


def test_what_one_event_fires_wakes_nobody_up():
    assert {ALERTS[alert]["labels"]["severity"] for alert in AT_ONCE} <= {"warning", "info"}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_what_a_person_needs(alert):
    rule = ALERTS[alert]
    notes = rule["annotations"]

    assert re.fullmatch(r"SmtpProbe[A-Z][A-Za-z]+", alert)
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert "{{" not in notes["summary"], "a summary is the same for all"
    assert re.fullmatch(r"[A-Za-z].*\.", notes["summary"])
    assert notes["description"].endswith(".")
    assert notes["runbook_url"].endswith(f"/runbooks/{alert}.md")
    assert re.match(r"http://localhost:3000/d/smtp-probe-[a-z]+(\?|$)", notes["dashboard_url"])
    assert not set(rule["labels"]) - {"severity"}, "a value in a label makes a new alert each time"


@pytest.mark.parametrize("alert", ALERTS)
def test_the_dashboard_of_an_alert_shows_what_it_is_about(alert):
    notes = ALERTS[alert]["annotations"]
    uid, filled = re.fullmatch(r"http://localhost:3000/d/([a-z-]+)\??(.*)", notes["dashboard_url"]).groups()
    known = set(variables(BOARDS[uid]))
    given = dict(re.findall(r"var-(\w+)={{ (?:\$labels)?\.(\w*) }}", filled))
    about = {LABEL_OF.get(name, name): name for name in known - {"job", "window"}}
    told = set(re.findall(r"\$labels\.(\w+)", notes["description"]))

    assert set(given) <= known
    assert filled.count("var-") == len(given)
    assert {about[label] for label in told & set(about)} <= set(given)
    assert ("job" in given) == bool(told)


def selected(expression):
    """The names of all series that an expression asks for."""
    parse(expression)
    bare = re.sub(r'"[^"]*"', '""', expression)
    return {
        name
        for name in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare)
        if ":" in name or name.startswith(("smtp_probe_", "up", "process_"))
    }


def exposed():
    for metric in METRICS:
        suffixes = ("_sum", "_count", "_bucket") if metric.kind is Kind.HISTOGRAM else ("",)
        yield from (f"{metric.name}{suffix}" for suffix in suffixes)


@pytest.mark.parametrize("name", [*ALERTS, *RECORDS])
def test_a_rule_asks_for_nothing_that_is_not_there(name):
    rule = ALERTS.get(name) or RECORDS[name]

    assert selected(rule["expr"]) <= {*exposed(), *RECORDS, *FOREIGN}


def test_every_recording_is_used():
    asked = set().union(*(selected(rule["expr"]) for rule in (*ALERTS.values(), *RECORDS.values())))

    assert set(RECORDS) <= asked


@pytest.mark.parametrize("record", RECORDS)
def test_the_name_of_a_recording_is_level_metric_operations(record):
    assert re.fullmatch(r"[a-z_]+:smtp_probe_[a-z_]+:[a-z0-9_:]+", record)
