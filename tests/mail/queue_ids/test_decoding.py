"""A hop gets the time in its id where that is known, agrees with the date, and is finer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.demo.queue_ids import dovecot_id, exim_id, postfix_long_id
from smtp_probe.mail.queue_ids.decoding import INFERRED, UNSETTLED, decode_id, refine_hop
from smtp_probe.mail.queue_ids.id_stamps import SECOND_NS, IdStamp, ModularStamp
from smtp_probe.model import Hop

DATE_NS = 1_795_000_000 * SECOND_NS
MS = 1_000_000
POSTFIX = Hop(
    software="postfix",
    with_="ESMTP",
    at_ns=DATE_NS,
    resolution_seconds=1.0,
    stamp_source="date",
    stamp_event="mail",
)


def uuid_1(at_ns: int) -> str:
    """Make a UUID of version 1, by other means than the code under test: its fields as RFC 9562 draws them."""
    ticks = at_ns // 100 + (date(1970, 1, 1) - date(1582, 10, 15)).days * 86_400 * 10**7
    return f"{ticks & 0xFFFFFFFF:08x}-{ticks >> 32 & 0xFFFF:04x}-1{ticks >> 48:03x}-8000-2bf370ae4941"


def long_hop(offset_ms: int) -> Hop:
    return replace(POSTFIX, id=postfix_long_id(DATE_NS + offset_ms * MS, 4711))


def short_hop(fraction_ms: int) -> Hop:
    return replace(POSTFIX, id=f"{fraction_ms * 1000:05X}4711")


@pytest.mark.parametrize(
    ("software", "written", "source", "event"),
    [
        ("postfix", postfix_long_id(DATE_NS + 250 * MS, 1), "postfix_id", "rcpt"),
        ("exim", exim_id(DATE_NS + 250 * MS, 1), "exim_id", "data"),
        ("dovecot", dovecot_id(DATE_NS + 250 * MS, 1, 2), "dovecot_id", "connection"),
        ("gmail", "kd14mr914856qvb.17.1795000000250", "gmail_id", None),
        ("zoho", "1795000000250896.811332013007", "zoho_id", None),
        ("halon", uuid_1(DATE_NS + 250 * MS), "halon_id", "connection"),
        ("stalwart", f"{(1_795_000_000_250 - 1_632_280_000_000) << 21:X}", "stalwart_id", "end_of_data"),
    ],
)
def test_every_software_is_read_through_one_door(software, written, source, event):
    hop = refine_hop(replace(POSTFIX, software=software, id=written))

    assert (hop.at_ns, hop.stamp_source, hop.stamp_event) == (DATE_NS + 250 * MS, source, event)
    assert hop.resolution_seconds is not None
    assert hop.resolution_seconds <= 0.001


@pytest.mark.parametrize("offset_ms", [-1, 301_000, -86_400_000])
def test_a_long_id_that_is_before_its_date_or_minutes_behind_it_is_not_believed(offset_ms):
    hop = long_hop(offset_ms)

    assert decode_id(hop) is None
    assert refine_hop(hop) is hop


def test_a_recipient_that_was_long_in_being_accepted_is_believed():
    hop = refine_hop(long_hop(4_300))

    assert (hop.at_ns, hop.stamp_event) == (DATE_NS + 4_300 * MS, "rcpt")


def test_a_hop_without_a_date_stays_without_a_stamp():
    hop = replace(long_hop(0), at_ns=None, resolution_seconds=None, stamp_source=None)

    assert refine_hop(hop) is hop


@pytest.mark.parametrize("written", [None, "", "x" * 255, "15.20.9343.17"])
def test_a_hop_whose_id_tells_nothing_stays_as_it_is(written):
    hop = replace(POSTFIX, id=written)

    assert decode_id(hop) is None
    assert refine_hop(hop) is hop


def test_a_stamp_that_is_finer_than_the_ids_stays():
    hop = replace(POSTFIX, software="zoho", id="1795000000250896.8", resolution_seconds=1e-6)

    assert refine_hop(hop) is hop


def test_a_connection_that_was_used_before_leaves_the_date():
    session = dovecot_id(DATE_NS + 250 * MS, 1, 2)
    hop = replace(POSTFIX, software="dovecot", id=f"{session}:T2")

    stamp = decode_id(hop)

    assert isinstance(stamp, IdStamp)
    assert stamp.is_lower_bound
    assert refine_hop(hop) is hop


def test_a_connection_that_waited_leaves_the_date():
    hop = replace(POSTFIX, software="dovecot", id=dovecot_id(DATE_NS - 5_000 * MS, 1, 2))

    assert refine_hop(hop) is hop


def test_a_short_id_is_a_fraction_and_says_so():
    stamp = decode_id(short_hop(250))

    assert isinstance(stamp, ModularStamp)
    assert stamp.fraction_ns == 250 * MS


@pytest.mark.parametrize(
    ("fraction_ms", "after_ms", "before_ms", "expected_ms", "flags"),
    [
        pytest.param(250, None, None, 250, (INFERRED,), id="alone it is of the date's own second"),
        pytest.param(250, 240, 300, 250, (), id="in order"),
        pytest.param(250, 300, 1000, 250, (), id="clocks are a little apart"),
        pytest.param(3, 980, None, 1003, (INFERRED,), id="the recipient came in the next second"),
        pytest.param(
            3, 980, 1050, 1003, (), id="the recipient came in the next second, and the next hop then"
        ),
        pytest.param(250, 240, 1300, 250, (INFERRED,), id="the next second would be in order, too"),
        pytest.param(3, 980, 20, None, (UNSETTLED,), id="neither second is in order"),
        pytest.param(250, 3_900, None, 250, (INFERRED,), id="the clock before is ahead, and says nothing"),
        pytest.param(250, -900, -200, 250, (INFERRED,), id="the clock behind is late, and says nothing"),
    ],
)
def test_the_second_of_a_short_id_is_the_smallest_that_is_in_order(
    fraction_ms, after_ms, before_ms, expected_ms, flags
):
    around = {
        name: None if ms is None else DATE_NS + ms * MS
        for name, ms in (("after_ns", after_ms), ("before_ns", before_ms))
    }

    hop = refine_hop(short_hop(fraction_ms), **around)

    if expected_ms is None:
        assert (hop.at_ns, hop.stamp_source, hop.date_ns) == (DATE_NS, "date", None)
    else:
        assert (hop.at_ns, hop.stamp_source) == (DATE_NS + expected_ms * MS, "postfix_short_id")
        assert (hop.resolution_seconds, hop.stamp_event, hop.date_ns) == (1e-6, "rcpt", DATE_NS)
    assert hop.flags == flags


@pytest.mark.parametrize("resolution_seconds", [60.0, 0.001, None])
def test_a_date_that_is_not_of_whole_seconds_settles_no_second(resolution_seconds):
    hop = refine_hop(replace(short_hop(250), resolution_seconds=resolution_seconds))

    assert (hop.at_ns, hop.flags) == (DATE_NS, (UNSETTLED,))


@given(
    st.sampled_from(
        ["postfix", "exim", "dovecot", "gmail", "zoho", "halon", "stalwart", "ses", "exchange", None]
    ),
    st.text(max_size=60),
    st.one_of(st.none(), st.text(max_size=10)),
    st.one_of(st.none(), st.integers(-(10**20), 10**20)),
)
def test_no_id_is_too_strange(software, written, version, at_ns):
    hop = Hop(
        software=software,
        software_version=version,
        id=written,
        relay_ids=(written,),
        at_ns=at_ns,
        resolution_seconds=None if at_ns is None else 1.0,
    )

    refined = refine_hop(hop, after_ns=at_ns, before_ns=at_ns)

    assert (refined.at_ns is None) == (at_ns is None)
