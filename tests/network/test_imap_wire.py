"""Framing: bytes to answers, in any pieces, within a budget."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.network.imap_wire import AnswerReader, WireError

BUDGET = 1_000_000


def read_all(*chunks, budget=BUDGET):
    reader = AnswerReader(budget)
    answers = []
    for chunk in chunks:
        reader.feed(chunk)
        while (answer := reader.next_answer()) is not None:
            answers.append(answer.parts)
    return answers


STREAM = (
    b"* OK hello\r\n"
    b"* 1 FETCH (UID 5 BODY[HEADER]<0> {11}\r\nX: a\r\n)\r\n* {2}\r\nab UID 5)\r\n"
    b"\r\n"
    b"+ go\r\n"
    b"A1 OK see {3}\r\n"
)
ANSWERS = [
    (b"* OK hello",),
    (b"* 1 FETCH (UID 5 BODY[HEADER]<0> ", b"X: a\r\n)\r\n* ", b"", b"ab", b" UID 5)"),
    (b"",),
    (b"+ go",),
    (b"A1 OK see {3}",),
]


def test_a_literal_stays_whole_and_its_line_goes_on():
    assert read_all(STREAM) == [ANSWERS[0], *ANSWERS[1:]]


@given(st.lists(st.integers(min_value=0, max_value=len(STREAM)), max_size=12))
def test_the_pieces_in_which_bytes_come_do_not_matter(cuts):
    edges = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[start:end] for start, end in pairwise(edges)]

    assert read_all(*chunks) == ANSWERS


def test_byte_by_byte():
    assert read_all(*(STREAM[i : i + 1] for i in range(len(STREAM)))) == ANSWERS


@pytest.mark.parametrize("word", ["OK", "NO", "BAD", "BYE", "PREAUTH", "ok"])
def test_free_text_that_looks_like_a_literal_is_text(word):
    line = f"* {word} your quota is {{99999}}".encode()

    assert read_all(line + b"\r\n* 1 EXISTS\r\n") == [(line,), (b"* 1 EXISTS",)]


@pytest.mark.parametrize("ending", [b"{}", b"{x}", b"{-1}", b"}", b"3}"])
def test_what_is_no_size_is_text(ending):
    assert read_all(b"* LIST " + ending + b"\r\n") == [(b"* LIST " + ending,)]


def test_a_bare_line_feed_ends_a_line():
    assert read_all(b"* OK a\n* OK b\r\n") == [(b"* OK a",), (b"* OK b",)]


@pytest.mark.parametrize("size", [b"1000001", b"99999999999999999999999", b"9" * 5000])
def test_a_literal_that_the_budget_cannot_pay_is_refused_when_announced(size):
    with pytest.raises(WireError):
        read_all(b"* 1 FETCH (BODY[HEADER] {" + size + b"}\r\n")


def test_a_line_without_end_is_refused():
    with pytest.raises(WireError):
        read_all(*[b"x" * 10_000] * 11, budget=100_000)


def test_lines_without_end_are_refused():
    with pytest.raises(WireError):
        read_all(*[b"* OK still here\r\n" * 100] * 100, budget=100_000)


def test_the_budget_can_be_renewed():
    reader = AnswerReader(20)
    for _ in range(10):
        reader.feed(b"* 1234567 EXISTS\r\n")
        assert reader.next_answer() is not None
        reader.budget_bytes = 20


def test_a_hundred_thousand_lines_in_one_read_take_linear_time():
    started = time.process_time()

    assert len(read_all(b"* 1 FETCH (FLAGS ())\r\n" * 100_000, budget=10**8)) == 100_000
    assert time.process_time() - started < 5


def test_a_long_line_in_small_pieces_takes_linear_time():
    reader = AnswerReader(10**7)
    started = time.process_time()
    for _ in range(40_000):
        reader.feed(b"* 2 3 4 5 6 7 8 9 10 11 12 13 ")
        assert reader.next_answer() is None

    assert time.process_time() - started < 5


def test_answers_carry_the_instant_of_their_last_byte():
    reader = AnswerReader(BUDGET)
    reader.feed(b"* 1 EXISTS\r\n* 2 EX", 10)
    first = reader.next_answer()
    assert reader.next_answer() is None
    reader.feed(b"ISTS\r\n", 20)
    second = reader.next_answer()

    assert first is not None
    assert second is not None
    assert (first.arrived_ns, second.arrived_ns) == (10, 20)


def test_what_is_left_over_is_known():
    reader = AnswerReader(BUDGET)
    reader.feed(b"A1 OK go\r\n* injected {5}\r\nab")
    reader.next_answer()

    assert reader.unread_bytes > 0
    assert reader.next_answer() is None
    assert reader.unread_bytes > 0
