"""Measured retries, judged by the rules by which a server's settings are."""

import pytest

from smtp_probe.policy.drills.retry import RetryTerms, judge_retries
from smtp_probe.policy.retry_schedule import RetryLimits

TERMS = RetryTerms(deferrals=2, deadline_seconds=10800)


def found(*intervals, attempts=None, has_arrived=True, terms=TERMS):
    attempts = len(intervals) + 1 if attempts is None else attempts
    return [
        (finding.check, finding.severity.value)
        for finding in judge_retries(intervals, attempts=attempts, has_arrived=has_arrived, terms=terms)
    ]


@pytest.mark.parametrize(
    "intervals",
    [(300.0, 300.0, 600.0), (305.2, 301.0, 340.0), (900.0,) * 3, (1800.0, 1795.0, 1790.0), (301.0,)],
)
def test_growing_or_long_waits_are_well(intervals):
    assert found(*intervals) == []


def test_a_second_attempt_before_the_limit_is_too_soon():
    assert found(299.0, 600.0) == [("drill_retry_too_soon", "warning")]
    lab = RetryTerms(deferrals=2, deadline_seconds=60, limits=RetryLimits(minimum_first_seconds=1))
    assert found(2.0, 4.0, terms=lab) == []


@pytest.mark.parametrize("intervals", [(300.0, 300.0, 300.0), (400.0, 420.0, 430.0), (600.0, 300.0, 200.0)])
def test_short_waits_have_to_grow(intervals):
    assert found(*intervals) == [("drill_retry_no_growth", "warning")]


def test_few_waits_show_no_growth_and_no_lack_of_it():
    """The default Postfix: 300 s, 300 s, 600 s, 1200 s."""
    assert found(301.0) == []
    assert found(301.0, 300.0) == []
    assert found(301.0, 300.0, 599.0, 1201.0) == []


def test_a_message_that_never_comes_and_one_that_comes_too_seldom():
    assert found(attempts=0, has_arrived=False) == [("drill_retry_unreached", "error")]
    assert found(attempts=1, has_arrived=False) == [("drill_retry_missing", "error")]
    assert found(400.0, has_arrived=False) == [("drill_retry_missing", "warning")]


def test_a_finding_says_what_to_change():
    (finding,) = judge_retries((60.0,), attempts=2, has_arrived=True, terms=TERMS)
    assert "minimal_backoff_time" in finding.advice
    assert "1 minute" in finding.message
    assert finding.source.startswith("RFC 5321")
