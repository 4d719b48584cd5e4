"""The ids of providers are read to the instant that their own dates, or notifications, bear out."""

from __future__ import annotations

from datetime import datetime

import pytest

from smtp_probe.mail.queue_ids.id_stamps import MILLISECOND_NS, SECOND_NS, agrees_with_date
from smtp_probe.mail.queue_ids.providers import (
    decode_gmail,
    decode_halon,
    decode_ses,
    decode_stalwart,
    decode_zoho,
)
from smtp_probe.model import Hop


def as_ns(instant: str) -> int:
    return round(datetime.fromisoformat(instant).timestamp() * 1000) * MILLISECOND_NS


def hop(software: str | None, written: str | None, date: str | None = None, **more) -> Hop:
    at_ns = None if date is None else as_ns(date)
    return Hop(software=software, id=written, at_ns=at_ns, resolution_seconds=1.0, **more)


@pytest.mark.parametrize(
    ("written", "date", "milliseconds"),
    [
        ("1728687560568724.2057795814977", "2024-10-11T15:59:20-07:00", 568),
        ("1734535465032784.0309698241986", "2024-12-18T07:24:25-08:00", 32),
        ("174180410138425.066715854452468", "2025-03-12T11:28:21-07:00", 384),
        ("17448330628774.730471333362061", "2025-04-16T12:51:02-07:00", 877),
        ("17451005092371023.849891890091", "2025-04-19T15:08:29-07:00", 237),
    ],
)
def test_zoho_writes_milliseconds_with_a_random_number_behind_them(written, date, milliseconds):
    """Ids of 14, 15 and 17 digits before the point show that what follows the milliseconds is no time."""
    stamp = decode_zoho(hop("zoho", written))

    assert stamp is not None
    assert stamp.at_ns == as_ns(date) + milliseconds * MILLISECOND_NS
    assert (stamp.resolution_seconds, stamp.source, stamp.event) == (0.001, "zoho_id", None)


@pytest.mark.parametrize(
    ("written", "date", "offset_seconds"),
    [
        ("ec960d4c-df74-11eb-8539-12813bfff9fa", "2021-07-07T22:44:44+00:00", 0.338926),
        ("9163679e-1f01-11f1-b164-2bf370ae4941", "2026-03-13T18:25:02+01:00", -0.016471),
        ("c4c43c99-2a9d-11f0-9ffb-bf95429c2676", "2025-05-06T19:15:55+02:00", -0.208766),
        ("2f41b763-bd54-11ef-99a3-01e77a169b0f", "2024-12-18T16:24:35+01:00", -1.048681),
        ("70227d62-b1e8-11e9-8980-bc764e045a96", "2019-07-29T10:05:48+00:00", 0.334832),
    ],
)
def test_halons_ids_of_real_headers_are_at_their_dates_or_shortly_before(written, date, offset_seconds):
    dated = hop("halon", written, date)

    stamp = decode_halon(dated)

    assert stamp is not None
    assert agrees_with_date(stamp, dated)
    assert (stamp.at_ns - as_ns(date)) / SECOND_NS == pytest.approx(offset_seconds, abs=1e-6)
    assert (stamp.resolution_seconds, stamp.event) == (1e-7, "connection")


def test_halons_random_ids_tell_no_time():
    assert decode_halon(hop("halon", "e732afb0-b721-44b7-97b4-18aede15e640")) is None


@pytest.mark.parametrize(
    ("written", "date", "milliseconds"),
    [
        ("48F8FC996C00000", "2026-09-09T20:57:54+00:00", 614),
        ("49A5F2B839DB1C2", "2026-09-26T15:59:40+00:00", 60),
        ("36DAF29F3A02098", "2025-06-16T13:33:03+00:00", 773),
        ("3DE517AF3D36E02", "2025-12-08T12:51:09+00:00", 854),
        ("4A2CBA3DEA00600", "2026-10-09T18:03:11+00:00", 477),
    ],
)
def test_stalwarts_ids_of_real_headers_are_in_the_second_of_their_dates(written, date, milliseconds):
    stamp = decode_stalwart(hop("stalwart", written))

    assert stamp is not None
    assert stamp.at_ns == as_ns(date) + milliseconds * MILLISECOND_NS
    assert (stamp.resolution_seconds, stamp.event) == (0.001, "end_of_data")


