"""A token inside encoded words is laid open."""

from __future__ import annotations

import time
from email.header import Header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.syntax.encoded_words import decode_words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"plain", b"plain"),
        (b"=?utf-8?Q?[smtp-probe_tok=65n]?= rest", b"[smtp-probe token] rest"),
        (b"=?us-ascii?b?dG9rZW4=?=", b"token"),
        (b"=?utf-8?B?dG9r?=\r\n =?utf-8?Q?en?=", b"token"),
        (b"=?utf-8*en?B?dG9rZW4?=", b"token"),
        (b"=?utf-8?B?a?=", b"=?utf-8?B?a?="),
        (b"=?utf-8?X?a?= x =?", b"=?utf-8?X?a?= x =?"),
    ],
)
def test_words_are_replaced_by_what_they_stand_for(value, expected):
    assert decode_words(value) == expected


@given(st.text(alphabet="abcdefg äöü日本_?= ", min_size=1).map(lambda text: f"ü{text.strip()}ü"))
def test_what_the_standard_library_encodes_is_decoded(text):
    assert decode_words(Header(text, "utf-8").encode().encode()).decode() == text


@given(st.binary())
def test_nothing_raises(value):
    decode_words(value)


def test_a_flood_of_words_is_linear():
    started = time.process_time()
    decode_words(b"=?utf-8?Q?a?= " * 50_000)
    decode_words(b"=?utf-8?Q?" * 50_000)
    decode_words(b"?= " + b" " * 500_000)
    assert time.process_time() - started < 2
