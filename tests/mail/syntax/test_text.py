"""What a stranger wrote becomes one bounded line that can be seen."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.syntax.text import drop_invisible, sanitise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("550 no such user", "550 no such user"),
        ("  two\r\n lines\tand\ttabs  ", "two lines and tabs"),
        ("\x1b[31mred\x1b[0m\x07", "[31mred[0m"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("zero\u200bwidth\ufeff\u2060", "zerowidth"),
        ("soft\u00adhyphen", "softhyphen"),
        ("private\ue000\U000f0000", "private"),
        ("tag\U000e0041s and \ufe0fselectors \U000e0101", "tags and selectors"),
        ("filler\u3164\u115f", "filler"),
        ("line\u2028sep\u0085arated", "line sep arated"),
        ("lone\ud800surrogate", "lonesurrogate"),
        ("Empfänger unbekannt 日本", "Empfänger unbekannt 日本"),
        (b"bytes \xc3\xa4 \xff", "bytes ä \ufffd"),
        ("", ""),
    ],
)
def test_keeps_what_can_be_seen_and_nothing_else(text, expected):
    assert sanitise(text) == expected


def test_cuts_with_an_ellipsis_at_the_limit():
    assert sanitise("x" * 301) == "x" * 299 + "…"
    assert sanitise("x" * 300) == "x" * 300
    assert sanitise("abc def", limit=5) == "abc…"
    assert sanitise("abc", limit=0) == ""


@given(st.one_of(st.text(alphabet=st.characters()), st.binary()), st.integers(0, 40))
def test_every_input_gives_one_printable_bounded_line(text, limit):
    line = sanitise(text, limit)
    assert len(line) <= limit
    assert line == line.strip()
    assert line.isprintable()
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in line)
    line.encode("utf-8")


@given(st.text())
def test_a_sanitised_line_stays_as_it_is(text):
    assert sanitise(sanitise(text)) == sanitise(text)


def test_a_flood_of_invisible_characters_costs_little():
    started = time.process_time()
    assert sanitise("\u200b" * 10_000_000 + "x") == ""
    assert sanitise(b"\x00" * 10_000_000) == ""
    assert time.process_time() - started < 1


def test_what_is_dropped_from_a_line_can_be_dropped_before_and_white_space_stays():
    text = "two\r\n lines\x00\u200b\u202e of\ttext\x1b"

    assert drop_invisible(text) == "two\r\n lines of\ttext"
    assert sanitise(drop_invisible(text)) == sanitise(text)
