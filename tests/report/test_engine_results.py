"""What is shown of the engine: nothing where there is none, and of each role its own part."""

from smtp_probe.report.metrics import METRICS
from tests.report.samples import make_config, make_telemetry

ENGINE_METRICS = [metric for metric in METRICS if metric.name.startswith("smtp_probe_engine_")]


def shown(telemetry):
    return {
        (metric.name.removeprefix("smtp_probe_engine_"), *labels): value
        for metric in ENGINE_METRICS
        for labels, value in telemetry.series.all(metric)
    }


def test_who_works_alone_shows_nothing_of_it():
    assert shown(make_telemetry(make_config())) == {}


def test_each_role_has_its_own_figures():
    telemetry = make_telemetry(make_config())
    telemetry.engine.begin({"worker"}, "fra", "host-1")
    assert shown(telemetry)["info",] == (("member", "host-1"), ("roles", "worker"), ("vantage", "fra"))
    assert shown(telemetry)["up",] == 0.0
    assert shown(telemetry)["runs_total", "taken"] == 0.0
    assert ("takeovers_total",) not in shown(telemetry)

    telemetry.engine.up(True)
    telemetry.engine.run("taken")
    assert shown(telemetry)["up",] == 1.0
    assert shown(telemetry)["runs_total", "taken"] == 1.0


def test_what_is_not_known_is_absent():
    telemetry = make_telemetry(make_config())
    telemetry.engine.begin({"exporter"}, "fra", "host-1")
    assert ("events_behind",) not in shown(telemetry)

    telemetry.engine.behind(5)
    assert shown(telemetry)["events_behind",] == 5.0
    telemetry.engine.behind(None)
    assert ("events_behind",) not in shown(telemetry)


def test_the_controller_says_when_the_schedules_were_in_order():
    telemetry = make_telemetry(make_config())
    telemetry.engine.begin({"controller", "watcher"}, "fra", "host-1")
    telemetry.engine.in_order(7)
    telemetry.engine.groups(2)
    telemetry.engine.took_over(3)

    found = shown(telemetry)
    assert (found["schedules",], found["mailbox_groups",], found["takeovers_total",]) == (7.0, 2.0, 3.0)
    assert found["schedules_timestamp_seconds",] > 0
