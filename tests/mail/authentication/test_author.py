"""The author's domain, and the envelope sender."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.authentication.author import find_author_domain, find_envelope_sender


@pytest.mark.parametrize(
    ("values", "domain"),
    [
        ([b"a@Example.org"], "example.org"),
        ([b'"x@evil.test" <a@example.org>'], "example.org"),
        ([b"x (a@evil.test) <a@example.org.>"], "example.org"),
        ([b'"a@b"@example.org'], "example.org"),
        ([b"a@example.org (b@evil.test)"], "example.org"),
        ([b"a@one.test, b@one.test"], "one.test"),
        ([b"a@one.test, b@two.test"], None),
        ([b"a@one.test", b"a@one.test"], None),
        ([b"nobody"], None),
        ([], None),
    ],
)
def test_the_author(values: list[bytes], domain: str | None) -> None:
    assert find_author_domain([("from", value) for value in values]) == domain


@pytest.mark.parametrize(
    ("value", "sender"),
    [(b"<a@b.test>", "a@b.test"), (b"<>", ""), (b"a@b.test", "a@b.test"), (None, None)],
)
def test_the_envelope_sender(value: bytes | None, sender: str | None) -> None:
    assert find_envelope_sender([] if value is None else [("return-path", value)]) == sender


@given(st.binary(max_size=200))
def test_nothing_raises(value: bytes) -> None:
    find_author_domain([("from", value)])
    find_envelope_sender([("return-path", value)])
