"""One Received header becomes a hop: the date is found, nothing raises, nothing foreign gets through unbounded."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smtp_probe.mail.received.header import parse_received
from smtp_probe.model import Hop
from tests.mail.quickest import measure_quickest

AT_NS = 1788249600 * 10**9
DATE = "Tue, 1 Sep 2026 08:00:00 +0000"


@pytest.mark.parametrize(
    ("value", "flags"),
    [
        (f"by mx id x; {DATE}", ()),
        (f"by mx id x;{DATE}", ()),
        (f"by mx id x ; {DATE} (UTC)", ()),
        (f"by mx id x; {DATE} (a (b) c; 1 Jan 1999 00:00:00 +0000)", ()),
        (f"by mx id x; {DATE} (envelope-from <a;b@example.org>)", ()),
        (f"by mx id x; {DATE} for <a@example.org>", ()),
        (f"by mx id x (c; 1 Jan 1999 00:00:00 +0000); {DATE}", ()),
        (f'by mx id x "q; 1 Jan 1999 00:00:00 +0000"; {DATE}', ()),
        (f"by mx (a \\) ; 1 Jan 1999 00:00:00 +0000) id x; {DATE}", ()),
        (f"by mx id x; 1 Jan 1999 00:00:00 +0000; {DATE}", ()),
        (f"by mx id x; {DATE};", ()),
        (f"by mx id x; {DATE}; ; (c)", ()),
        (f"by mx id x {DATE}", ("no_semicolon",)),
        (f"by mx id x {DATE} (1 Jan 1999 00:00:00 +0000)", ("no_semicolon",)),
        ("by mx id x; (c) Tue, (c) 1 Sep 2026 (c (c)) 08:00:00 +0000", ()),
        (f"by mx id x (unbalanced; {DATE}", ("unbalanced",)),
    ],
)
def test_the_date_is_behind_the_last_semicolon_that_counts(value, flags):
    hop = parse_received(value.encode())

    assert (hop.at_ns, hop.resolution_seconds, hop.stamp_source) == (AT_NS, 1.0, "date")
    assert (hop.by, hop.id, hop.flags) == ("mx", "x", flags)


@pytest.mark.parametrize(
    ("value", "flags"),
    [
        ("by mx id x", ("no_date",)),
        ("by mx id x;", ("no_date",)),
        ("by mx id x; (Tue, 1 Sep 2026 08:00:00 +0000)", ("no_date",)),
        ("by mx id x; yesterday", ("bad_date",)),
        (f"by mx id x; {DATE}; by y", ("bad_date",)),
        ("by mx id x; 31 Feb 2026 08:00:00 +0000", ("bad_date",)),
    ],
)
def test_without_a_date_there_is_no_stamp(value, flags):
    hop = parse_received(value.encode())

    assert (hop.at_ns, hop.resolution_seconds, hop.stamp_source, hop.stamp_event) == (None, None, None, None)
    assert (hop.by, hop.id, hop.flags) == ("mx", "x", flags)


def test_clauses_behind_the_date_count():
    hop = parse_received(
        f"by mx; {DATE}\r\n\tid 00000000005A1C77.000000006A96C7A3.00004771 for <a@b>".encode()
    )

    assert (hop.id, hop.for_) == ("00000000005A1C77.000000006A96C7A3.00004771", "a@b")


@pytest.mark.parametrize(
    ("clause", "name"),
    [
        ("<a@example.org>", "a@example.org"),
        ("a@example.org", "a@example.org"),
        ("<a@example.org> (single-drop)", "a@example.org"),
        ("<a@example.org>, <b@example.org>", "a@example.org"),
        ('<"a; b"@example.org>', '"a; b"@example.org'),
        ('"a b"@example.org', '"a b"@example.org'),
        ("<日本@例え.example>", "日本@例え.example"),
        ("<>", None),
    ],
)
def test_the_recipient_is_without_brackets(clause, name):
    assert parse_received(f"by mx for {clause}; {DATE}".encode()).for_ == name


def test_an_empty_value_is_an_unknown_hop():
    assert parse_received(b"") == Hop(flags=("no_date", "no_by"))


def test_names_are_cut_and_cleaned():
    value = f"from a\u202e\x07{'x' * 400} by \u3164{'é' * 400} id {'y' * 400}; {DATE}"

    hop = parse_received(value.encode())

    assert hop.from_name == "a" + "x" * 253 + "…"
    assert hop.by == "é" * 254 + "…"
    assert hop.id == "y" * 254 + "…"
    assert hop.flags == ("unsafe_characters",)


def test_a_value_that_is_too_long_is_cut():
    hop = parse_received(b"by mx (" + b"x" * 9000 + b"); " + DATE.encode())

    assert hop.by == "mx"
    assert hop.at_ns is None
    assert hop.flags == ("truncated", "unbalanced", "no_date")


FRAGMENTS = st.sampled_from(
    [
        *(
            "from ",
            "by ",
            "via ",
            "with ",
            "id ",
            "for ",
            "tls ",
            "envelope-from ",
            "; ",
            ", ",
            " ",
            "\r\n\t",
            "\x00",
        ),
        *(
            "mx.example",
            "unknown",
            "localhost",
            "[192.0.2.1]",
            "192.0.2.1",
            "[IPv6:2001:db8::1]",
            "fe80::1%6",
            "::",
        ),
        *(
            "(",
            ")",
            '"',
            "\\",
            "<",
            ">",
            "[",
            "]",
            "=",
            "@",
            "é",
            "\u202e",
            "HELO ",
            "helo=",
            "EHLO ",
            "account ",
        ),
        *(
            "(Postfix)",
            "(Exim 4.98)",
            "(qmail 1 invoked by uid 2)",
            "(may be forged)",
            "(fetchmail-6)",
            "ESMTPSA",
            "local",
        ),
        *(
            "(TLS1.3)",
            "(using TLSv1.3 with cipher X)",
            "(version=TLS1_2, cipher=X)",
            "(Authenticated sender: x)",
        ),
        *(
            DATE,
            "1 Sep 26 8:0 ",
            "2026-09-01 08:00:00.5 +0000 UTC m=+1.5",
            "Sep ",
            "1",
            "+9999",
            "-0000",
            ":60",
            "(UTC)",
        ),
    ]
)


def assert_sound(hop):
    """What must be true of a hop, whatever it was read from."""
    for name, value in asdict(hop).items():
        if isinstance(value, str):
            assert value, name
            assert value.isprintable(), name
            assert len(value) <= 320, name
    assert (hop.at_ns is None) == (hop.resolution_seconds is None) == (hop.stamp_source is None)
    assert hop.at_ns is not None or {"no_date", "bad_date"} & set(hop.flags)
    assert len(set(hop.flags)) == len(hop.flags)


@pytest.mark.slow
@given(st.lists(FRAGMENTS, max_size=60).map("".join))
@settings(max_examples=400, deadline=None)
@example(f"from by by by with with id id for for; {DATE}")
def test_fragments_of_headers_in_any_order_never_raise(text):
    assert_sound(parse_received(text.encode()))


@given(st.binary(max_size=2000))
@settings(max_examples=300, deadline=None)
def test_any_bytes_never_raise(value):
    assert_sound(parse_received(value))


@given(st.lists(FRAGMENTS, max_size=30).map("".join))
@settings(max_examples=200, deadline=None)
@example("(Exim 4.98)from from ")
def test_a_plain_date_is_read_the_same_with_and_without_the_short_cut(text):
    """A comment with brackets behind the date is not plain: it takes the long way. It is one of `id`, which tells nothing."""
    short = parse_received(f"{text} id 1; {DATE}".encode())
    long = parse_received(f"{text} id 1; {DATE} (<>)".encode())

    assert asdict(short) == asdict(long)


@pytest.mark.slow
@given(
    st.lists(FRAGMENTS, min_size=1, max_size=4).map("".join),
    st.sampled_from(["", "from ", "from a (", "(", "by b with "]),
)
@settings(max_examples=60, deadline=None)
def test_eight_kilobytes_of_any_repetition_take_no_time(pattern, beginning):
    value = (beginning + pattern * 8192).encode()[:8192]

    seconds, hop = measure_quickest(lambda: parse_received(value))

    assert seconds < 0.25
    assert_sound(hop)
