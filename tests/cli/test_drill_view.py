"""A drill's report, drawn and as JSON."""

import json

import pytest

from smtp_probe.cli.drill_view import EXIT_CODES, draw_report, report_to_json
from smtp_probe.cli.terminal import LINES
from smtp_probe.model import (
    DrillAttempt,
    DrillKind,
    DrillReport,
    DrillResult,
    DrillTrial,
    Finding,
    Reply,
    Severity,
)

NS = 10**9
AT = 1_790_000_000 * NS
SOON = Finding(
    check="drill_retry_too_soon",
    severity=Severity.WARNING,
    message="Too soon.",
    advice="Wait.",
    source="RFC 5321",
)


def report(**facts):
    return DrillReport(
        drill="retries",
        kind=DrillKind.RETRY,
        started_ns=AT,
        duration_seconds=361.25,
        **facts,
    )


def text_of(made, width=100):
    return "\n".join(line.plain for line in draw_report(made, width, LINES))


def test_every_result_has_an_exit_code():
    assert EXIT_CODES == {DrillResult.HEALTHY: 0, DrillResult.UNHEALTHY: 1, DrillResult.UNOBSERVED: 3}
    assert set(EXIT_CODES) == set(DrillResult)


def test_a_report_is_drawn_whole():
    text = text_of(report(findings=(SOON,), facts={"waits": "1 minute, 5 minutes"}))

    assert "retries (retry drill)" in text
    assert "waits: 1 minute, 5 minutes" in text
    assert "warning: Too soon." in text
    assert "Wait. (drill_retry_too_soon, RFC 5321)" in text
    assert text.splitlines()[-1].endswith("unhealthy after 361.2 s")


def test_what_was_not_observed_is_said():
    text = text_of(report(unobserved=("Nothing can listen there.",)))
    assert "not observed: Nothing can listen there." in text
    assert "unobserved after" in text


@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_line_is_wider_than_the_terminal(width):
    made = report(findings=(SOON,), facts={"waits": "1 minute, " * 20}, unobserved=("word " * 40,))
    assert all(len(line) <= max(width, 26) for line in text_of(made, width).splitlines()[1:-1])


def test_the_json_has_the_same_keys_always():
    attempts = tuple(
        DrillAttempt(at_ns=AT + second * NS, peer="192.0.2.1", answer="451") for second in (0, 60, 360)
    )
    trial = DrillTrial(check="relay", step="RCPT", reply=Reply(code=554, text="No"))
    full = json.loads(report_to_json(report(findings=(SOON,), attempts=attempts, trials=(trial,))))
    empty = json.loads(report_to_json(report()))

    assert full.keys() == empty.keys()
    assert full["retry_intervals_seconds"] == [60.0, 300.0]
    assert full["attempts"][0]["at"] == "2026-09-21T14:13:20.000000Z"
    assert full["trials"] == [
        {"check": "relay", "step": "RCPT", "code": 554, "reply": "554 No", "unobserved": None, "detail": None}
    ]
    assert (full["result"], full["exit_code"]) == ("unhealthy", 1)
    assert (empty["result"], empty["exit_code"], empty["failover_seconds"]) == ("healthy", 0, None)
