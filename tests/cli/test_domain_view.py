"""A report as lines."""

from __future__ import annotations

import dataclasses

import pytest

from smtp_probe.cli.domain_view import TITLES, draw_report
from smtp_probe.cli.terminal import ASCII
from smtp_probe.model import CheckResult, Severity
from tests.cli.domain_reports import make_finding, make_report


def test_findings_stand_below_their_check_with_what_to_change() -> None:
    lines = [str(line) for line in draw_report(make_report(make_finding()), 80, ASCII)]
    at = lines.index("x SPF  pass, 3 of 10 look-ups")
    assert lines[at + 1 : at + 3] == [
        "    error: It is wrong.",
        "      Put it right. (spf_syntax, RFC 7208 section 4.6)",
    ]
    assert "+ MX records  mx1.e.test" in lines
    assert lines[-1] == "1 error"


def test_a_check_with_nothing_to_do_is_not_shown() -> None:
    text = "\n".join(str(line) for line in draw_report(make_report(), 80, ASCII))
    assert TITLES["identity"] not in text
    assert text.endswith("nothing found")


def test_what_is_not_published_is_not_well() -> None:
    lines = [str(line) for line in draw_report(make_report(), 80, ASCII)]
    assert "- TLS reports  none" in lines


def test_of_many_hosts_some_are_named() -> None:
    hosts = [f"mx{number}.e.test" for number in range(60)]
    report = dataclasses.replace(make_report(), results={"mx": CheckResult(facts={"hosts": hosts})})
    shown = str(draw_report(report, 80, ASCII)[1])
    assert shown.endswith("mx3.e.test and 56 more")


def test_what_was_not_seen_is_said() -> None:
    lines = [str(line) for line in draw_report(make_report(unobserved=("it was dark",)), 80, ASCII)]
    assert "    not observed: it was dark" in lines
    assert lines[-1] == "nothing found; not all of it could be observed"


@pytest.mark.parametrize("width", [20, 40, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    report = make_report(
        *(make_finding(severity) for severity in Severity if severity is not Severity.CRITICAL)
    )
    lines = draw_report(report, width, ASCII)
    assert max(len(line) for line in lines) <= max(width, 30)
    assert str(lines[-1]) == "1 error, 1 warning, 1 note"
