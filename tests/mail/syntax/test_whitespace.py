import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.syntax.whitespace import has_only_crlf, has_whole_lines, squeeze_blanks

TEXT = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b" ", b"\t", b"a"]), max_size=20).map(b"".join)


@pytest.mark.parametrize(
    ("text", "only_crlf", "whole"),
    [
        (b"", True, True),
        (b"a", True, False),
        (b"a\r\n", True, True),
        (b"a\r\nb", True, False),
        (b"a\n", False, False),
        (b"a\rb\r\n", False, False),
        (b"a\n\rb", False, False),
    ],
)
def test_lines_end_with_both_or_not(text, only_crlf, whole):
    assert has_only_crlf(text) is only_crlf
    assert has_whole_lines(text) is whole


@given(TEXT)
def test_a_line_end_is_stray_where_a_search_finds_it(text):
    assert has_only_crlf(text) is (re.search(rb"(?<!\r)\n|\r(?!\n)", text) is None)


@given(TEXT)
def test_blanks_are_single_whether_or_not_they_were_looked_for(text):
    assert squeeze_blanks(text) == re.sub(rb"[ \t]+", b" ", text)
