"""Findings stand in the order in which they are read."""

from smtp_probe.mail.explanation.finding import arrange_findings
from smtp_probe.model import Finding, Severity


def finding(check, severity, hop=None):
    return Finding(check=check, severity=severity, hop=hop, message="m")


def test_errors_come_first_and_those_of_one_check_stay_together():
    found = [
        finding("b", Severity.INFO, 1),
        finding("z", Severity.WARNING, 1),
        finding("a", Severity.WARNING, 1),
        finding("z", Severity.WARNING, 2),
        finding("c", Severity.ERROR),
    ]

    assert [(each.check, each.hop) for each in arrange_findings(found)] == [
        ("c", None),
        ("z", 1),
        ("z", 2),
        ("a", 1),
        ("b", 1),
    ]


def test_nothing_found_is_nothing_to_arrange():
    assert arrange_findings(iter(())) == ()
