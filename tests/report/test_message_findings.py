"""What the last message of a route shows that is wrong."""

from smtp_probe.model import Finding, Severity
from smtp_probe.report.message_findings import MOST_FINDINGS, MessageFindings
from smtp_probe.report.metrics import ROUTE_FINDING
from smtp_probe.report.series import Series
from tests.report.samples import make_config

WARNING = Finding(check="origin", severity=Severity.WARNING, message="x")
ERROR = Finding(check="dmarc_unaligned", severity=Severity.ERROR, message="x")
HINT = Finding(check="arc_broken", severity=Severity.INFO, message="x")


def _make():
    series = Series()
    findings = MessageFindings(series)
    findings.declare(make_config())
    return findings, lambda: set(dict(series.all(ROUTE_FINDING)))


def test_each_part_replaces_its_own_findings_only():
    findings, shown = _make()
    findings.show("example", "path", (WARNING,))
    findings.show("example", "authentication", (ERROR, HINT))
    assert shown() == {
        ("example", "origin", "warning"),
        ("example", "dmarc_unaligned", "error"),
        ("example", "arc_broken", "info"),
    }

    findings.show("example", "authentication", ())
    assert shown() == {("example", "origin", "warning")}


def test_of_very_many_the_most_severe_are_shown():
    findings, shown = _make()
    hints = [Finding(check=f"hint_{number}", severity=Severity.INFO, message="x") for number in range(20)]
    findings.show("example", "path", (*hints, WARNING))
    findings.show("example", "authentication", (HINT, ERROR))

    assert len(shown()) == MOST_FINDINGS
    assert {("example", "origin", "warning"), ("example", "dmarc_unaligned", "error")} < shown()


def test_a_route_that_is_gone_is_forgotten():
    findings, shown = _make()
    findings.show("example", "path", (WARNING, HINT))
    findings.declare(make_config("another"))
    findings.declare(make_config())
    findings.show("example", "authentication", ())
    assert shown() == set()
