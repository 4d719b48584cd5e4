"""Lists of tags."""

from __future__ import annotations

import pytest

from smtp_probe.mail.authentication.tags import read_tags, squeeze


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=DKIM1; p=abc", {"v": "DKIM1", "p": "abc"}),
        (" v = DKIM1 ;\r\n\tp=a b ; ", {"v": "DKIM1", "p": "a b"}),
        ("b=a=b==;c=", {"b": "a=b==", "c": ""}),
        ("A=1;a=2", {"A": "1", "a": "2"}),
        ("", {}),
        (";;", {}),
    ],
)
def test_a_list_is_cut_into_its_tags(text: str, expected: dict[str, str]) -> None:
    found = read_tags(text)
    assert (found.tags, found.faults) == (expected, ())


@pytest.mark.parametrize("text", ["v", "v=1;v=2", "1v=2", "=x", "a b=c", "v=1; p:x"])
def test_what_is_wrong_is_said(text: str) -> None:
    assert len(read_tags(text).faults) == 1


def test_of_a_tag_that_stands_twice_the_first_counts() -> None:
    assert read_tags("p=1;p=2").get("p") == "1"


def test_octets_that_are_no_text_do_no_harm() -> None:
    assert read_tags(b"v=\xff\xfe;p=1").get("p") == "1"
    assert len(read_tags(b"\0;" * 100_000).faults) == 5


def test_squeezing_takes_all_white_space_out() -> None:
    assert squeeze(" a\r\n b\tc ") == "abc"
