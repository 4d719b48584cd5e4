"""The shape of a waterfall."""

import pytest

from smtp_probe.cli.section import Bar, make_bar


@pytest.mark.parametrize(
    ("begin", "end", "total", "bar"),
    [
        (1.0, 3.0, 4.0, Bar(begin=0.25, end=0.75)),
        (3.0, 1.0, 4.0, Bar(begin=0.75, end=0.25)),
        (0.0, 0.0, 0.0, Bar(begin=0.0, end=0.0)),
    ],
)
def test_a_bar_is_a_part_of_its_scale(begin, end, total, bar):
    assert make_bar(begin, end, total) == bar
