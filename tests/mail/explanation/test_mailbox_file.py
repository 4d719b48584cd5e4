"""A saved file falls into its messages, whoever wrote it and however it is cut into pieces."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.explanation.mailbox_file import (
    MAX_TEXT_BYTES,
    SavedMessage,
    has_mail_header,
    name_foreign_format,
    split_messages,
)
from smtp_probe.mail.syntax.fields import MAX_HEADER_BYTES

ONE = b"Subject: one\n\nbody one\n"
TWO = b"Subject: two\n\nbody two\n"
FROM = b"From joe@example.org Tue Sep  1 08:00:00 2026\n"


def split(content, size=1 << 20):
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    return list(split_messages(pieces))


def headers(content):
    return [saved.header for saved in split(content)]


def test_a_file_that_does_not_begin_with_from_is_one_message():
    assert split(ONE + b"\n" + FROM + TWO) == [
        SavedMessage(number=1, header=b"Subject: one\n\n", text=b"body one\n\n" + FROM + TWO)
    ]


def test_an_mbox_falls_at_its_from_lines_and_they_are_no_part_of_a_message():
    assert split(FROM + ONE + b"\n" + FROM + TWO) == [
        SavedMessage(number=1, header=b"Subject: one\n\n", text=b"body one\n\n"),
        SavedMessage(number=2, header=b"Subject: two\n\n", text=b"body two\n"),
    ]


def test_one_message_with_a_leading_from_line_is_read_without_it():
    assert headers(FROM + ONE) == [b"Subject: one\n\n"]


@pytest.mark.parametrize(
    "separator",
    [
        b"From joe@example.org Tue Sep  1 08:00:00 2026",
        b"From joe@example.org  Tue Sep 11 08:00:00 2026",
        b"From - Tue Sep 01 08:00:00 2026",
        b"From joe at example.org  Tue Sep  1 08:00:00 2026",
        b'From "a b"@example.org Tue Sep  1 08:00 2026',
        b"From MAILER-DAEMON Tue Sep  1 08:00:00 CEST 2026",
        b"From joe Tue, 1 Sep 2026 08:00:00 +0000",
        b"From ???@??? Tue Sep 01 08:00:00 2026",
    ],
)
def test_every_usual_from_line_separates(separator):
    assert headers(separator + b"\n" + ONE + separator + b"\r\n" + TWO) == [
        b"Subject: one\n\n",
        b"Subject: two\n\n",
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"From here on it rains.",
        b"From: joe",
        b"From Monday to Friday 8:00",
        b"from joe Tue Sep  1 08:00:00 2026",
    ],
)
def test_a_sentence_does_not_separate(text):
    assert len(split(FROM + ONE + b"\n" + text + b"\nmore\n")) == 1


def test_a_from_line_without_a_date_separates_only_in_a_file_that_began_with_one():
    bare = b"From \n"

    assert headers(bare + ONE + b"\n" + bare + TWO) == [b"Subject: one\n\n", b"Subject: two\n\n"]
    assert len(split(bare + ONE + bare + TWO)) == 1, "not without an empty line before it"
    assert len(split(FROM + ONE + b"\n" + bare + TWO)) == 1


def test_a_from_header_is_no_from_line():
    assert headers(b"From: joe@example.org\n\nx\n") == [b"From: joe@example.org\n\n"]
    assert headers(b"From : joe@example.org\n\nx\n") == [b"From : joe@example.org\n\n"]


def test_quoted_from_lines_of_an_mbox_lose_one_sign_and_those_of_a_single_message_none():
    quoted = b"\n>From a\n>>From b\n> From c\n"

    assert split(FROM + ONE + quoted)[0].text == b"body one\n\nFrom a\n>From b\n> From c\n"
    assert split(ONE + quoted)[0].text == b"body one\n\n>From a\n>>From b\n> From c\n"


@pytest.mark.parametrize("ends", [(b"\n", b"\r\n"), (b"\r\n", b"\n"), (b"\r\n", b"\r\n")])
def test_line_ends_may_be_mixed(ends):
    first, second = ends
    content = FROM[:-1] + first + b"A: 1" + second + b"B: 2" + first + second + b"text" + first

    assert [(saved.header, saved.text) for saved in split(content)] == [
        (b"A: 1" + second + b"B: 2" + first + second, b"text" + first)
    ]


@pytest.mark.parametrize("size", [1, 700, 100_000])
def test_lines_may_end_with_cr_alone(size):
    content = b"A: 1\rB: " + b"2" * 5000 + b"\r\rtext\r"

    assert [(saved.header, saved.text) for saved in split(content, size)] == [
        (b"A: 1\nB: " + b"2" * 5000 + b"\n\n", b"text\n")
    ]


def test_a_byte_order_mark_and_utf_16_are_undone():
    assert headers(b"\xef\xbb\xbf" + ONE) == [b"Subject: one\n\n"]
    assert headers(b"\xef\xbb\xbf" + FROM + ONE) == [b"Subject: one\n\n"]
    assert headers(ONE.decode().encode("utf-16")) == [b"Subject: one\n\n"]
    assert headers(b"\xfe\xff" + ONE.decode().encode("utf-16-be")) == [b"Subject: one\n\n"]


def test_empty_lines_before_a_pasted_header_are_passed_over():
    assert headers(b"\r\n\n" + ONE) == [b"Subject: one\n\n"]


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_message(content):
    assert split(content) == []


def test_a_header_without_a_body_and_without_a_line_end_is_a_message():
    assert split(b"Subject: one") == [SavedMessage(number=1, header=b"Subject: one")]


def test_header_and_body_are_bounded_and_it_is_said_where_a_header_was_cut():
    lines = b"X: " + b"y" * 95 + b"\n"
    saved = split(lines * 3000 + b"\nbody\n")[0]

    assert saved.is_header_cut
    assert len(saved.header) == MAX_HEADER_BYTES
    body = split(FROM + ONE + b"z" * 2 * MAX_TEXT_BYTES + b"\n" + FROM + TWO)
    assert len(body[0].text) == MAX_TEXT_BYTES
    assert body[1].header == b"Subject: two\n\n"


def test_no_more_is_read_of_a_single_message_than_is_kept():
    read = 0

    def endless():
        nonlocal read
        yield ONE
        while True:
            read += 1
            yield b"x" * 60_000

    assert next(split_messages(endless())).header == b"Subject: one\n\n"
    assert read < 20


def test_a_file_without_any_line_end_is_given_up_soon():
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield b"\0" * 60_000

    assert [saved.is_header_cut for saved in split_messages(endless())] == [True]
    assert read < 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [b"From x\n" + (b"From " + b"Mon Sep 1 " * 50 + b"\n") * 8000, FROM * 90_000, b"From " * 800_000],
    ids=["nearly", "nothing but", "one line"],
)
def test_four_megabytes_of_malice_take_no_longer_than_honest_ones(content):
    started = time.process_time()
    for _ in split_messages([content]):
        pass

    assert time.process_time() - started < 5


@given(
    st.lists(
        st.sampled_from([FROM, ONE, TWO, b"\n", b"\r\n", b">From x\n", b"\xff", b"From ", b"x: y" * 50]),
        max_size=12,
    ),
    st.integers(1, 5000),
)
def test_where_the_pieces_end_does_not_matter(parts, size):
    content = b"".join(parts)

    whole, pieces = split(content), split(content, size)

    assert [saved.header for saved in whole] == [saved.header for saved in pieces]
    assert [saved.text for saved in whole] == [saved.text for saved in pieces]
    assert [saved.number for saved in whole] == list(range(1, len(whole) + 1))


@given(st.binary(max_size=2000), st.integers(1, 100))
def test_any_bytes_are_split_without_an_error(content, size):
    split(content, size)
    split(FROM + content, size)


def test_a_header_of_mail_is_told_from_other_text():
    assert has_mail_header(b"X-Mozilla-Status: 0001\nRECEIVED: x\n\n")
    assert not has_mail_header(b"Note: to myself\nbuy milk\n")
    assert not has_mail_header(b"")


@pytest.mark.parametrize(
    ("beginning", "word"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Outlook"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\x03\x04", "zip"),
        (b"%PDF-1.7", "PDF"),
        (b"\n<!DOCTYPE html>", "web page"),
    ],
)
def test_a_file_of_another_kind_is_named(beginning, word):
    assert word in (name_foreign_format(beginning) or "")


def test_an_unknown_kind_has_no_name():
    assert name_foreign_format(b"Dear all,") is None
    assert name_foreign_format(b"") is None


@pytest.mark.parametrize("size", [1000, 65_536, 70_000])
def test_a_line_that_is_taken_apart_is_put_together_again(size):
    long = b"x" * 150_000 + b"\r\n"

    assert split(FROM + ONE + long + b">From a\n", size)[0].text == b"body one\n" + long + b"From a\n"
    assert split(b"A: " + long + b"B: 2\n\nbody\n", size)[0].header == b"A: " + long + b"B: 2\n\n"