@pytest.mark.parametrize(
    ("message_id", "instant"),
    [
        ("0100019afc61a6a3-642eaf57-7afe-449e-a1f2-79b7a0e7a531-000000", "2025-12-08T05:14:09.443+00:00"),
        ("01000176b53c7cab-4c5f8539-8fae-444c-b49c-0e2c87c0045e-000000", "2020-12-30T20:00:08.875+00:00"),
        ("0100018b8375d149-b3a90120-37e5-4873-a60d-b64f70e677cb-000000", "2023-10-31T02:00:18.505+00:00"),
        ("010201632cab47dd-924f80f8-4ae2-4ba0-9c8b-050db003711a-000000", "2018-05-04T19:40:12.637+00:00"),
        ("010101777df559d4-5080db0f-5e72-43aa-af23-3cdeca00807c-000000", "2021-02-07T19:26:07.316+00:00"),
    ],
)
def test_the_message_ids_of_ses_are_the_time_stamps_of_its_notifications(message_id, instant):
    plain, regional = (
        decode_ses(f"<{message_id}@{domain}amazonses.com>") for domain in ("email.", "eu-west-1.")
    )

    assert plain == regional
    assert plain is not None
    assert plain.at_ns == as_ns(instant)
    assert (plain.resolution_seconds, plain.source) == (0.001, "ses_message_id")


@pytest.mark.parametrize(
    "message_id",
    [
        "",
        "<0100019afc61a6a3-642eaf57-7afe-449e-a1f2-79b7a0e7a531-000000@example.net>",
        "<0100019afc61a6a3-642eaf57@email.amazonses.com>",
        "<0100019afc61a6a3-642eaf57-7afe-449e-a1f2-79b7a0e7a531-000000@amazonses.com.example.net>",
        "<" * 200,
    ],
)
def test_other_message_ids_tell_nothing(message_id):
    assert decode_ses(message_id) is None


def test_gmail_is_read_from_the_line_that_is_closest_to_the_hops_own():
    stamp = decode_gmail(
        hop(
            "gmail",
            "6a1803df08f44-6cbd0ebsi123456d6.301.2026.09.01.01.00.02",
            relay_ids=("kd14mr914856qvb.17.1788249603999", "kd14mr914855qvb.17.1788249603119"),
        )
    )

    assert stamp is not None
    assert stamp.at_ns == 1_788_249_603_119 * MILLISECOND_NS
    assert (stamp.resolution_seconds, stamp.source, stamp.event) == (0.001, "gmail_id", None)


def test_gmails_form_is_its_own_sign():
    assert decode_gmail(hop(None, "00721157ae682-71c1673mr1234567b3.44.1788249601434")) is not None


@pytest.mark.parametrize(
    "written",
    [None, "b13csp1422911mdf", "00721157ae682-71bf56d8a6so1234567b3.1", "a.17.1788249603119", "mr" * 120],
)
def test_other_ids_of_gmail_tell_nothing(written):
    assert decode_gmail(hop("gmail", written)) is None


@pytest.mark.parametrize("decode", [decode_zoho, decode_halon, decode_stalwart])
@pytest.mark.parametrize(
    "written",
    ["1728687560568724.2057795814977", "ec960d4c-df74-11eb-8539-12813bfff9fa", "48F8FC996C00000"],
)
def test_no_form_is_read_without_its_software(decode, written):
    assert decode(hop(None, written)) is None
    assert decode(hop("postfix", written)) is None


@pytest.mark.parametrize(
    ("software", "decode"), [("zoho", decode_zoho), ("halon", decode_halon), ("stalwart", decode_stalwart)]
)
@pytest.mark.parametrize("written", [None, "", "1788249601.1", "x", "0" * 255, "urn:uuid:", "{" * 36])
def test_what_they_do_not_write_is_not_read(software, decode, written):
    assert decode(hop(software, written)) is None
