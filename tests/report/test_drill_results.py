"""What is shown of a drill: the last run, and nothing that was not observed."""

import logging
from dataclasses import replace

from smtp_probe.model import DrillAttempt, DrillKind, DrillReport, DrillResult, Finding, Severity
from smtp_probe.report import metrics
from tests.report.samples import START_NS, make_config, make_telemetry

NS = 10**9
RETRY = {
    "sender": "relay",
    "recipient": "drill@drill.example.org",
    "listen": {"address": "192.0.2.25"},
}
CONFIG = make_config(drills={"retry": {"retries": RETRY, "other": RETRY}})
HEALTHY = DrillReport(
    drill="retries",
    kind=DrillKind.RETRY,
    started_ns=START_NS,
    duration_seconds=900.0,
    attempts=tuple(DrillAttempt(at_ns=START_NS + seconds * NS) for seconds in (0, 300, 900)),
)
SOON = Finding(check="drill_retry_too_soon", severity=Severity.WARNING, message="Too soon.")
NOTE = Finding(check="drill_failover_order", severity=Severity.INFO, message="A note.")


def shown(telemetry, drill="retries"):
    names = [metric for metric in metrics.METRICS if metric.group_label == "drill"]
    return {
        (metric.name.removeprefix("smtp_probe_drill_"), *labels[1:]): value
        for metric in names
        for labels, value in telemetry.series.all(metric)
        if isinstance(value, float) and labels[0] == drill
    }


def test_before_the_first_run_nothing_is_claimed():
    assert shown(make_telemetry(CONFIG)) == {("runs_total", result.value): 0.0 for result in DrillResult}


def test_a_healthy_run_is_shown_whole():
    telemetry = make_telemetry(CONFIG)

    telemetry.drills.show(HEALTHY)

    found = shown(telemetry)
    assert found["healthy",] == 1.0
    assert found["duration_seconds",] == 900.0
    assert found["last_run_timestamp_seconds",] == START_NS / NS + 900
    assert found["retry_interval_seconds", "2"] == 300.0
    assert found["retry_interval_seconds", "3"] == 600.0
    assert found["runs_total", "healthy"] == 1.0
    assert not any(key[0] == "finding" for key in found)
    assert set(shown(telemetry, "other").values()) == {0.0}


def test_what_is_gone_is_shown_no_more():
    telemetry = make_telemetry(CONFIG)
    telemetry.drills.show(replace(HEALTHY, findings=(SOON,)))
    assert shown(telemetry)["healthy",] == 0.0
    assert shown(telemetry)["finding", "drill_retry_too_soon", "warning"] == 1.0

    telemetry.drills.show(HEALTHY)

    assert not any(key[0] == "finding" for key in shown(telemetry))
    assert shown(telemetry)["runs_total", "unhealthy"] == 1.0


def test_what_was_not_observed_is_neither_healthy_nor_not():
    telemetry = make_telemetry(CONFIG)
    telemetry.drills.show(HEALTHY)

    telemetry.drills.show(replace(HEALTHY, attempts=(), unobserved=("The address is in use.",)))

    found = shown(telemetry)
    assert ("healthy",) not in found
    assert not any(key[0] == "retry_interval_seconds" for key in found)
    assert found["runs_total", "unobserved"] == 1.0


def test_a_note_leaves_a_drill_healthy_and_a_finding_outweighs_what_was_not_seen():
    assert replace(HEALTHY, findings=(NOTE,)).result is DrillResult.HEALTHY
    assert replace(HEALTHY, findings=(SOON,), unobserved=("No.",)).result is DrillResult.UNHEALTHY


def test_a_report_of_an_earlier_run_is_shown_and_not_counted():
    telemetry = make_telemetry(CONFIG)

    telemetry.drills.recall(HEALTHY)

    assert shown(telemetry)["healthy",] == 1.0
    assert shown(telemetry)["runs_total", "healthy"] == 0.0


def test_a_drill_that_is_gone_or_has_become_another_is_forgotten():
    telemetry = make_telemetry(CONFIG)
    telemetry.drills.show(HEALTHY)
    bounce = {"sender": "relay", "recipient": "nobody@example.org", "mailbox": "inbox"}

    telemetry.declare(make_config(drills={"bounce": {"retries": bounce}}))

    assert telemetry.drills.latest == {}
    assert set(shown(telemetry).values()) <= {0.0, 1.0}
    assert ("healthy",) not in shown(telemetry)
    telemetry.drills.show(HEALTHY)
    assert ("healthy",) not in shown(telemetry)


def test_what_others_can_use_is_logged_as_an_error(caplog):
    open_relay = Finding(
        check="drill_relay_accepted",
        severity=Severity.CRITICAL,
        subject="relay",
        message="The server accepted it.",
    )
    telemetry = make_telemetry(CONFIG)
    with caplog.at_level(logging.INFO):
        telemetry.drills.show(
            replace(HEALTHY, findings=(open_relay, SOON, NOTE), duration_seconds=3.0001220703)
        )

    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert said == [
        ("ERROR", "drill ended: unhealthy after 3.00 s"),
        ("ERROR", "finding: The server accepted it."),
        ("WARNING", "finding: Too soon."),
        ("INFO", "finding: A note."),
    ]
    assert shown(telemetry)["finding", "drill_relay_accepted", "critical"] == 1.0
