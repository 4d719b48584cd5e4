"""Exim's message ids tell when the data began to come; how finely depends on the version in the header."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.demo.queue_ids import exim_id
from smtp_probe.mail.queue_ids.exim import decode_exim
from smtp_probe.mail.queue_ids.id_stamps import SECOND_NS, agrees_with_date
from smtp_probe.model import Hop


def hop(
    message_id: str | None, version: str | None = None, date: str | None = None, with_: str = "ESMTPS"
) -> Hop:
    at_ns = None if date is None else int(datetime.fromisoformat(date).timestamp()) * SECOND_NS
    return Hop(
        id=message_id,
        software="exim",
        software_version=version,
        with_=with_,
        at_ns=at_ns,
        resolution_seconds=1.0,
    )


@pytest.mark.parametrize(
    ("message_id", "version", "date", "offset_seconds"),
    [
        ("1w18WL-0000000HJee-2IC1", "4.98.2", "2026-03-13T20:50:05+01:00", 0.546593),
        ("1w18WL-000864-28", "4.96", "2026-03-13T20:50:05+01:00", 0.66),
        ("1s2LTv-000Oik-0K", "4.96", "2024-05-02T11:43:31+10:00", 0.1),
        ("1rl4Wk-000EKD-0n", "4.96", "2024-03-15T10:11:02+00:00", 0.245),
        ("1uNmOb-0005UP-1w", "4.96", "2025-06-07T05:47:09+00:00", 0.6),
        ("1w18WM-0003qF-SU", "4.92", "2026-03-13T20:50:06+01:00", 0.883),
        ("1rI7Tb-001ePq-CM", "4.94.2", "2023-12-26T14:28:08+01:00", -0.617),
        ("1qLPdd-0003kY-WC", "4.90_1", "2023-07-17T10:55:53-04:00", -3.002),
        ("1qLPc1-00HTc0-2U", "4.96", "2023-07-17T16:55:39+02:00", -89.23),
    ],
)
def test_ids_of_real_headers_agree_with_their_dates(message_id, version, date, offset_seconds):
    """The last three were long in coming, or long in a filter: their headers are dated at the end of the data."""
    dated = hop(message_id, version, date)

    stamp = decode_exim(dated)

    assert stamp is not None
    assert agrees_with_date(stamp, dated)
    assert stamp.at_ns == dated.at_ns + round(offset_seconds * SECOND_NS)
    assert (stamp.source, stamp.event) == ("exim_id", "data")


@pytest.mark.parametrize(
    ("message_id", "version", "resolution_seconds"),
    [
        ("1w18WL-0000000HJee-2IC1", None, 1e-6),
        ("1w18WL-000864-28", "4.96.2", 0.005),
        ("1w18WM-0003qF-SU", "4.95", 0.0005),
    ],
)
def test_each_version_has_its_own_fineness(message_id, version, resolution_seconds):
    stamp = decode_exim(hop(message_id, version))

    assert stamp is not None
    assert stamp.resolution_seconds == resolution_seconds


@given(st.integers(0, 2**35), st.integers(0, 999_999), st.integers(1, 2**63))
def test_every_new_id_is_read_to_the_microsecond(seconds, micros, pid):
    at_ns = seconds * SECOND_NS + micros * 1000

    stamp = decode_exim(hop(exim_id(at_ns, pid)))

    assert stamp is not None
    assert stamp.at_ns == at_ns


def test_a_number_of_the_host_is_taken_off_where_it_can_be_seen():
    """Host 3: in a new id 3 x 500,000 + 123,456 units of 2 us; in one of 4.96, 3 x 200 + 100 units of 5 ms."""
    new, old = decode_exim(hop("1w18WL-0000000HJee-6oKm")), decode_exim(hop("1w18WL-000864-BI", "4.96"))

    assert new is not None
    assert old is not None
    assert (new.at_ns % SECOND_NS, new.resolution_seconds) == (246_912_000, 2e-6)
    assert old.at_ns % SECOND_NS == 500_000_000


def test_before_4_96_a_fraction_above_a_second_shows_the_hosts_number():
    """Host 10: 10 x 200 + 7 units of 5 ms."""
    stamp = decode_exim(hop("1w18WL-000864-WN", "4.95"))

    assert stamp is not None
    assert (stamp.at_ns % SECOND_NS, stamp.resolution_seconds) == (35_000_000, 0.005)


def test_the_new_form_is_its_own_sign_and_the_old_one_is_not():
    assert decode_exim(Hop(id="1w18WL-0000000HJee-2IC1")) is not None
    assert decode_exim(Hop(id="1w18WL-000864-28")) is None


@pytest.mark.parametrize("version", [None, "", "4.49", "4.43", "3.35", "4.97", "4.100", "5.0", "x", "٤.٩٦"])
def test_a_short_id_is_not_read_where_the_version_does_not_tell_its_unit(version):
    assert decode_exim(hop("1w18WL-000864-28", version)) is None


def test_an_id_of_a_clock_that_was_set_long_ago_is_not_believed():
    """From 4.97 on the clock of the ids is set when the daemon starts, and never again."""
    dated = hop("1w18WL-0000000HJee-2IC1", "4.98", "2026-03-13T20:50:08+01:00")

    stamp = decode_exim(dated)

    assert stamp is not None
    assert not agrees_with_date(stamp, dated)


def test_a_message_that_came_by_no_smtp_had_no_data_command():
    stamp = decode_exim(hop("1rl4Wk-000EKD-0n", "4.96", with_="local"))

    assert stamp is not None
    assert stamp.event is None


@pytest.mark.parametrize(
    "message_id",
    [None, "", "1w18WL-000864", "1w18WL-000864-2", "1w18WL-0000000HJee-2IC", "1w18WL_000864_28", "-" * 255],
)
def test_what_exim_does_not_write_is_not_read(message_id):
    assert decode_exim(hop(message_id, "4.96")) is None


def test_other_software_is_not_read():
    assert decode_exim(Hop(id="1w18WL-0000000HJee-2IC1", software="postfix")) is None
