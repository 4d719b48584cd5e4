"""Parts that check, as pages show them."""

import pytest

from smtp_probe.model import Finding, Severity
from smtp_probe.report.history import State
from smtp_probe.report.web.checked import PARTS, CheckedSubject, Checks, view_part, view_subject
from tests.report.samples import START_NS


def finding(severity, message="wrong"):
    return Finding(check="spf", severity=severity, message=message, advice="mend it")


@pytest.mark.parametrize("part", PARTS)
def test_what_is_not_configured_is_neither_good_nor_bad(part):
    view = view_part(Checks(), part)

    assert (view.is_configured, view.subjects) == (False, ())


@pytest.mark.parametrize(
    ("subject", "state"),
    [
        (CheckedSubject(name="a"), State.WAITING),
        (CheckedSubject(name="a", checked_ns=START_NS), State.GOOD),
        (CheckedSubject(name="a", checked_ns=START_NS, findings=(finding(Severity.WARNING),)), State.GOOD),
        (CheckedSubject(name="a", checked_ns=START_NS, unobserved=("no answer",)), State.UNOBSERVED),
        (CheckedSubject(name="a", checked_ns=START_NS, is_unhealthy=True), State.FAILED),
        (CheckedSubject(name="a", checked_ns=START_NS, findings=(finding(Severity.ERROR),), unobserved=("x",)), State.FAILED),
    ],
)  # fmt: skip
def test_a_subject_stands_by_its_worst(subject, state):
    assert view_subject(subject).state is state


def test_those_that_need_a_look_come_first():
    good = CheckedSubject(name="a", checked_ns=START_NS)
    bad = CheckedSubject(name="z", checked_ns=START_NS, findings=(finding(Severity.ERROR),))
    view = view_part(Checks(domains=(good, bad)), "domains")

    assert [subject.name for subject in view.subjects] == ["z", "a"]


def test_texts_are_sanitised_and_lists_bounded():
    subject = CheckedSubject(
        name="a\u202eb",
        checked_ns=START_NS,
        findings=(finding(Severity.ERROR, "x\x1b[31m" + "y" * 5000),) * 1000,
        facts={str(number): "v" * 9999 for number in range(1000)},
    )
    view = view_subject(subject)

    assert view.name == "ab"
    assert len(view.findings) == 100
    assert len(view.findings[0].message) == 1000
    assert "\x1b" not in view.findings[0].message
    assert len(view.facts) == 60
    assert max(map(len, view.facts.values())) == 500
