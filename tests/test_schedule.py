"""When routes are due: spread, dithered, never bunched, politely backing off. All with given instants."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.schedule import (
    Backoff,
    Rhythm,
    back_off,
    keep_slot,
    next_slot,
    open_budget,
    retry_wait_seconds,
    rhythm_of,
    slot_ns,
    spend,
)

NS = 1_000_000_000
DAY = 86_400
START = 1_790_000_000 * NS


@given(
    interval=st.floats(min_value=0.1, max_value=DAY),
    index=st.integers(min_value=0, max_value=10_000),
    after=st.integers(min_value=0, max_value=4_000_000_000 * NS),
)
def test_the_next_slot_is_the_first_one_after_the_given_instant(interval, index, after):
    rhythm = rhythm_of(index, interval)

    number = next_slot(rhythm, after)

    assert slot_ns(rhythm, number - 1) <= after < slot_ns(rhythm, number)


@given(interval=st.floats(min_value=0.1, max_value=DAY), number=st.integers(min_value=0, max_value=10**9))
def test_slots_keep_their_order_whatever_the_dither(interval, number):
    rhythm = rhythm_of(3, interval)

    assert slot_ns(rhythm, number) < slot_ns(rhythm, number + 1)


def test_a_day_of_one_route_has_as_many_slots_as_intervals():
    rhythm = rhythm_of(0, 60.0)

    first, last = next_slot(rhythm, START), next_slot(rhythm, START + DAY * NS)

    assert last - first == 1440


def test_phases_of_many_routes_are_spread_over_the_interval():
    phases = sorted(rhythm_of(index, 300.0).phase_seconds for index in range(100))
    gaps = [after - before for before, after in pairwise(phases)]

    assert max(gaps) < 3 * 300.0 / 100


def test_a_route_added_at_the_end_moves_no_other():
    before = [rhythm_of(index, 60.0) for index in range(10)]
    after = [rhythm_of(index, 60.0) for index in range(11)]

    assert after[:10] == before


def test_sends_meet_every_part_of_the_second():
    rhythm = rhythm_of(0, 60.0)
    fractions = sorted((slot_ns(rhythm, number) % NS) / NS for number in range(1000, 1100))
    gaps = [after - before for before, after in pairwise(fractions)]

    assert max(gaps) < 0.03


def test_a_slot_is_kept_when_it_comes_due():
    rhythm = Rhythm(60.0)
    number = next_slot(rhythm, START)

    due = keep_slot(rhythm, number, slot_ns(rhythm, number) + 5_000_000)

    assert (number, 0, number + 1) == (due.slot, due.missed, due.following)


def test_a_slot_that_lies_ahead_is_waited_for():
    rhythm = Rhythm(60.0)
    number = next_slot(rhythm, START)

    due = keep_slot(rhythm, number, START)

    assert (None, 0, number) == (due.slot, due.missed, due.following)


@given(late_by=st.floats(min_value=0.0, max_value=100_000.0))
def test_missed_slots_are_counted_and_at_most_one_is_made_up_for(late_by):
    rhythm = Rhythm(60.0)
    number = next_slot(rhythm, START)

    due = keep_slot(rhythm, number, slot_ns(rhythm, number) + round(late_by * NS))

    assert due.missed + (due.slot is not None) == due.following - number
    assert due.slot in (None, due.following - 1)


@pytest.mark.slow
def test_a_simulated_day_of_a_thousand_routes_never_bunches():
    """Walk a day of 1,000 routes each five minutes by a fake clock: every slot once, spread over the seconds."""
    rhythms = [rhythm_of(index, 300.0) for index in range(1000)]
    seconds = [0] * DAY
    for rhythm in rhythms:
        number = next_slot(rhythm, START)
        while (instant := slot_ns(rhythm, number)) < START + DAY * NS:
            due = keep_slot(rhythm, number, instant)
            assert due.slot == number
            seconds[(instant - START) // NS] += 1
            number = due.following

    assert sum(seconds) == 1000 * DAY // 300
    assert max(seconds) <= 10


def test_back_off_doubles_up_to_its_bound_and_ends():
    backoff, now, waits = Backoff(), START, []
    for _ in range(8):
        backoff = back_off(backoff, now, minimum_seconds=30, maximum_seconds=600, jitter=0.0)
        waits.append((backoff.until_ns - now) / NS)
        now = backoff.until_ns

    assert waits == [30, 60, 120, 240, 480, 600, 600, 600]
    assert backoff.is_open(now)


def test_failures_while_backing_off_do_not_double_the_wait():
    backoff = back_off(Backoff(), START, minimum_seconds=30, maximum_seconds=600, jitter=0.0)

    again = back_off(backoff, START + NS, minimum_seconds=30, maximum_seconds=600, jitter=0.0)

    assert again == backoff


@given(jitter=st.floats(min_value=0.0, max_value=1.0, exclude_max=True))
def test_jitter_takes_away_at_most_half_of_the_wait(jitter):
    backoff = back_off(Backoff(), START, minimum_seconds=30, maximum_seconds=600, jitter=jitter)

    assert 15 <= (backoff.until_ns - START) / NS <= 30


def test_a_budget_allows_its_rate_and_no_more():
    budget, sent = open_budget(60, START), 0
    for tenth in range(36_000):  # an hour, asked ten times a second
        after = spend(budget, START + tenth * NS // 10)
        if after is not None:
            budget, sent = after, sent + 1

    assert 3600 <= sent <= 3600 + 15


def test_a_message_that_was_put_off_waits_twice_as_long_each_time_up_to_a_bound():
    def wait(attempts, jitter=0.0):
        return retry_wait_seconds(attempts, minimum_seconds=30, maximum_seconds=600, jitter=jitter)

    assert [wait(attempts) for attempts in (1, 2, 3, 5, 6, 9999)] == [30, 60, 120, 480, 600, 600]
    assert 30 < wait(1, 0.999) < 33
