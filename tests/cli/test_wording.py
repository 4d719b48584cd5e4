"""Durations, delays and instants in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.cli.wording import (
    LONGEST_WORD,
    OUTCOME_WORDS,
    clean,
    describe_date,
    describe_delay,
    describe_span,
    describe_time,
    iso_time,
    short_names,
    style_of,
)
from smtp_probe.model import OutcomeKind
from tests.cli.views import HOSTILE, is_plain
from tests.report.samples import NS, START_NS, make_outcome


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.0, "<0.1 ms"),
        (0.00004, "<0.1 ms"),
        (0.00051, "0.5 ms"),
        (0.00994, "9.9 ms"),
        (0.00996, "10 ms"),
        (0.269, "269 ms"),
        (2.641, "2.64 s"),
        (-0.2, "-200 ms"),
    ],
)
def test_a_span_shows_what_is_below_a_millisecond(seconds, text):
    assert describe_span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "resolution", "text"),
    [
        (None, 1.0, "-"),
        (0.0, 1.0, "+0 s"),
        (-48.0, 1.0, "-48 s"),
        (42.0, None, "+42 s"),
        (0.2141, 0.000001, "+0.214 s"),
        (0.26, 0.1, "+0.3 s"),
        (3725.0, 1.0, "+62 min 5 s"),
        (-7500.0, 1.0, "-2 h 5 min"),
    ],
)
def test_a_delay_has_its_sign_and_no_digit_that_its_stamps_lack(seconds, resolution, text):
    assert describe_delay(seconds, resolution) == text


def test_instants_are_told_in_utc():
    assert describe_time(START_NS) == "14:13:20Z"
    assert describe_date(START_NS) == "2026-09-21"
    assert iso_time(START_NS + 1_234_567) == "2026-09-21T14:13:20.001234Z"
    assert iso_time(START_NS, 1.0) == "2026-09-21T14:13:20Z"
    assert iso_time(None) is None


@given(st.integers(min_value=-(2**80), max_value=2**80))
def test_an_instant_of_a_foreign_clock_never_raises(instant_ns):
    assert describe_time(instant_ns)
    assert describe_date(instant_ns)
    iso_time(instant_ns)


def test_an_instant_beyond_all_calendars_is_unknown():
    assert describe_time(10**12 * NS) == "-"
    assert iso_time(10**12 * NS) is None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.x.test", "b.x.test"], ["a", "b"]),
        (["mx.a.test", "mx.b.test"], ["mx.a", "mx.b"]),
        (["a.test", "b.example"], ["a.test", "b.example"]),
        (["only.example.test"], ["only"]),
        (["same.test", "same.test"], ["same", "same"]),
        (["localhost", "a.test"], ["localhost", "a.test"]),
        ([], []),
    ],
)
def test_names_lose_the_domain_that_all_have_in_common(names, expected):
    assert short_names(names) == expected


@given(st.lists(st.text(alphabet="ab.", max_size=12), max_size=5))
def test_shortening_keeps_the_number_of_names_and_something_of_each(names):
    short = short_names(names)

    assert len(short) == len(names)
    assert all(name.startswith(rest) for name, rest in zip(names, short, strict=True))


def test_every_outcome_has_a_word_that_fits_its_column():
    assert set(OUTCOME_WORDS) == set(OutcomeKind)
    assert all(0 < len(word) <= LONGEST_WORD for word in OUTCOME_WORDS.values())


def test_colours_tell_the_three_kinds_apart():
    styles = {kind: style_of(make_outcome(kind)) for kind in OutcomeKind}

    assert styles[OutcomeKind.DELIVERED] == "green"
    assert styles[OutcomeKind.UNOBSERVED] == "magenta"
    assert styles[OutcomeKind.LOST] == styles[OutcomeKind.BOUNCED] == styles[OutcomeKind.REFUSED] == "red"
    assert style_of(make_outcome(OutcomeKind.JUNKED)) == "yellow"
    assert style_of(make_outcome(OutcomeKind.JUNKED, failure=None)) == "green", "the route allows junk"


def test_a_strangers_text_becomes_one_visible_line():
    assert is_plain(clean(HOSTILE))
    assert clean("") is None
    assert clean("\x00\u202e") is None
    assert clean(None) is None
