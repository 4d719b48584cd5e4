"""A route is full when so many of its probes are on their way, from one vantage."""

import pytest

from smtp_probe.app.engine.crowding import Crowding, read_full, write_full


def test_a_route_is_full_at_its_bound_and_not_after_an_end():
    crowding = Crowding(lambda _: 2)

    assert not crowding.note("fra", "r", "a", is_open=True)
    assert not crowding.note("nyc", "r", "b", is_open=True)
    assert crowding.full() == {}
    assert crowding.note("fra", "r", "c", is_open=True)
    assert not crowding.note("fra", "r", "c", is_open=True)
    assert crowding.full() == {"fra": ["r"]}
    assert crowding.note("fra", "r", "a", is_open=False)
    assert not crowding.note("fra", "r", "a", is_open=False)
    assert crowding.full() == {}


def test_what_is_full_is_told_in_a_text():
    text = write_full({"fra": ["a", "b"], "nyc": ["c"]})

    assert read_full(text, "fra") == {"a", "b"}
    assert read_full(text, "lon") == frozenset()
    assert read_full(write_full({}), "fra") == frozenset()
    assert len(write_full({"fra": [f"customer-{number:05}" for number in range(10_000)]})) < 100_000


@pytest.mark.parametrize("text", ["x", "eJyrVspIzcnJVyjPL8pJAQAaCwRd", "####"])
def test_a_text_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="."):
        read_full(text, "fra")
