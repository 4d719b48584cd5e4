"""Verdicts as samples."""

from smtp_probe.model import (
    Authentication,
    Finding,
    Method,
    Severity,
    Source,
    Verdict,
    VerdictResult,
    VerdictsFormed,
)
from smtp_probe.report.metrics import ROUTE_FINDING, VERDICT, VERDICTS_DISAGREE
from tests.report.samples import make_config, make_telemetry


def _authentication(result):
    return Authentication(
        verdicts=(
            Verdict(method=Method.DKIM, source=Source.OWN, result=result),
            Verdict(method=Method.DKIM, source=Source.RECEIVER, result=VerdictResult.PASS),
        ),
        findings=(Finding(check="dkim_disagrees", severity=Severity.WARNING, message="x"),)
        if result is VerdictResult.FAIL
        else (),
    )


def _shown(telemetry, metric):
    return dict(telemetry.series.all(metric))


def test_the_last_message_is_shown_and_nothing_of_the_one_before():
    telemetry = make_telemetry()
    telemetry.verdicts.show("example", _authentication(VerdictResult.FAIL))

    assert _shown(telemetry, VERDICT) == {
        ("example", "dkim", "own", "fail"): 1.0,
        ("example", "dkim", "receiver", "pass"): 1.0,
    }
    assert _shown(telemetry, VERDICTS_DISAGREE) == {("example", "dkim"): 1.0}
    assert _shown(telemetry, ROUTE_FINDING) == {("example", "dkim_disagrees", "warning"): 1.0}

    telemetry.verdicts.show("example", _authentication(VerdictResult.PASS))

    assert ("example", "dkim", "own", "pass") in _shown(telemetry, VERDICT)
    assert len(_shown(telemetry, VERDICT)) == 2
    assert _shown(telemetry, VERDICTS_DISAGREE) == {("example", "dkim"): 0.0}
    assert _shown(telemetry, ROUTE_FINDING) == {}


def test_they_come_as_events_and_after_a_restart_from_the_journal():
    telemetry = make_telemetry()
    telemetry.verdicts.recall({"example": _authentication(VerdictResult.FAIL), "gone": Authentication()})
    assert ("example", "dkim", "own", "fail") in _shown(telemetry, VERDICT)

    found = _authentication(VerdictResult.PASS)
    telemetry.observe(VerdictsFormed(route="example", probe_id="p", found=found))
    assert ("example", "dkim", "own", "pass") in _shown(telemetry, VERDICT)


def test_what_is_unknown_is_absent():
    telemetry = make_telemetry()
    telemetry.verdicts.show("example", Authentication())

    assert _shown(telemetry, VERDICT) == _shown(telemetry, VERDICTS_DISAGREE) == {}


def test_a_route_that_is_not_looked_at_has_no_samples():
    telemetry = make_telemetry()
    telemetry.verdicts.show("example", _authentication(VerdictResult.FAIL))
    telemetry.verdicts.show("gone", _authentication(VerdictResult.FAIL))
    route = {"sender": "relay", "recipient": "probe@example.org", "mailbox": "inbox", "authentication": False}
    telemetry.declare(make_config(routes={"example": route}))
    telemetry.verdicts.show("example", _authentication(VerdictResult.FAIL))

    assert _shown(telemetry, VERDICT) == {}
