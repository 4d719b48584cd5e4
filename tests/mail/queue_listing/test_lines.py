"""Pieces of any size give the same lines."""

import pytest

from smtp_probe.mail.queue_listing.lines import Splitter

TEXT = b"one\n\ntwo and three\nrest"


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_pieces_of_any_size_give_the_same_lines(size):
    splitter = Splitter(b"\n")
    lines = [line for at in range(0, len(TEXT), size) for line in splitter.feed(TEXT[at : at + size])]

    assert lines == [b"one", b"", b"two and three"]
    assert splitter.rest == b"rest"
    assert not splitter.was_cut


def test_a_line_without_end_costs_no_memory():
    splitter = Splitter(b"\n", longest_bytes=1000)
    for _ in range(100):
        assert list(splitter.feed(b"x" * 500)) == []

    assert len(splitter.rest) == 1000
    assert splitter.was_cut
