"""Durations in words."""

import pytest

from smtp_probe.mail.explanation.spans import say_limit, say_span


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.0364, "36 ms"),
        (1, "1 s"),
        (4.52, "4.5 s"),
        (119.4, "119.4 s"),
        (119.99, "2 min 0 s"),
        (123, "2 min 3 s"),
        (-123, "2 min 3 s"),
        (7200, "2 h 0 min"),
        (3 * 86400 + 4 * 3600, "3 d 4 h"),
    ],
)
def test_a_span(seconds, said):
    assert say_span(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (50401, "14 h"),
        (60, "60 s"),
        (1, "1 s"),
        (0.005, "5 ms"),
        (1e-3, "1 ms"),
        (1e-6, "1 µs"),
        (1e-9, "1 ns"),
        (0, "0 s"),
    ],
)
def test_a_limit(seconds, said):
    assert say_limit(seconds) == said
