"""The way of a message is read from its header as each mail software writes it, and its raw delays are told."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_probe.mail.trace import MAX_RECEIVED, measure_delays, read_trace
from smtp_probe.model import Hop
from tests.mail.quickest import measure_quickest

MAILS = sorted((Path(__file__).parent.parent / "data" / "received").glob("*.eml"))
RECEIVED_LINES = [
    line for mail in MAILS for line in re.findall(rb"(?m)^Received:.*\n(?:[ \t].*\n)*", mail.read_bytes())
]


def as_ns(instant: str) -> int:
    """Read an ISO instant with up to nine decimals, by other means than the code under test."""
    whole, _, fraction = instant.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * 10**9 + int(fraction.ljust(9, "0") or 0)


def expected_hop(written: dict) -> dict:
    """Complete what is written beside a mail: all that is not written there is unknown, and must be read so."""
    hop = asdict(Hop())
    for name, value in written.items():
        if name == "at":
            hop["at_ns"], hop["stamp_source"] = as_ns(value), written.get("stamp_source", "date")
            hop["resolution_seconds"] = written.get("resolution_seconds", 1.0)
            if hop["stamp_source"] == "postfix_short_id":
                hop["date_ns"] = hop["at_ns"] - hop["at_ns"] % 10**9
        else:
            field = f"{name}_" if name in ("with", "for") else name
            assert field in hop, f"{name} is no field of a hop"
            hop[field] = tuple(value) if isinstance(value, list) else value
    return hop


@pytest.mark.parametrize("mail", MAILS, ids=lambda path: path.stem)
def test_every_dialect_is_read_as_written_beside_it(mail):
    expected = json.loads(mail.with_suffix(".json").read_text(encoding="utf-8"))

    trace = read_trace(mail.read_bytes())

    assert [expected_hop(hop) for hop in expected["hops"]] == [asdict(hop) for hop in trace.hops]
    assert expected["delays"] == [{"by": delay.by, "seconds": delay.delay_seconds} for delay in trace.delays]
    assert tuple(expected["flags"]) == trace.flags


def test_there_is_a_mail_of_every_software_that_is_promised():
    assert {mail.stem for mail in MAILS} >= {
        *(
            "postfix",
            "exim",
            "exim-old",
            "sendmail",
            "qmail",
            "netqmail",
            "opensmtpd",
            "exchange",
            "microsoft365",
        ),
        *(
            "gmail",
            "amazon-ses",
            "sendgrid",
            "mailgun",
            "zoho",
            "yahoo",
            "powermta",
            "halon",
            "haraka",
            "stalwart",
        ),
        *(
            "maddy",
            "mimecast",
            "proofpoint",
            "barracuda",
            "dovecot-lmtp",
            "cyrus-lmtp",
            "courier",
            "communigate",
        ),
        *("mailenable", "hmailserver", "kerio", "amavis", "mailing-lists", "fetchmail"),
    }


def line(by="mx.example.net", at="08:00:00", name="Received"):
    date = f"; Tue, 1 Sep 2026 {at} +0000" if at else ""
    return f"{name}: from a.example by {by} with ESMTP id {by[:2]}{date}\r\n".encode()


def delays_of(*lines):
    return [(d.position, d.by, d.delay_seconds) for d in read_trace(b"".join(lines)).delays]


def test_hops_are_told_oldest_first_in_the_order_of_their_lines_and_not_of_their_dates():
    assert delays_of(line("c", "08:00:01"), line("b", "09:00:00"), line("a", "08:00:00")) == [
        (1, "a", None),
        (2, "b", 3600.0),
        (3, "c", -3599.0),
    ]


def test_a_delay_reaches_over_hops_without_a_stamp():
    assert delays_of(line("d", "08:00:05"), line("c", ""), line("b", "08:00:02"), line("a", "")) == [
        (1, "a", None),
        (2, "b", None),
        (3, "c", None),
        (4, "d", 3.0),
    ]


def test_two_equal_stamps_are_no_time_apart_and_that_is_not_unknown():
    assert delays_of(line("b"), line("a")) == [(1, "a", None), (2, "b", 0.0)]


def test_a_delay_is_exact_to_the_nanosecond_of_finer_stamps():
    hops = [Hop(by="a", at_ns=1788249600 * 10**9), Hop(by="b", at_ns=1788249600 * 10**9 + 364_803_347)]

    assert measure_delays(hops)[1].delay_seconds == 0.364803347


START_NS = 1788249600 * 10**9


@pytest.mark.parametrize(
    ("stamps", "delay_seconds"),
    [
        pytest.param(((400, 1e-6), (650, 1e-6)), 0.25, id="both are fine"),
        pytest.param(((400, 1e-6), (650, 0.005)), 0.25, id="both are fine enough"),
        pytest.param(((950, 1e-6), (0, 1.0)), -0.95, id="a date in the same second"),
        pytest.param(((950, 1e-6), (1000, 1.0)), 0.05, id="a date in the next second"),
        pytest.param(((0, 1.0), (950, 1e-6)), 0.95, id="behind a date in the same second"),
        pytest.param(((1000, 1.0), (950, 1e-6)), -0.05, id="behind a date in the next second"),
        pytest.param(((0, 60.0), (59_950, 1.0)), 59.95, id="a date without seconds"),
    ],
)
def test_a_delay_is_one_stamp_less_the_other_as_they_are(stamps, delay_seconds):
    hops = [Hop(at_ns=START_NS + ms * 10**6, resolution_seconds=resolution) for ms, resolution in stamps]

    assert measure_delays(hops)[1].delay_seconds == delay_seconds


def test_more_than_sixty_four_lines_are_not_read_and_the_topmost_stay():
    trace = read_trace(b"".join(line(f"h{n}") for n in range(70)))

    assert len(trace.hops) == len(trace.delays) == MAX_RECEIVED
    assert (trace.hops[-1].by, trace.hops[0].by) == ("h0", "h63")
    assert trace.flags == ("too_many_hops",)


def test_sixty_four_lines_are_all_read():
    trace = read_trace(b"".join(line(f"h{n}") for n in range(64)))

    assert (len(trace.hops), trace.flags) == (64, ())


def test_an_x_received_line_is_no_hop_but_gives_its_id_to_the_line_below_it():
    trace = read_trace(
        line("top")
        + line("x1", name="X-Received")
        + line("x2", name="X-Received")
        + line("low")
        + line("x3", name="X-Received")
    )

    assert [(hop.by, hop.relay_ids) for hop in trace.hops] == [("low", ("x1", "x2")), ("top", ())]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Subject: none\r\n\r\nReceived: in the body\r\n",
        b"Received-SPF: pass\r\n",
        b"X-Received: by x; Tue, 1 Sep 2026 08:00:00 +0000\r\n",
    ],
)
def test_a_header_without_hops_is_an_empty_trace(header):
    trace = read_trace(header)

    assert (trace.hops, trace.delays, trace.flags) == ((), (), ("no_received",))


def test_a_mail_that_was_only_fetched_has_no_hops():
    header = b"Received: from a by b with POP3 (fetchmail-6.4.37); Tue, 1 Sep 2026 08:00:00 +0000\r\n"

    assert read_trace(header).flags == ("retrieval_dropped", "no_received")


@given(st.lists(st.sampled_from(MAILS), min_size=1, max_size=6))
@settings(deadline=None)
def test_mails_put_on_top_of_each_other_have_all_their_hops(mails):
    header = b"".join(mail.read_bytes().strip() + b"\r\n" for mail in mails)
    single = [(hop.by, hop.id) for mail in reversed(mails) for hop in read_trace(mail.read_bytes()).hops]

    together = [(hop.by, hop.id) for hop in read_trace(header).hops]

    assert together == single[-len(together) :]


@pytest.mark.slow
@given(
    st.sampled_from([mail.read_bytes() for mail in MAILS]),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 40), st.binary(max_size=10)), max_size=10),
)
@settings(max_examples=300, deadline=None)
def test_damaged_mails_never_raise(mail, damages):
    for place, length, replacement in damages:
        mail = mail[:place] + replacement + mail[place + length :]

    trace = read_trace(mail)

    assert [delay.position for delay in trace.delays] == list(range(1, len(trace.hops) + 1))
    assert all(len(delay.by) <= 64 for delay in trace.delays)


@pytest.mark.slow
@given(st.lists(st.sampled_from(RECEIVED_LINES), min_size=64, max_size=64))
@settings(max_examples=20, deadline=None)
def test_sixty_four_hops_of_any_dialect_are_read_in_no_time(lines):
    """It takes some 4 ms on a busy old machine; the limit only catches what is not linear."""
    header = b"".join(lines)

    seconds, _ = measure_quickest(lambda: read_trace.__wrapped__(header))

    assert seconds < 0.1
