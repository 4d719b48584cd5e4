"""What is no YAML is said with its line, and with nothing of the text; see test_document.py for what each fault is called."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.config.exact_parser import parse_exactly


def test_every_event_of_a_sound_text_is_given() -> None:
    events: list[Any] = []

    assert parse_exactly("a: [1, two]\n", "f.yaml", events.append) is None
    assert [event.value for event in events if type(event).__name__ == "ScalarEvent"] == ["a", "1", "two"]


@pytest.mark.parametrize(
    ("text", "line", "advice"),
    [
        ("a: 1\nb:\n\t- s3cret\n", 3, "a tab cannot indent"),
        ("a: 1\nb: s3cret: x\n", 2, "a ': ' too much"),
        ("a: 1\nb: 's3cret\n", 2, "a quotation mark that is not closed"),
        ("a: 1\nb: s3cret\x07\n", 2, "a control character"),
        ("a: 1\n  b: s3cret\n", 2, "lines that are not indented alike"),
    ],
)
def test_what_ends_the_reading(text: str, line: int, advice: str) -> None:
    problem = parse_exactly(text, "f.yaml", lambda _: None)

    assert problem is not None
    assert (problem.file, problem.line) == ("f.yaml", line)
    assert advice in problem.message
    assert "s3cret" not in problem.message


def test_what_the_taker_raises_ends_it() -> None:
    class EnoughError(Exception):
        pass

    def refuse(_: object) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        parse_exactly("a: 1\n", "f.yaml", refuse)
