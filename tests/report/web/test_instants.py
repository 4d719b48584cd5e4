"""Times in words."""

import pytest

from smtp_probe.report.web.instants import (
    instant,
    instant_or_none,
    show_clock,
    show_instant,
    show_precisely,
    show_seconds,
)
from tests.report.samples import START_NS


def test_an_instant_is_utc_to_the_microsecond():
    assert instant(START_NS + 123_456_789) == "2026-09-21T14:13:20.123456Z"
    assert instant_or_none(None) is None


@pytest.mark.parametrize("at_ns", [-(2**63), -1, 2**80])
def test_what_no_calendar_holds_is_drawn_to_its_edge(at_ns):
    assert instant(at_ns)[:4] in ("1970", "9999")


def test_pages_show_as_much_as_is_needed():
    text = instant(START_NS + 123_456_789)

    assert show_instant(text) == "2026-09-21 14:13:20"
    assert show_precisely(text) == "2026-09-21 14:13:20.123"
    assert show_clock(text) == "14:13:20"
    assert {show_instant(None), show_precisely(None), show_clock(None), show_seconds(None)} == {"\N{EN DASH}"}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 ms"),
        (0.000001, "0.001 ms"),
        (1e-9, "under 0.001 ms"),
        (0.25, "250 ms"),
        (1.5, "1.50 s"),
        (-3.0, "-3.00 s"),
    ],
)
def test_durations_are_said_as_people_do(seconds, said):
    assert show_seconds(seconds) == said
