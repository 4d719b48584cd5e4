"""What the last message of a route shows that is wrong."""

from smtp_probe.model import Finding, Severity
from smtp_probe.report.message_findings import MessageFindings
from smtp_probe.report.metrics import MESSAGE_FINDING
from smtp_probe.report.series import Series
from tests.report.samples import make_config

WARNING = Finding(check="origin", severity=Severity.WARNING, message="x")
ERROR = Finding(check="dmarc_unaligned", severity=Severity.ERROR, message="x")
HINT = Finding(check="arc_broken", severity=Severity.INFO, message="x")


def _make(detail):
    series = Series()
    findings = MessageFindings(series)
    findings.declare(make_config(metrics={"detail": detail}))
    return findings, lambda: set(dict(series.all(MESSAGE_FINDING)))


def test_each_part_replaces_its_own_findings_only():
    findings, shown = _make("full")
    findings.show("example", "path", (WARNING,))
    findings.show("example", "authentication", (ERROR, HINT))
    assert shown() == {
        ("example", "origin", "warning"),
        ("example", "dmarc_unaligned", "error"),
        ("example", "arc_broken", "info"),
    }

    findings.show("example", "authentication", ())
    assert shown() == {("example", "origin", "warning")}


def test_the_default_detail_shows_the_most_severe_of_a_route():
    findings, shown = _make("default")
    findings.show("example", "path", (WARNING,))
    findings.show("example", "authentication", (HINT, ERROR))
    assert shown() == {("example", "dmarc_unaligned", "error")}

    findings.show("example", "authentication", (HINT,))
    assert shown() == {("example", "origin", "warning")}


def test_a_route_that_is_gone_is_forgotten_and_a_change_of_detail_shows_at_once():
    findings, shown = _make("full")
    findings.show("example", "path", (WARNING, HINT))
    findings.declare(make_config(metrics={"detail": "default"}))
    assert shown() == {("example", "origin", "warning")}

    findings.declare(make_config("another"))
    findings.declare(make_config())
    findings.show("example", "authentication", ())
    assert shown() == set()
