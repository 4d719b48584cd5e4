"""The schedules of real servers, read, and what is wrong with them."""

import re
from pathlib import Path

import pytest

from smtp_probe.policy.retry_schedule import (
    EXIM_SETTINGS,
    RetryLimits,
    ScheduleError,
    duration_words,
    judge_schedule,
    read_exim,
    read_postfix,
)

POSTFIX = """\
minimal_backoff_time = 300s
maximal_backoff_time = 4000s
queue_run_delay = 300s
maximal_queue_lifetime = 5d
bounce_queue_lifetime = 5d
"""
EXIM = "Retry rule: *  F,2h,15m; G,16h,1h,1.5; F,4d,6h;\n"


def checks(schedule):
    return [finding.check for finding in judge_schedule(schedule, RetryLimits())]


def test_the_defaults_of_postfix_are_read_and_fine():
    schedule = read_postfix(POSTFIX)

    assert (schedule.first_seconds, schedule.longest_seconds, schedule.lifetime_seconds) == (
        300,
        4000,
        5 * 86400,
    )
    assert checks(schedule) == []


@pytest.mark.parametrize(
    ("old", "new", "check", "setting"),
    [
        (
            "minimal_backoff_time = 300s",
            "minimal_backoff_time = 30",
            "retry_too_soon",
            "minimal_backoff_time",
        ),
        (
            "maximal_backoff_time = 4000s",
            "maximal_backoff_time = 5m",
            "retry_no_growth",
            "maximal_backoff_time",
        ),
        (
            "maximal_queue_lifetime = 5d",
            "maximal_queue_lifetime = 1",
            "retry_lifetime_short",
            "maximal_queue_lifetime",
        ),
        (
            "maximal_queue_lifetime = 5d",
            "maximal_queue_lifetime = 0",
            "retry_lifetime_short",
            "maximal_queue_lifetime",
        ),
        (
            "maximal_queue_lifetime = 5d",
            "maximal_queue_lifetime = 3w",
            "retry_lifetime_long",
            "maximal_queue_lifetime",
        ),
        (
            "bounce_queue_lifetime = 5d",
            "bounce_queue_lifetime = 30",
            "retry_bounce_lifetime_long",
            "bounce_queue_lifetime",
        ),
    ],
)
def test_each_fault_of_postfix_is_one_finding_that_names_the_setting(old, new, check, setting):
    (finding,) = judge_schedule(read_postfix(POSTFIX.replace(old, new)), RetryLimits())

    assert (finding.check, finding.subject) == (check, setting)
    assert setting in finding.advice


@pytest.mark.parametrize(
    "output", ["", "postconf: fatal: no such file", POSTFIX.replace("300s", "often"), POSTFIX[:60]]
)
def test_what_postconf_does_not_say_is_unknown(output):
    with pytest.raises(ScheduleError):
        read_postfix(output)


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("F,2h,15m; G,16h,1h,1.5; F,4d,6h;", []),
        ("F,4d,1m", ["retry_too_soon", "retry_no_growth"]),
        ("F,4d,30m", ["retry_no_growth"]),
        ("G,4d,10m,2", []),
        ("G,4d,10m,1.0", ["retry_no_growth"]),
        ("F,1h,10m; F,1d,1h", ["retry_lifetime_short"]),
        ("F,1h,10m; F,2w1d,1h", ["retry_lifetime_long"]),
        ("H,4d,15m,1.5", []),
    ],
)
def test_rules_of_exim(rule, found):
    assert checks(read_exim(f"Retry rule: *  {rule}\n")) == found


def test_a_mixed_rule_of_exim_is_read():
    schedule = read_exim(EXIM)

    assert (schedule.first_seconds, schedule.lifetime_seconds) == (900, 4 * 86400)
    assert schedule.longest_seconds == 6 * 3600


@pytest.mark.parametrize("output", ["No retry information found\n", "Retry rule: *\n", "Retry rule: *  \n"])
def test_exim_without_a_rule_does_not_retry(output):
    (finding,) = judge_schedule(read_exim(output), RetryLimits())

    assert (finding.check, finding.severity.value) == ("retry_none", "error")


def test_what_exim_does_not_say_is_unknown():
    with pytest.raises(ScheduleError):
        read_exim("exim: permission denied\n")


def test_each_check_is_in_the_documentation():
    root = Path(__file__).parents[2]
    made = re.findall(
        r'"(retry_[a-z_]+)"', (root / "smtp_probe" / "policy" / "retry_schedule.py").read_text()
    )
    told = re.findall(r"^\| `(retry_[a-z_]+)` \|", (root / "docs" / "checks.md").read_text(), re.MULTILINE)

    assert sorted(set(made) - set(EXIM_SETTINGS)) == sorted(told)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3.0001220703, "3 seconds"),
        (1.0, "1 second"),
        (0.0412345, "0.0412 seconds"),
        (59.96, "1 minute"),
        (74.2, "1 minute 14 seconds"),
        (300.0, "5 minutes"),
        (5400.0, "1 hour 30 minutes"),
        (7200.9, "2 hours"),
        (432_000.0, "5 days"),
        (100_000.0, "1 day 3 hours"),
    ],
)
def test_a_duration_is_said_no_more_exactly_than_it_is_known(seconds, words):
    assert duration_words(seconds) == words
