"""A time from an id is believed only where the date of the same header allows it."""

from __future__ import annotations

import pytest

from smtp_probe.mail.queue_ids.id_stamps import (
    SECOND_NS,
    IdStamp,
    agrees_with_date,
    read_number,
    value_digits,
)
from smtp_probe.model import Hop

DATE_NS = 1_795_000_000 * SECOND_NS
MS = 1_000_000


def stamp(offset_ms: int, lead: float = 2.0, lag: float = 0.0) -> IdStamp:
    return IdStamp(
        at_ns=DATE_NS + offset_ms * MS,
        resolution_seconds=1e-6,
        source="x",
        event=None,
        lead_seconds=lead,
        lag_seconds=lag,
    )


@pytest.mark.parametrize(
    ("offset_ms", "lead", "lag", "agrees"),
    [
        (0, 0.0, 0.0, True),
        (999, 0.0, 0.0, True),
        (1000, 0.0, 0.0, False),
        (-1, 0.0, 0.0, False),
        (-2000, 2.0, 0.0, True),
        (-2001, 2.0, 0.0, False),
        (1000, 0.0, 0.5, True),
        (1499, 0.0, 0.5, True),
        (1500, 0.0, 0.5, False),
    ],
)
def test_the_window_is_the_dates_second_with_what_the_software_may_take(offset_ms, lead, lag, agrees):
    hop = Hop(at_ns=DATE_NS, resolution_seconds=1.0)

    assert agrees_with_date(stamp(offset_ms, lead, lag), hop) is agrees


def test_a_date_without_seconds_stands_for_its_minute():
    hop = Hop(at_ns=DATE_NS, resolution_seconds=60.0)

    assert agrees_with_date(stamp(59_999), hop)
    assert not agrees_with_date(stamp(60_000), hop)


def test_without_a_date_nothing_is_believed():
    assert not agrees_with_date(stamp(0), Hop())


def test_numbers_are_read_most_significant_digit_first():
    assert read_number("102", value_digits("012")) == 11
