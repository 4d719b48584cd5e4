"""A structured value is cut into tokens: nested comments, quotes, literals, brackets; broken ones stay words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.syntax.tokens import (
    MAX_TOKENS,
    MAX_VALUE_BYTES,
    Kind,
    cut_rows,
    mask,
    read_text,
    rows_of,
    tokenize,
)
from tests.mail.quickest import measure_quickest

W, Q, L, A, C = Kind.WORD, Kind.QUOTED, Kind.LITERAL, Kind.ANGLE, Kind.COMMENT
SEMICOLON, COMMA = (Kind.SEMICOLON, ";"), (Kind.COMMA, ",")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from a.example by b", [(W, "from"), (W, "a.example"), (W, "by"), (W, "b")]),
        ("a (b c) d", [(W, "a"), (C, "b c"), (W, "d")]),
        ("a (b (c) d) e", [(W, "a"), (C, "b (c) d"), (W, "e")]),
        ("(a (b (c (d))) e)", [(C, "a (b (c (d))) e")]),
        (r"(a \) b) c", [(C, "a ) b"), (W, "c")]),
        (r"(CN \"x; y\" (z)); d", [(C, 'CN "x; y" (z)'), SEMICOLON, (W, "d")]),
        ('"a; (b" c', [(Q, '"a; (b"'), (W, "c")]),
        (r'"a \" ; b" c', [(Q, r'"a \" ; b"'), (W, "c")]),
        ("<a@b> <>", [(A, "<a@b>"), (A, "<>")]),
        ('<"a>b"@c>;', [(A, '<"a>b"@c>'), SEMICOLON]),
        ("[192.0.2.1] [IPv6:2001:db8::1]:25", [(L, "[192.0.2.1]"), (L, "[IPv6:2001:db8::1]"), (W, ":25")]),
        ("by h, id x;", [(W, "by"), (W, "h"), COMMA, (W, "id"), (W, "x"), SEMICOLON]),
        ("host(192.0.2.1)", [(W, "host"), (C, "192.0.2.1")]),
        ("()", [(C, "")]),
        ("   ", []),
        ("", []),
    ],
)
def test_tokens(text, expected):
    tokens, flags = tokenize(text)

    assert [(token.kind, token.text) for token in tokens] == expected
    assert flags == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a (b c", [(W, "a"), (W, "("), (W, "b"), (W, "c")]),
        ("a (b (c) d", [(W, "a"), (W, "("), (W, "b"), (C, "c"), (W, "d")]),
        ("a ) b", [(W, "a"), (W, ")"), (W, "b")]),
        ('a "b c', [(W, "a"), (W, '"'), (W, "b"), (W, "c")]),
        ("a <b c", [(W, "a"), (W, "<"), (W, "b"), (W, "c")]),
    ],
)
def test_what_nothing_closes_is_a_word(text, expected):
    tokens, flags = tokenize(text)

    assert [(token.kind, token.text) for token in tokens] == expected
    assert flags == ("unbalanced",)


def test_a_comment_deeper_than_sixteen_is_passed_over_and_its_contents_with_it():
    sixteen, seventeen = "(" * 16 + ";" + ")" * 16, "(" * 17 + ";" + ")" * 17

    assert tokenize(f"a {sixteen} b") == ([(W, "a", 0, 1), (C, sixteen[1:-1], 2, 35), (W, "b", 36, 37)], ())
    assert tokenize(f"a {seventeen} b") == (
        [(W, "a", 0, 1), (C, "", 2, 37), (W, "b", 38, 39)],
        ("deep_comment",),
    )


def test_more_tokens_than_any_honest_header_has_are_left_out():
    tokens, flags = tokenize("a " * 5000)

    assert len(tokens) == MAX_TOKENS
    assert flags == ("truncated",)


@pytest.mark.parametrize(
    ("value", "text", "flags"),
    [
        (b"from  a\r\n\tby b", "from a by b", ()),
        ("from bücher.example".encode(), "from bücher.example", ()),
        (b"from \xff", "from \ufffd", ("not_utf8",)),
        (b"from \x1b[31mred\x07", "from [31mred", ("unsafe_characters",)),
        ("from a\u202egnp".encode(), "from agnp", ("unsafe_characters",)),
        (b"x" * 9000, "x" * MAX_VALUE_BYTES, ("truncated",)),
        (b"", "", ()),
    ],
)
def test_text_is_one_bounded_line_that_can_be_shown(value, text, flags):
    assert read_text(value) == (text, flags)


def test_masking_keeps_the_place_of_all_else():
    text = 'a (b) "c" <d> e'

    assert mask(text, tokenize(text), C) == 'a     "c" <d> e'
    assert mask(text, tokenize(text), C, Q, A) == "a             e"


@given(st.text(alphabet='ab ()"\\<>[];,', max_size=200))
def test_tokens_lie_in_order_and_leave_out_nothing_but_blanks(text):
    place = 0
    for token in tokenize(text).tokens:
        assert text[place : token.start].strip(" ") == ""
        assert token.start < token.end
        if token.kind is not C:
            assert token.text == text[token.start : token.end]
        place = token.end
    assert text[place:].strip(" ") == ""


@given(st.text(alphabet='ab ()"\\<>[];,', max_size=60))
def test_the_quick_way_gives_the_same_tokens_or_none(text):
    rows = cut_rows(text)

    if rows is not None:
        tokens, flags = tokenize(text)
        assert flags == ()
        assert [merge(row) for row in rows] == [merge(row) for row in rows_of(tokens)]
        assert [bool(row[0]) for row in rows[1:]] == [bool(row[0]) for row in rows_of(tokens)[1:]]


def merge(row):
    """A bare bracket is a word, whichever way it was cut."""
    return (row[1] + row[9], *row[2:9])


def test_the_quick_way_is_not_taken_where_it_cannot_be():
    assert cut_rows("a (b") is None
    assert cut_rows(r"a (\) b)") is None
    assert cut_rows("a " * (MAX_TOKENS + 1)) is None


@given(st.text(alphabet='ab ()"\\<>[];,', max_size=200))
def test_semicolons_in_comments_and_quotes_are_no_tokens(text):
    inside = text.replace("(", "").replace(")", "").replace("\\", "").replace('"', "")

    kinds = [token.kind for token in tokenize(f'a ({inside};) "{inside};" b').tokens]

    assert kinds == [W, C, Q, W]


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern", ["(", "(()", "()", "\\(", '"', '"\\', "<", '<"', "[", "a<b", "; ", "(a ", "é"]
)
def test_eight_kilobytes_of_anything_are_cut_in_no_time(pattern):
    text = pattern * (MAX_VALUE_BYTES // len(pattern))

    seconds, _ = measure_quickest(lambda: tokenize(text))

    assert seconds < 0.25
