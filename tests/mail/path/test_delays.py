"""Being put off is told from being scanned, and nothing is said of what may be something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.path.delays import explain_delays
from smtp_probe.mail.path.passages import read_passages
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.trace import read_trace


def received(by, at, software="", source="client.example.org", ip="192.0.2.1"):
    told = f"from {source} ({source} [{ip}])"
    return f"Received: {told}\r\n by {by} {software} with ESMTP id x-1; Tue, 1 Sep 2026 {at} +0000\r\n"


def explain(*lines):
    header = "".join(lines).encode()
    return [
        (delay.position, delay.kind, delay.seconds, delay.by)
        for delay in explain_delays(read_passages(read_trace(header)), split_fields(header))
    ]


def handed_in(at, line):
    """A line that a program on the host of the line below makes, and that line: of Postfix, with an id."""
    return (
        f"Received: {line}; Tue, 1 Sep 2026 {at} +0000\r\n",
        "Received: from a.example ([192.0.2.1]) by mx.example.net (Postfix) with ESMTPS id 4ABC; Tue, 1 Sep 2026 08:00:00 +0000\r\n",
    )


PIPED = "by mx.example.net (Postfix, from userid 1001) id 4DEF"
SCANNED_BY_EXIM = (
    "from mail by mx.example.net with spam-scanned (Exim 4.96) id 1qXyZa-0003Ab-Cd for b@example.net"
)


@pytest.mark.parametrize(
    "line", [PIPED, SCANNED_BY_EXIM, "(from filter@localhost) by mx.example.net (8.17.1/8.17.1/Submit) id 4A"]
)
def test_a_pipe_filter_gives_the_message_back_as_a_program_does(line):
    assert explain(*handed_in("08:00:45", line)) == [(2, "scanned", 45.0, "")]
    assert explain(*handed_in("08:00:04", line)) == []


def test_what_waited_for_a_pipe_filter_as_long_as_for_a_retry_is_nobody_s():
    assert explain(*handed_in("08:06:40", PIPED)) == []


def test_a_forward_of_postfix_itself_is_no_filter():
    assert explain(*handed_in("08:00:45", "by mx.example.net (Postfix) id 4DEF")) == []


@pytest.mark.parametrize("seconds", [8, 45, 400, 580])
@pytest.mark.parametrize(
    "told",
    [
        "from mx.example.net (localhost [127.0.0.1])",
        "from filter.example.net (filter.example.net [10.0.0.5])",
    ],
)
def test_a_filter_before_the_queue_is_no_retry_however_long_it_takes(told, seconds):
    at = f"08:{seconds // 60:02}:{seconds % 60:02}"
    proxied, queued = (
        f"Received: from a.example (a.example [192.0.2.1])\r\n by mx.example.net (Postfix) with ESMTPS{queue_id};"
        " Tue, 1 Sep 2026 08:00:00 +0000\r\n"
        for queue_id in ("", " id 4ABC")
    )
    line = f"Received: {told}\r\n by store.example.net (Postfix) with ESMTP id 4DEF; Tue, 1 Sep 2026 {at} +0000\r\n"
    assert [kind for _, kind, *_ in explain(line, proxied)] == ["scanned"]
    assert "scanned" not in [kind for _, kind, *_ in explain(line, queued)] or seconds < 300


def way(software, at, **last):
    """A hop of this software at 08:00:00, and the next host at another time."""
    return (
        received("mx.example.net", at, source="out.example.org", **last),
        received("out.example.org", "08:00:00", software),
    )


@pytest.mark.parametrize(
    ("software", "at", "by"),
    [
        ("(Postfix)", "08:05:02", "postfix"),
        ("(Postfix)", "11:12:13", "postfix"),
        ("(Exim 4.96)", "08:15:30", "exim"),
        ("(8.17.1/8.17.1)", "08:10:02", "sendmail"),
        ("", "08:05:02", ""),
    ],
)
def test_a_delay_as_long_as_the_sender_waits_before_it_tries_again_is_a_retry(software, at, by):
    ((position, kind, _, program),) = explain(*way(software, at))
    assert (position, kind, program) == (2, "retried", by)


@pytest.mark.parametrize(
    ("software", "at"),
    [
        ("(Postfix)", "08:04:50"),
        ("(Postfix)", "08:05:00"),  # its stamps leave a second open
        ("(Exim 4.96)", "08:14:00"),
        ("(8.17.1/8.17.1)", "08:09:00"),
        ("", "08:00:45"),
    ],
)
def test_a_shorter_one_is_none(software, at):
    assert explain(*way(software, at)) == []


def test_what_may_be_a_wrong_clock_is_no_retry():
    header = "".join(way("(Postfix)", "08:06:00")).encode()
    hops = read_passages(read_trace(header))
    assert explain_delays(hops, (), {2: 30.0})
    assert not explain_delays(hops, (), {2: 120.0})
    old = header.replace(b"1 Sep 2026 08:00:00", b"1 Aug 2026 08:00:00")
    assert not explain_delays(read_passages(read_trace(old)), ())


def test_a_long_time_within_one_host_is_no_retry():
    lines = (
        received("out.example.org", "08:07:00", source="out.example.org", ip="192.0.2.9"),
        received("out.example.org", "08:00:00"),
    )
    assert explain(*lines) == []


def test_two_servers_that_share_a_loopback_are_two():
    lines = (
        received("mx.example.net", "08:00:20", "(Postfix)", source="out.example.org", ip="127.0.0.1"),
        received("out.example.org", "08:00:00", "(Postfix)"),
    )
    assert explain(*lines) == []


AMAVIS = (
    (
        "Received: from localhost (localhost [127.0.0.1])\r\n by mx.example.net (Postfix) with ESMTP id x-3; "
        "Tue, 1 Sep 2026 {back} +0000\r\n"
    ),
    (
        "Received: from mx.example.net ([127.0.0.1])\r\n by localhost (mx.example.net [127.0.0.1]) (amavis, port 10024)\r\n"
        " with ESMTP id jJ5d-S8vQ9dc; Tue, 1 Sep 2026 {taken} +0000\r\n"
    ),
    (
        "Received: from out.example.org (out.example.org [192.0.2.7])\r\n by mx.example.net (Postfix) with ESMTPS id x-7; "
        "Tue, 1 Sep 2026 08:00:00 +0000\r\n"
    ),
)


@pytest.mark.parametrize(
    ("taken", "back", "found"),
    [
        ("08:00:01", "08:00:02", []),
        ("08:00:01", "08:00:41", [(3, "scanned", 40.0, "amavis")]),
        ("08:01:30", "08:01:31", [(2, "scanned", 90.0, "amavis")]),
        ("08:20:00", "08:20:01", []),  # so long it may have waited for the filter to come back
    ],
)
def test_time_in_a_filter_on_the_same_host_is_a_scan(taken, back, found):
    assert explain(*(line.format(taken=taken, back=back) for line in AMAVIS)) == found


GREYLISTED = [
    (
        "X-Greylist: delayed 361 seconds by postgrey-1.36 at mx; Tue, 19 May 2026 22:37:03 CEST",
        361.0,
        "postgrey",
    ),
    ("X-Greylist: delayed 04:28:48 by SQLgrey-1.7.6", 16128.0, "sqlgrey"),
    (
        "X-Greylist: Delayed for 00:05:03 by milter-greylist-4.6.2 (mx [192.0.2.1]); ...",
        303.0,
        "milter-greylist",
    ),
]


@pytest.mark.parametrize(("field", "seconds", "by"), GREYLISTED)
def test_a_greylisting_program_is_believed_before_any_inference(field, seconds, by):
    last, first = way("(Postfix)", "08:06:05")
    assert explain(last, field + "\r\n", first) == [(2, "greylisted", seconds, by)]
    quick, first = way("(Postfix)", "08:00:02")
    assert explain(quick, field + "\r\n", first) == [(2, "greylisted", seconds, by)]


@pytest.mark.parametrize(
    "field",
    [
        "X-Greylist: Sender IP whitelisted, not delayed by milter-greylist-4.5.16",
        "X-Greylist: from auto-whitelisted by SQLgrey-1.8.0",
        "X-Greylist: delayed by the sun",
        "X-Other: delayed 361 seconds by postgrey-1.36 at mx",
    ],
)
def test_what_was_not_put_off_is_not_called_so(field):
    last, first = way("(Postfix)", "08:00:02")
    assert explain(last, field + "\r\n", first) == []


def test_a_field_above_all_lines_is_of_nobody_in_particular():
    last, first = way("(Postfix)", "08:00:02")
    assert explain(GREYLISTED[0][0] + "\r\n", last, first) == [(None, "greylisted", 361.0, "postgrey")]


@given(st.lists(st.binary(max_size=60), max_size=8), st.lists(st.integers(0, 59), min_size=2, max_size=6))
def test_nothing_breaks_it(values, minutes):
    lines = [
        received(f"h{number}.example.net", f"08:{minute:02d}:00").encode()
        for number, minute in enumerate(minutes)
    ]
    header = b"".join(b"X-Greylist: " + value.replace(b"\n", b"") + b"\r\n" for value in values) + b"".join(
        lines
    )
    explain_delays(read_passages(read_trace(header)), split_fields(header))
