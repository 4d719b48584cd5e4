"""Clocks that contradict each other are found, and the likely culprit with them."""

from __future__ import annotations

import pytest

from smtp_probe.mail.path.clock_disagreement import measure_doubts
from tests.mail.lines import chain, told


def found(*hops):
    _, disagreements = told(chain(*hops))
    return [
        (
            each.earlier.position,
            each.later.position,
            each.seconds,
            each.suspect.position if each.suspect else None,
        )
        for each in disagreements
    ]


def test_clocks_that_agree_are_no_finding():
    assert found(("a.test", "08:00:00"), ("b.test", "08:00:00"), ("c.test", "08:00:05")) == []


def test_two_hosts_alone_do_not_tell_who_is_wrong():
    assert found(("a.test", "08:02:00"), ("b.test", "08:00:00")) == [(1, 2, 120.0, None)]


def test_a_clock_that_is_ahead_is_the_one_without_which_all_fits():
    assert found(
        ("a.test", "08:00:00"), ("b.test", "08:02:00"), ("c.test", "08:00:02"), ("d.test", "08:00:03")
    ) == [(2, 3, 118.0, 2)]


def test_a_clock_that_is_behind_is_the_one_without_which_all_fits():
    assert found(
        ("a.test", "08:09:58"), ("b.test", "08:10:00"), ("c.test", "08:00:00"), ("d.test", "08:10:01")
    ) == [(2, 3, 600.0, 3)]


def test_lines_of_one_host_are_one_clock_and_are_judged_together():
    hops = (
        ("a.test", "08:00:00"),
        ("b.test", "08:05:00"),
        ("b.test", "08:05:01"),
        ("c.test", "08:00:03"),
        ("d.test", "08:00:04"),
    )

    assert found(*hops) == [(3, 4, 298.0, 3)]


def test_a_host_whose_own_lines_run_backwards_is_no_pair_of_hosts():
    _, disagreements = told(chain(("a.test", "08:00:05"), ("a.test", "08:00:00")))

    assert disagreements[0].is_of_one_host
    assert disagreements[0].suspect is None


def test_localhost_is_not_one_host():
    _, disagreements = told(chain(("localhost", "08:00:05"), ("localhost", "08:00:00")))

    assert not disagreements[0].is_of_one_host


@pytest.mark.parametrize(
    ("at", "hours"),
    [("06:00:01", 2), ("07:00:00", 1), ("07:58:00", None), ("05:30:00", None), ("07:01:30", 1)],
)
def test_whole_hours_are_told(at, hours):
    _, disagreements = told(chain(("a.test", "08:00:00"), ("b.test", at)))

    assert disagreements[0].hours == hours


def test_the_delays_into_and_out_of_a_doubtful_host_are_in_doubt_and_no_others():
    found, disagreements = told(
        chain(
            ("a.test", "08:00:00"),
            ("b.test", "08:02:00"),
            ("c.test", "08:00:02"),
            ("d.test", "08:00:03"),
            ("e.test", "08:00:04"),
        )
    )

    assert measure_doubts(found, disagreements) == {2: 118.0, 3: 118.0, 4: 118.0}
