"""The lists that metrics are declared from: closed, without doubles, and bounds that rise."""

import pytest

from smtp_probe.model import Cause, Phase
from smtp_probe.report import label_words
from smtp_probe.report.label_words import OTHER, SHOWN_PHASES, UNOBSERVED_REASONS

BUCKETS = {name: value for name, value in vars(label_words).items() if name.endswith("_BUCKETS")}
WORDS = {
    name: value
    for name, value in vars(label_words).items()
    if isinstance(value, tuple) and name not in BUCKETS and not name.startswith("_")
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_each_word_stands_once_and_is_fit_for_a_label(words):
    assert len(set(words)) == len(words)
    assert all(word == word.lower() and word.replace("_", "").isalnum() for word in words)


@pytest.mark.parametrize("bounds", BUCKETS.values(), ids=BUCKETS)
def test_bounds_rise_from_above_zero(bounds):
    assert list(bounds) == sorted(set(bounds))
    assert bounds[0] > 0


def test_quit_tells_nothing_of_the_path_at_any_detail():
    assert not any(Phase.QUIT in phases for phases in SHOWN_PHASES.values())


def test_what_is_not_told_apart_is_one_word():
    assert UNOBSERVED_REASONS[-1] == OTHER
    assert Cause.MAILBOX_UNWATCHED in UNOBSERVED_REASONS
