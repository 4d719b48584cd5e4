"""The words of a schedule: the right number of times an hour, spread, and the same whenever they are written."""

from itertools import pairwise

import pytest

from smtp_probe.app.engine.schedules import schedule_route, slot_seconds

NS = 1_000_000_000


def seconds_of(text):
    """The seconds of a day at which a crontab of lists and stars fires."""
    fields = [
        range(size) if field == "*" else [int(value) for value in field.split(",")]
        for field, size in zip(text.split()[:3], (60, 60, 24), strict=True)
    ]
    second, minute, hour = fields
    return sorted(h * 3600 + m * 60 + s for h in hour for m in minute for s in second)


@pytest.mark.parametrize("interval", [1, 5, 10, 30, 60, 120, 300, 900, 3600, 7200, 21_600, 86_400])
@pytest.mark.parametrize("index", [0, 1, 7, 500])
def test_a_schedule_that_names_its_seconds_fires_evenly(interval, index):
    schedule = schedule_route(index, interval)
    times = seconds_of(schedule.text)

    assert schedule.is_anchored
    assert len(times) == 86_400 // interval
    assert {later - earlier for earlier, later in pairwise(times)} <= {interval}


@pytest.mark.parametrize(
    ("interval", "text"), [(90, "@every 90s"), (7.5, "@every 8s"), (5400, "@every 5400s")]
)
def test_any_other_interval_counts_from_its_writing(interval, text):
    schedule = schedule_route(3, interval)

    assert (schedule.text, schedule.is_anchored) == (text, False)


def test_many_routes_are_spread_over_their_interval():
    firsts = [seconds_of(schedule_route(index, 60).text)[0] for index in range(600)]

    assert all(5 <= firsts.count(second) <= 15 for second in range(60))


def test_a_run_is_known_by_the_second_for_which_it_was_meant():
    assert slot_seconds(120 * NS, 61 * NS, 60) == 60
    assert slot_seconds(None, 61 * NS + 5, 60) == 61


@pytest.mark.parametrize(("interval", "seconds"), [(5, 5), (15, 15), (60, 15), (86_400, 15)])
def test_a_run_is_of_use_for_no_longer_than_its_interval_and_never_for_long(interval, seconds):
    assert schedule_route(0, interval).useful_seconds == seconds
