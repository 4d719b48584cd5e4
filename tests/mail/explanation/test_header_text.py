"""Header values are shown as they were meant, and without what could do harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.explanation.header_text import show_header


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?iso-8859-1?q?Gr=FC=DFe?= <a@b.example>", "Grüße <a@b.example>"),
        (b"=?UTF-8?B?R3LDvMOfZQ==?= =?utf-8*de?b?IQ==?=", "Grüße!"),
        (b"=?utf-8?q?a_b?= c", "a b c"),
        ("Grüße".encode(), "Grüße"),
        (b"\xfc", "\ufffd"),
        (b"=?x-nobody-knows?q?a?=", "=?x-nobody-knows?q?a?="),
        (b"=?zlib?b?eJw=?=", "=?zlib?b?eJw=?="),
        (b"=?punycode?q?a-b?=", "=?punycode?q?a-b?="),
        (b"=?utf-8?b?a?=", "=?utf-8?b?a?="),
        (b"=?utf-8?q?=1B[31m=E2=80=AE?=", "[31m"),
        (b"a\x1b[31m\xe2\x80\xaeb\r\n c", "a[31mb c"),
    ],
)
def test_a_value_is_shown(value, shown):
    assert show_header(value) == shown


def test_a_value_is_cut():
    assert show_header(b"x" * 1000, 10) == "xxxxxxxxx…"


def test_the_proof_of_a_tag_is_not_shown():
    token = "spt1-" + "a" * 48

    assert (
        show_header(f"[smtp-probe {token}] delivery test".encode()) == "[smtp-probe spt1-TAG] delivery test"
    )


@given(
    st.binary(max_size=300),
    st.sampled_from([b"utf-8", b"utf-7", b"hz", b"idna", b"utf-16"]),
    st.sampled_from(b"qb"),
)
def test_no_encoded_word_raises(payload, charset, encoding):
    value = b"=?" + charset + b"?" + bytes([encoding]) + b"?" + payload + b"?="

    assert show_header(value).isprintable()
