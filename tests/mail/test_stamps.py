"""A foreign stamp is believed only inside the window that our own clock knows."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.stamps import choose_stored, gmail_instant_ns, guid_instant_ns
from smtp_probe.model import Location, MailboxMessage, Placement, Stamp

SECOND = 1_000_000_000
DOT = 1_795_000_000 * SECOND + 250_000_000


def guid_of(instant_ns: int) -> str:
    seconds, fraction = divmod(instant_ns, SECOND)
    return (struct.pack("<II", fraction, seconds) + b"\x99\x0a\0\0hash").hex()


def message(seen_ns, **stamps):
    location = Location(mailbox="m", folder="INBOX", uidvalidity=1, uid=1)
    return MailboxMessage(location=location, placement=Placement.INBOX, seen_ns=seen_ns, header=b"", **stamps)


@pytest.mark.parametrize(
    ("guid", "instant_ns"),
    [
        (guid_of(DOT + 123), DOT + 123),
        (guid_of(DOT).upper(), DOT),
        ("1795000000.M123456P4242.mx1", 1_795_000_000_123_456_000),
        ("1795000000.M7P4242.mx1.example.org,S=2048,W=2100", 1_795_000_000_000_007_000),
        ("1795000000.M123456P42V00I00_0.mx1:2,S", 1_795_000_000_123_456_000),
        ("1795460469.Vfe00I21904cM46441.mx1", 1_795_460_469_046_441_000),
        ("1795460469.H46441P2102.mx1", 1_795_460_469_046_441_000),
    ],
)
def test_both_forms_of_a_guid_are_read(guid, instant_ns):
    assert guid_instant_ns(guid) == (instant_ns, 1e-6)


@pytest.mark.parametrize(
    "guid",
    [
        "",
        "no guid",
        guid_of(1_000_000_000 * SECOND),
        guid_of(4_200_000_000 * SECOND),
        struct.pack("<II", SECOND, 1_795_000_000).hex() + "0" * 16,
        guid_of(DOT) + "00",
        "1795000000.P4242.mx1",
        "12345.M1P1.x",
        "1795000000.H4242.mx1",
        "\u0661795000000.M1P1.x",
    ],
)
def test_what_holds_no_instant_is_none(guid):
    assert guid_instant_ns(guid) is None


@given(st.text())
def test_reading_a_guid_never_raises(guid):
    guid_instant_ns(guid)


@given(st.integers(1_104_537_600 * SECOND, 4_102_444_799 * SECOND))
def test_every_instant_of_our_years_is_read_back(instant_ns):
    assert guid_instant_ns(guid_of(instant_ns)) == (instant_ns, 1e-6)
    milliseconds = instant_ns // 1_000_000
    assert gmail_instant_ns(milliseconds << 20 | 0xFFFFF) == milliseconds * 1_000_000


@pytest.mark.parametrize(
    ("named", "file_time_ns", "chosen"),
    [
        ("1795000000.M300000P4242.mx1", DOT + 90_000_000, (Stamp.FILE_NAME, DOT + 50_000_000, 1e-6)),
        ("1795000000.4242_1.mx1", DOT + 90_000_000, (Stamp.FILE_TIME, DOT + 90_000_000, 1e-2)),
        (
            "1795000000.4242_1.mx1",
            1_795_000_000 * SECOND,
            (Stamp.INTERNALDATE, 1_795_000_000_625_000_000, 1.0),
        ),
        ("1795000000.4242_1.mx1", DOT + 3600 * SECOND, (Stamp.INTERNALDATE, 1_795_000_000_625_000_000, 1.0)),
        ("1795000000.4242_1.mx1", DOT - 3600 * SECOND, (Stamp.INTERNALDATE, 1_795_000_000_625_000_000, 1.0)),
    ],
)
def test_of_a_file_the_finest_time_that_goes_with_its_name_counts(named, file_time_ns, chosen):
    stored_ns, stamp, resolution = choose_stored(
        message(
            DOT + 2 * SECOND,
            guid=named,
            internaldate_ns=1_795_000_000 * SECOND,
            file_time_ns=file_time_ns,
        ),
        DOT,
    )
    assert (stamp, stored_ns, resolution) == chosen


def test_a_gmail_id_is_milliseconds():
    assert gmail_instant_ns(0x124C8F386D41FD3A) == 1_257_501_853_396 * 1_000_000


@pytest.mark.parametrize("msgid", [0, -1, 1, 2**63, 2**200])
def test_a_gmail_id_outside_our_years_is_none(msgid):
    assert gmail_instant_ns(msgid) is None


def test_a_guid_inside_the_window_is_the_time_of_storing():
    seen = message(DOT + 2 * SECOND, guid=guid_of(DOT + 5_000_000), internaldate_ns=DOT // SECOND * SECOND)
    assert choose_stored(seen, DOT) == (DOT + 5_000_000, Stamp.GUID, 1e-6)


def test_a_gmail_id_inside_the_window_is_the_time_of_storing():
    milliseconds = DOT // 1_000_000 + 40
    seen = message(DOT + 2 * SECOND, gmail_msgid=milliseconds << 20 | 77)
    assert choose_stored(seen, DOT) == (milliseconds * 1_000_000, Stamp.GMAIL, 1e-3)


@pytest.mark.parametrize("error_ns", [-1, -5 * SECOND, 60 * SECOND])
def test_a_clock_that_disagrees_is_not_believed_in_any_of_its_stamps(error_ns):
    stamp_ns = DOT + error_ns
    seen = message(DOT + 10 * SECOND, guid=guid_of(stamp_ns), internaldate_ns=stamp_ns // SECOND * SECOND)
    assert choose_stored(seen, DOT) == (DOT + 10 * SECOND, Stamp.SEEN, 1e-9)


def test_an_unreadable_guid_leaves_the_internaldate():
    day = DOT // SECOND * SECOND
    seen = message(DOT + 10 * SECOND, guid="opaque", internaldate_ns=day + 3 * SECOND)
    assert choose_stored(seen, DOT) == (day + 3 * SECOND + SECOND // 2, Stamp.INTERNALDATE, 1.0)


def test_the_second_of_the_final_dot_is_cut_at_the_dot():
    second = DOT // SECOND * SECOND
    seen = message(DOT + 10 * SECOND, internaldate_ns=second)
    assert choose_stored(seen, DOT) == ((DOT + second + SECOND) // 2, Stamp.INTERNALDATE, 1.0)


def test_an_internaldate_whose_second_has_not_ended_says_less_than_our_eyes():
    second = DOT // SECOND * SECOND
    assert choose_stored(message(second + SECOND, internaldate_ns=second), DOT)[1] is Stamp.SEEN


def test_an_internaldate_before_the_final_dot_is_a_wrong_clock():
    second = DOT // SECOND * SECOND - SECOND
    assert choose_stored(message(DOT + 9 * SECOND, internaldate_ns=second), DOT)[1] is Stamp.SEEN


def test_without_a_final_dot_only_our_own_clock_is_left():
    seen = message(DOT, guid=guid_of(DOT - 5), internaldate_ns=DOT - 60 * SECOND)
    assert choose_stored(seen, None) == (DOT, Stamp.SEEN, 1e-9)


def test_without_any_stamp_the_instant_of_seeing_is_given():
    assert choose_stored(message(DOT + 1), DOT) == (DOT + 1, Stamp.SEEN, 1e-9)


@given(
    st.integers(0, 100 * SECOND),
    st.integers(-200 * SECOND, 200 * SECOND),
    st.none() | st.integers(-200, 200),
    st.booleans(),
)
def test_the_chosen_instant_always_lies_inside_the_window(seen_after, guid_after, date_after, with_guid):
    date = None if date_after is None else (DOT // SECOND + date_after) * SECOND
    seen = message(
        DOT + seen_after, guid=guid_of(DOT + guid_after) if with_guid else None, internaldate_ns=date
    )
    stored_ns, _, _ = choose_stored(seen, DOT)
    assert DOT <= stored_ns <= DOT + seen_after


def test_a_look_just_before_says_more_than_a_whole_second():
    day = DOT - DOT % SECOND
    shown = message(DOT + 3 * SECOND, internaldate_ns=day + SECOND, absent_ns=DOT + 3 * SECOND - SECOND // 10)

    assert choose_stored(shown, DOT) == (DOT + 3 * SECOND, Stamp.SEEN, 1e-9)


def test_a_long_time_without_a_look_leaves_the_internaldate():
    day = DOT - DOT % SECOND
    shown = message(DOT + 9 * SECOND, internaldate_ns=day + 3 * SECOND, absent_ns=DOT)

    assert choose_stored(shown, DOT)[1] is Stamp.INTERNALDATE


@pytest.mark.parametrize(("behind", "stamp"), [(SECOND // 50, Stamp.GUID), (5 * SECOND, Stamp.SEEN)])
def test_a_stamp_long_before_a_look_at_the_folder_without_the_message_is_a_wrong_clock(behind, stamp):
    seen_ns = DOT + 60 * SECOND
    absent_ns = seen_ns - SECOND // 10
    shown = message(seen_ns, guid=guid_of(absent_ns - behind), absent_ns=absent_ns)

    assert choose_stored(shown, DOT)[1] is stamp
