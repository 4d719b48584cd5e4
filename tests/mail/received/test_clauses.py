"""Tokens fall into clauses by whole words outside of comments, also where a host is called like a keyword."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.received.clauses import MAX_WORD_CHARACTERS, divide
from smtp_probe.mail.syntax.tokens import rows_of, tokenize


def words(text):
    return divide(rows_of(tokenize(text).tokens)).words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "from a by b via c with d id e for f tls g",
            {
                "from": ("a",),
                "by": ("b",),
                "via": ("c",),
                "with": ("d",),
                "id": ("e",),
                "for": ("f",),
                "tls": ("g",),
            },
        ),
        ("FROM a BY b ID c", {"from": ("a",), "by": ("b",), "id": ("c",)}),
        (
            "from by.example with.example by for.example",
            {"from": ("by.example", "with.example"), "by": ("for.example",)},
        ),
        ("from by by mx", {"from": ("by",), "by": ("mx",)}),
        (
            "from with ([192.0.2.1]) by id with ESMTP id for for <a@b>",
            {"from": ("with",), "by": ("id",), "with": ("ESMTP",), "id": ("for",), "for": ("<a@b>",)},
        ),
        ("from by mx", {"from": (), "by": ("mx",)}),
        ("from from a by mx", {"from": ("a",), "by": ("mx",)}),
        (
            "by mx with Microsoft SMTP Server id 1",
            {"by": ("mx",), "with": ("Microsoft", "SMTP", "Server"), "id": ("1",)},
        ),
        ("by mx with ESMTP with STARTTLS id 1", {"by": ("mx",), "with": ("ESMTP",), "id": ("1",)}),
        ("by mx, id x; by y", {"by": ("mx",), "id": ("x",)}),
        ("from a[192.0.2.1] by[192.0.2.2]", {"from": ("a[192.0.2.1]", "by[192.0.2.2]")}),
        ('for "a b"@example.org', {"for": ('"a b"@example.org',)}),
        ("Message by mx", {"by": ("mx",)}),
        ("id x envelope-from <a@b> tls C", {"id": ("x",), "envelope-from": ("<a@b>",), "tls": ("C",)}),
        ("(only a comment)", {}),
        ("", {}),
    ],
)
def test_words_belong_to_the_keyword_before_them(text, expected):
    assert words(text) == expected


def test_of_a_further_clause_of_a_kind_the_first_word_is_kept():
    clauses = divide(rows_of(tokenize("from a by mx with ESMTP with STARTTLS id 1 from <b@c> from").tokens))

    assert clauses.repeated == (("with", "STARTTLS"), ("from", "<b@c>"))


def test_comments_are_told_with_the_clause_they_stand_in():
    clauses = divide(rows_of(tokenize("(a) from x (b by c) (d) by y (e (f)) with z (g)").tokens))

    assert clauses.comments == (("", "a"), ("from", "b by c"), ("from", "d"), ("by", "e (f)"), ("with", "g"))
    assert clauses.comments_of("from") == ["b by c", "d"]
    assert clauses.word("by") == "y"
    assert clauses.word("id") is None


def test_a_word_of_many_touching_tokens_is_bounded():
    (word,) = words("from " + "a<b>" * 400)["from"]

    assert len(word) == MAX_WORD_CHARACTERS


@given(
    st.lists(st.sampled_from(["from", "by", "with", "id", "for", "a", "(c)", ";", ",", "<d>", '"e"', "[f]"]))
)
def test_every_word_is_in_one_clause_at_most(parts):
    found = words(" ".join(["from", *parts]))

    assert sum(map(len, found.values())) <= len(parts)
