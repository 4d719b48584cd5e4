"""Dates are read as mail software writes them; what is odd is told, what is no date stays unknown."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.syntax.dates import find_date, parse_date

EIGHT = "2026-09-01T08:00:07"


def as_ns(instant: str) -> int:
    whole, _, fraction = instant.partition(".")
    moment = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) * 10**9 + int(
        fraction.ljust(9, "0")
    )


@pytest.mark.parametrize(
    ("text", "instant", "flags"),
    [
        ("Tue, 1 Sep 2026 10:00:07 +0200", EIGHT, ()),
        (" Tue,  1 Sep 2026 10:00:07 +0200 (CEST)", EIGHT, ()),
        ("Tue, 01 Sep 2026 08:00:07 +0000 (UTC)", EIGHT, ()),
        ("1 Sep 2026 04:00:07 -0400", EIGHT, ()),
        ("TUE, 1 SEP 2026 08:00:07 GMT", EIGHT, ()),
        ("Tuesday, 1 September 2026 08:00:07 UT", EIGHT, ()),
        ("1-Sep-2026 08:00:07 +0000", EIGHT, ()),
        ("Tue, 1 Sep 2026 8:0:7 Z", EIGHT, ()),
        ("Tue, 1 Sep 2026 01:00:07 PDT", EIGHT, ()),
        ("Tue, 1 Sep 2026 04:00:07 EDT", EIGHT, ()),
        ("Tue, 1 Sep 2026 10:00:07 CEST", EIGHT, ()),
        ("Tue, 1 Sep 2026 10:00:07 +02:00", EIGHT, ()),
        ("Tue, 1 Sep 2026 10:00:07 +02", EIGHT, ()),
        ("Tue, 1 Sep 2026 10:00:07 GMT+0200", EIGHT, ()),
        ("Tue, 1 Sep 2026 08:00:07 AM +0000", EIGHT, ()),
        ("Tue, 1 Sep 2026 08:00:07 PM +1200", EIGHT, ()),
        ("Tue, 1 Sep 2026 12:00:07 am -0800", EIGHT, ()),
        ("Tue (day), 1 (of) Sep(t) 2026 08(h):00 (m) : 07 (s (deep; )) +0000", EIGHT, ()),
        ("Tue Sep  1 08:00:07 2026 +0000", EIGHT, ()),
        ("Tue Sep  1 10:00:07 CEST 2026", EIGHT, ()),
        ("Tue Sep 01 01:00:07 2026 -0700", EIGHT, ()),
        ("Tuesday, September 1, 2026 10:00:07 +0200", EIGHT, ()),
        ("Sep 1, 2026 08:00:07 AM UTC", EIGHT, ()),
        ("Tuesday, September 01, 2026 at 8:00:07 PM +1200", EIGHT, ()),
        ("Monday, September 1, 2026 08:00:07 GMT", EIGHT, ("wrong_weekday",)),
        ("Tuesday, September 1, 2026, 08:00:07", EIGHT, ("no_zone",)),
        ("2026-09-01 08:00:07 +0000 UTC m=+2536806.63", EIGHT, ()),
        ("2026-09-01 11:00:07 +0300 +03 m=-1.5", EIGHT, ()),
        ("2026-09-01T10:00:07+02:00", EIGHT, ()),
        ("2026-09-01T08:00:07Z", EIGHT, ()),
        ("1 Sep 2026 08:00:07 -0000", EIGHT, ("minus_zero_zone",)),
        ("1 Sep 2026 08:00:07", EIGHT, ("no_zone",)),
        ("Tue Sep  1 08:00:07 2026", EIGHT, ("no_zone",)),
        ("1 Sep 2026 08:00:07 (CEST)", EIGHT, ("no_zone",)),
        ("1 Sep 2026 08:00:07 for <a@example.org>", EIGHT, ("no_zone",)),
        ("1 Sep 2026 08:00:07 +123456", EIGHT, ("no_zone",)),
        ("1 Sep 2026 08:00:07 XYZ", EIGHT, ("unknown_zone",)),
        ("1 Sep 2026 08:00:07 A", EIGHT, ("unknown_zone",)),
        ("1 Sep 2026 22:00:07 +9999", EIGHT, ("zone_clamped",)),
        ("31 Aug 2026 18:00:07 -2400", EIGHT, ("zone_clamped",)),
        ("31 Aug 2026 18:00:07 -1400", EIGHT, ()),
        ("1 Sep 26 08:00:07 +0000", EIGHT, ("two_digit_year",)),
        ("1 Sep 126 08:00:07 +0000", EIGHT, ("three_digit_year",)),
        ("1 Sep 49 08:00:07 +0000", "2049-09-01T08:00:07", ("two_digit_year",)),
        ("1 Sep 50 08:00:07 +0000", "1950-09-01T08:00:07", ("two_digit_year",)),
        ("1 Sep 99 08:00:07 +0000", "1999-09-01T08:00:07", ("two_digit_year",)),
        ("31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59", ("leap_second",)),
        ("Mon, 1 Sep 2026 08:00:07 +0000", EIGHT, ("wrong_weekday",)),
        ("29 Feb 2024 00:00:00 +0000", "2024-02-29T00:00:00", ()),
        ("1 Jan 1970 00:00:00 +0100", "1969-12-31T23:00:00", ()),
    ],
)
def test_every_form_gives_its_instant_and_says_what_was_odd(text, instant, flags):
    reading = parse_date(text)

    assert (reading.at_ns, reading.resolution_seconds, reading.flags) == (as_ns(instant), 1.0, flags)


@pytest.mark.parametrize(
    ("text", "instant", "resolution"),
    [
        ("Tue, 1 Sep 2026 08:00:07.1 +0000", "2026-09-01T08:00:07.1", 0.1),
        ("Tue, 1 Sep 2026 08:00:07.179 +0000 (UTC)", "2026-09-01T08:00:07.179", 0.001),
        ("1 Sep 2026 08:00:07.6959 (UTC)", "2026-09-01T08:00:07.6959", 0.0001),
        ("2026-09-01 08:00:07.810326635 +0000 UTC m=+2536806.63", "2026-09-01T08:00:07.810326635", 1e-9),
        ("2026-09-01 08:00:07.000001 +0000 UTC", "2026-09-01T08:00:07.000001", 1e-6),
        ("2026-09-01 08:00:07.1234567899999 +0000", "2026-09-01T08:00:07.123456789", 1e-9),
        ("1 Sep 2026 08:00 +0000", "2026-09-01T08:00:00", 60.0),
    ],
)
def test_the_resolution_is_as_fine_as_what_is_written(text, instant, resolution):
    reading = parse_date(text)

    assert (reading.at_ns, reading.resolution_seconds) == (as_ns(instant), resolution)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "31 Feb 2026 08:00:07 +0000",
        "29 Feb 2023 08:00:07 +0000",
        "0 Sep 2026 08:00:07 +0000",
        "1 Foo 2026 08:00:07 +0000",
        "1 Sep 0 08:00:07 +0000",
        "1 Sep 0000 08:00:07 +0000",
        "1 Sep 20260 08:00:07 +0000",
        "1 Sep 2026 24:00:00 +0000",
        "1 Sep 2026 08:60:07 +0000",
        "1 Sep 2026 08:00:61 +0000",
        "1 Sep 2026 13:00:07 PM +0000",
        "2026-13-01 08:00:07 +0000",
        "1 Sep 2026",
        "id x; 1 Sep 2026 08:00:07 +0000",
        "\u0661 Sep 2026 08:00:07 +0000",
    ],
)
def test_what_is_no_date_gives_no_instant(text):
    assert parse_date(text) == (None, None, ("bad_date",), 0)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Tue, 1 Sep 2026 08:00:07 +0000 (UTC)", " (UTC)"),
        ("Tue, 1 Sep 2026 08:00:07 +0000 id 0000.1", " id 0000.1"),
        ("Tue, 1 Sep 2026 08:00:07 id 0000.1", " id 0000.1"),
        ("2026-09-01 08:00:07 +0000 UTC m=+2536806.63 x", " x"),
        ("2026-09-01 08:00:07 +0000 for <a@example.org>", " for <a@example.org>"),
        ("Tue (x) 1 Sep 2026 08:00:07 +0000 (envelope-from <a@b>)", " (envelope-from <a@b>)"),
    ],
)
def test_what_follows_a_date_is_left(text, rest):
    assert text[parse_date(text).end :] == rest


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("by h with SMTP id x-1 2026-09-01 08:00:07.1 +0000 UTC", 22),
        ("by h with HTTP id x Tue, 01 Sep 2026 08:00:07.179 +0000 (UTC)", 20),
        ("id 1 Sep 2025 08:00:07 +0000 then Tue Sep 1 08:00:07 2026", 34),
        ("by h id x Tuesday, September 1, 2026 10:00:07 AM", 10),
        ("id x2026-09-01 08:00:07", None),
        ("by h with SMTP id x", None),
    ],
)
def test_the_last_date_in_a_text_is_found(text, place):
    assert find_date(text) == place


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60).filter(lambda minutes: minutes != 0),
)
def test_agrees_with_the_standard_library_on_what_that_writes(moment, offset_minutes):
    zoned = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=offset_minutes)))

    reading = parse_date(email.utils.format_datetime(zoned))

    assert (reading.at_ns, reading.flags) == (int(zoned.timestamp()) * 10**9, ())


@given(st.text(max_size=100) | st.text(alphabet="0123456789:+-., SepTueMJan()TZm=", max_size=100))
def test_never_raises_and_ends_within_the_text(text):
    reading = parse_date(text)

    assert 0 <= reading.end <= len(text)
    assert (reading.at_ns is None) == (reading.flags == ("bad_date",)) == (reading.resolution_seconds is None)
