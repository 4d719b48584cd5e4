"""The hops of a message: on our clock with their bounds, or raw."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.cli.hops import describe_hops
from smtp_probe.model import OutcomeKind, Timing
from tests.cli.views import HOSTILE, is_plain, outcome, trace
from tests.report.samples import make_hop, make_span


def test_hops_are_shown_on_our_clock_with_their_bounds_and_add_up():
    timing = Timing(
        delivery=make_span(2.64),
        hops=(
            make_hop(1, 1, "submission.example.test", 0.0),
            make_hop(2, 3, "relay.example.test..filter.example.test", 2.5),
            make_hop(4, 4, "store.example.test", 0.13),
            make_hop(5, 5, "store", 0.01, event="stored"),
        ),
    )
    section = describe_hops(outcome(way=trace(stamps=(0, 7, -41, 1)), timing=timing))

    assert [(row.label, row.amount) for row in section.rows] == [
        ("submission.example.test", "<0.1 ms ±250 ms"),
        ("relay.example.test..filter.example.test", "2.50 s ±250 ms"),
        ("store.example.test", "130 ms ±250 ms"),
        ("store", "10 ms ±250 ms"),
    ]
    assert section.amount == "2.64 s"
    assert not section.is_doubtful
    assert [row.style for row in section.rows].index("blue") == 1
    ends = [row.bars[0].end for row in section.rows]
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(1.0)
    assert section.rows[1].detail == "from relay.example.test with ESMTPS id id-41"


def test_hops_show_raw_delays_and_what_they_are_worth():
    section = describe_hops(outcome())

    assert [(row.label, row.amount) for row in section.rows] == [
        ("submission.example.test", "first"),
        ("relay.example.test", "+0 s"),
        ("filter.example.test", "+1 s"),
        ("store.example.test", "+2 s"),
    ]
    assert section.note == "raw, on each host's own clock; whole seconds are ±1 s"
    assert not section.is_doubtful
    assert section.rows[3].detail == "from filter.example.test with ESMTPS id id3"


def test_clocks_that_run_backwards_are_shown_as_they_are_and_said_to_be_wrong():
    section = describe_hops(outcome(way=trace(stamps=(0, 7, -41, 1))))
    bars = [row.bars[0] for row in section.rows]

    assert [row.amount for row in section.rows] == ["first", "+7 s", "-48 s", "+42 s"]
    assert bars[2].end < bars[2].begin
    assert all(0 <= point <= 1 for bar in bars for point in (bar.begin, bar.end))
    assert section.is_doubtful
    assert "disagree" in section.note
    assert section.rows[2].style == "yellow"


def test_a_delay_that_is_longer_than_the_whole_way_is_not_believed():
    assert describe_hops(outcome(way=trace(stamps=(0, 9, 9, 9)))).is_doubtful
    assert not describe_hops(outcome(way=trace(stamps=(0, 3, 3, 3)))).is_doubtful


def test_a_hop_without_a_stamp_has_neither_delay_nor_bar():
    rows = describe_hops(outcome(way=trace(stamps=(0, None, 2, 2)))).rows

    assert [row.amount for row in rows] == ["first", "-", "+2 s", "+0 s"]
    assert rows[1].bars == ()
    assert rows[2].bars[0].begin == 0


def test_names_that_hosts_give_are_sanitised():
    rows = describe_hops(outcome(way=trace(hosts=(HOSTILE, "b", "c", "d")))).rows

    assert all(is_plain(row.label) and is_plain(row.detail) for row in rows)


def test_nothing_is_shown_of_a_message_that_has_not_come():
    assert describe_hops(outcome(OutcomeKind.LOST)) is None


def test_stamps_that_are_finer_than_a_second_are_shown_so():
    section = describe_hops(outcome(way=trace(stamps=(0, 0.033, 0.5, 0.52), resolution=1e-6)))

    assert [row.amount for row in section.rows] == ["first", "+0.033 s", "+0.467 s", "+0.020 s"]
    assert section.note == "raw, on each host's own clock"
    assert not section.is_doubtful


@pytest.mark.parametrize(("early", "is_doubtful"), [(0.05, False), (0.2, True)])
def test_a_little_backwards_is_what_good_clocks_do(early, is_doubtful):
    section = describe_hops(outcome(way=trace(stamps=(1.0, 1.0 - early, 1.1, 1.2), resolution=1e-6)))

    assert section.is_doubtful is is_doubtful


@given(st.lists(st.one_of(st.none(), st.integers(-(10**12), 10**12)), min_size=1, max_size=4))
def test_any_stamps_give_bars_within_the_scale(stamps):
    section = describe_hops(outcome(way=trace(stamps=tuple(stamps))))

    assert all(
        0 <= point <= 1 + 1e-9 for row in section.rows for bar in row.bars for point in (bar.begin, bar.end)
    )
