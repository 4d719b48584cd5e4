"""HELO name, reverse name and address are told apart, wherever a software puts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.received.clauses import divide
from smtp_probe.mail.received.client import Client, read_client
from smtp_probe.mail.syntax.tokens import rows_of, tokenize


def read(text, *, names_agree=False):
    clauses = divide(rows_of(tokenize(f"from {text} by mx").tokens))
    return read_client(clauses.words["from"], clauses.comments_of("from"), names_agree=names_agree)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("helo.example (rdns.example [192.0.2.1])", ("helo.example", "rdns.example", "192.0.2.1")),
        ("helo.example (rdns.example. [192.0.2.1])", ("helo.example", "rdns.example", "192.0.2.1")),
        ("helo.example (unknown [192.0.2.1])", ("helo.example", None, "192.0.2.1")),
        ("helo.example (Unknown [192.0.2.1])", ("helo.example", None, "192.0.2.1")),
        ("helo.example (<unknown> [192.0.2.1])", ("helo.example", None, "192.0.2.1")),
        ("helo.example (unverified [192.0.2.1])", ("helo.example", None, "192.0.2.1")),
        ("helo.example (unknown [unknown])", ("helo.example", None, None)),
        ("helo.example ([192.0.2.1])", ("helo.example", None, "192.0.2.1")),
        ("helo.example ([192.0.2.1] unverified)", ("helo.example", None, "192.0.2.1")),
        ("helo.example ([IPv6:2001:db8::1])", ("helo.example", None, "2001:db8::1")),
        ("helo.example (192.0.2.1)", ("helo.example", None, "192.0.2.1")),
        ("helo.example (2001:db8::1)", ("helo.example", None, "2001:db8::1")),
        ("helo.example (rdns.example 2001:db8::1)", ("helo.example", "rdns.example", "2001:db8::1")),
        ("helo.example (192.0.2.1 [192.0.2.1])", ("helo.example", None, "192.0.2.1")),
        ("helo.example (rdns.example[192.0.2.1])", ("helo.example", "rdns.example", "192.0.2.1")),
        ("helo.example (IDENT:mail@rdns.example [192.0.2.1])", ("helo.example", "rdns.example", "192.0.2.1")),
        ("helo.example (kgbxn@[192.0.2.1])", ("helo.example", None, "192.0.2.1")),
        (
            "helo.example (rdns.example [192.0.2.1] (may be forged))",
            ("helo.example", "rdns.example", "192.0.2.1"),
        ),
        (
            "helo.example (rdns.example [192.0.2.1] (AS64500 Name, DE))",
            ("helo.example", "rdns.example", "192.0.2.1"),
        ),
        ("helo.example (rdns.example)", ("helo.example", "rdns.example", None)),
        ("helo.example [192.0.2.1]", ("helo.example", None, "192.0.2.1")),
        ("helo.example[192.0.2.1]", ("helo.example", None, "192.0.2.1")),
        ("helo.example (localhost [local])", ("helo.example", "localhost", None)),
        ("helo.example ([unix socket])", ("helo.example", None, None)),
        ("helo.example", ("helo.example", None, None)),
        ("[192.0.2.7] (rdns.example [192.0.2.1])", ("[192.0.2.7]", "rdns.example", "192.0.2.1")),
        ("192.0.2.7 (unknown [192.0.2.1])", ("192.0.2.7", None, "192.0.2.1")),
        ("[192.0.2.7] (unknown)", ("[192.0.2.7]", None, None)),
        ("[192.0.2.1]", (None, None, "192.0.2.1")),
        ("[192.0.2.1] (helo=helo.example)", ("helo.example", None, "192.0.2.1")),
        ("[192.0.2.1] (port=25 helo=[10.0.0.7])", ("[10.0.0.7]", None, "192.0.2.1")),
        ("rdns.example ([192.0.2.1] helo=helo.example)", ("helo.example", "rdns.example", "192.0.2.1")),
        (
            "rdns.example ([192.0.2.1]:25 helo=helo.example ident=x)",
            ("helo.example", "rdns.example", "192.0.2.1"),
        ),
        ("(helo=helo.example)", ("helo.example", None, None)),
        ("unknown (HELO helo.example) (192.0.2.1)", ("helo.example", None, "192.0.2.1")),
        ("unknown (HELO ) (192.0.2.1)", (None, None, "192.0.2.1")),
        ("rdns.example (HELO helo.example) (me@192.0.2.1)", ("helo.example", "rdns.example", "192.0.2.1")),
        ("rdns.example (EHLO helo.example) ([192.0.2.1])", ("helo.example", "rdns.example", "192.0.2.1")),
        ("rdns.example (EHLO helo.example) [192.0.2.1]", ("helo.example", "rdns.example", "192.0.2.1")),
        ("192.0.2.1 (EHLO helo.example)", ("helo.example", None, "192.0.2.1")),
        (
            'rdns.example ([192.0.2.1]:25 "EHLO helo.example" rhost-flags-OK)',
            ("helo.example", "rdns.example", "192.0.2.1"),
        ),
        ("rdns.example(192.0.2.1, HELO helo.example)", ("helo.example", "rdns.example", "192.0.2.1")),
        ("[192.0.2.1] (account me HELO helo.example)", ("helo.example", None, "192.0.2.1")),
        ("[192.0.2.1] (account me@rdns.example [192.0.2.1] verified)", ("[192.0.2.1]", None, "192.0.2.1")),
        ("([192.0.2.1])", (None, None, "192.0.2.1")),
        ("mail pickup service", (None, None, None)),
        ("1234567890 named unknown", (None, None, None)),
        ("me@example.org", (None, None, None)),
        ("helo.example (using TLSv1.3 with cipher X (256/256 bits))", ("helo.example", None, None)),
        ("helo.example (authenticated user helo.example)", ("helo.example", None, None)),
        ("helo.example (rdns.example [999.0.2.1])", ("helo.example", "rdns.example", None)),
        *(
            (f"helo.example ({name} [192.0.2.1])", ("helo.example", name, "192.0.2.1"))
            for name in (
                "client-1.example",
                "auth.example",
                "auth",
                "tls.example",
                "account",
                "HELOISE.example",
                "using",
            )
        ),
        ("helo.example (<script> [192.0.2.1])", ("helo.example", None, "192.0.2.1")),
    ],
)
def test_each_has_its_place(text, expected):
    assert read(text) == Client(*expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("same.example ([192.0.2.1])", ("same.example", "same.example", "192.0.2.1")),
        ("same.example (192.0.2.1)", ("same.example", "same.example", "192.0.2.1")),
        ("unknown (192.0.2.1)", (None, None, "192.0.2.1")),
        ("[192.0.2.1]", (None, None, "192.0.2.1")),
        ("rdns.example ([192.0.2.1] helo=helo.example)", ("helo.example", "rdns.example", "192.0.2.1")),
    ],
)
def test_software_that_leaves_out_an_equal_name_gives_both(text, expected):
    assert read(text, names_agree=True) == Client(*expected)


@given(st.lists(st.text(max_size=30), max_size=4), st.lists(st.text(max_size=60), max_size=4), st.booleans())
def test_never_raises(names, comments, names_agree):
    read_client(tuple(names), comments, names_agree=names_agree)
