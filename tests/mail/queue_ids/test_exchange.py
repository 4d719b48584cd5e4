"""Microsoft's own times are given to the hops that their dates show they are of."""

from __future__ import annotations

from datetime import datetime

import pytest

from smtp_probe.mail.queue_ids.exchange import find_exchange_stamps, read_arrival_ns, read_duration_ns
from smtp_probe.mail.queue_ids.id_stamps import SECOND_NS
from smtp_probe.model import Hop

CROSS_TENANT = "x-ms-exchange-crosstenant-originalarrivaltime"
ORGANIZATION = "x-ms-exchange-organization-originalarrivaltime"
LATENCY = "x-ms-exchange-transport-endtoendlatency"
WINDOWS = "x-originalarrivaltime"


def as_ns(time: str) -> int:
    whole, _, fraction = time.partition(".")
    seconds = int(datetime.fromisoformat(f"2017-03-13T{whole}+00:00").timestamp())
    return seconds * SECOND_NS + int(fraction.ljust(9, "0"))


def hop(time: str, with_: str = "Microsoft SMTP Server", software: str | None = "exchange") -> Hop:
    return Hop(with_=with_, software=software, at_ns=as_ns(time), resolution_seconds=1.0)


# The way and the fields of a mail to outlook.com, as its header has them.
HOPS = (
    hop("00:19:17", "Microsoft SMTPSVC"),
    hop("00:19:18"),
    hop("00:19:18"),
    hop("00:19:20"),
    hop("00:19:21"),
)
FIELDS = (
    (WINDOWS, b"13 Mar 2017 00:19:17.0951 (UTC) FILETIME=[74364CF0:01D29B8F]"),
    (CROSS_TENANT, b"13 Mar 2017 00:19:18.1748 (UTC)"),
    (LATENCY, b"00:00:03.3280493"),
)


def found(fields, hops=HOPS):
    stamps = find_exchange_stamps(fields, hops)
    return {place: (stamp.at_ns, stamp.source, stamp.event) for place, stamp in stamps.items()}


def test_arrival_is_of_the_first_server_and_arrival_with_latency_is_of_the_mailbox():
    assert found(FIELDS) == {
        0: (as_ns("00:19:17.0951"), "smtpsvc_arrival", None),
        1: (as_ns("00:19:18.1748"), "exchange_arrival", None),
        4: (as_ns("00:19:21.5028"), "exchange_latency", "stored"),
    }


def test_both_names_of_the_arrival_are_read():
    assert found(((ORGANIZATION, b"13 Mar 2017 00:19:18.1748 (UTC)"),)).keys() == {1}


def test_an_arrival_shortly_before_the_first_date_is_of_the_first_server():
    assert found(((CROSS_TENANT, b"13 Mar 2017 00:19:16.9000 (UTC)"),)).keys() == {1}


def test_an_arrival_that_no_date_bears_out_is_of_no_hop():
    """A message that was sent on has those of its first journey, too."""
    assert found(((CROSS_TENANT, b"12 Mar 2017 16:55:08.9225 (UTC)"), (LATENCY, b"00:00:00.4650020"))) == {}


def test_a_latency_is_of_the_arrival_above_it():
    earlier_journey = (
        (CROSS_TENANT, b"12 Mar 2017 16:55:08.9225 (UTC)"),
        (LATENCY, b"00:00:00.4650020"),
        (CROSS_TENANT, b"13 Mar 2017 00:19:18.1748 (UTC)"),
    )

    assert found(earlier_journey).keys() == {1}


@pytest.mark.parametrize("latency", [b"00:00:02.5000000", b"00:00:06.0000000", b"-00:00:01.0000000"])
def test_a_latency_that_ends_before_the_last_date_or_long_after_it_is_not_believed(latency):
    assert found((FIELDS[1], (LATENCY, latency))).keys() == {1}


def test_one_server_has_its_arrival_and_no_end():
    assert found(FIELDS[1:], HOPS[1:2]) == {0: (as_ns("00:19:18.1748"), "exchange_arrival", None)}


def test_hops_of_other_software_get_nothing():
    assert found(FIELDS, [hop("00:19:18", "ESMTP", "postfix"), hop("00:19:21", "ESMTP", None)]) == {}


def test_the_first_of_two_stamps_counts():
    fields = (
        (CROSS_TENANT, b"13 Mar 2017 00:19:18.1748 (UTC)"),
        (ORGANIZATION, b"13 Mar 2017 00:19:18.2000 (UTC)"),
    )

    assert found(fields)[1][0] == as_ns("00:19:18.1748")


def test_fields_without_end_are_read_to_a_limit():
    fields = [(CROSS_TENANT, b"12 Mar 2017 16:55:08.9225 (UTC)")] * 16 + [FIELDS[1]]

    assert found(fields) == {}


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"13 Mar 2017 00:19:18.0000 (UTC)",
        b"13 Mar 2017 00:19:18.1748",
        b"31 Feb 2017 00:19:18.1748 (UTC)",
        b"13 mar 2017 00:19:18.1748 (UTC)",
        b"13 Xyz 2017 00:19:18.1748 (UTC)",
        b"00 Mar 0000 00:19:18.1748 (UTC)",
        b"13 Mar 2017 24:19:18.1748 (UTC)",
        b"13 Mar 2017 00:19:18.1748 (UTC)" + b" " * 10_000,
        b"\xff" * 40,
    ],
)
def test_what_is_no_arrival_is_none(value):
    """`.0000` is none: Exchange writes it where it puts an older header's whole second in the place of its own time."""
    assert read_arrival_ns(value) is None


@pytest.mark.parametrize(
    ("value", "duration_ns"),
    [
        (b"00:00:02.4964141", 2_496_414_100),
        (b"01:02:03", 3_723 * SECOND_NS),
        (b"1.02:03:04.0000001", 93_784 * SECOND_NS + 100),
        (b"-00:00:01.0000000", None),
        (b"00:00:02.4", None),
        (b"", None),
    ],
)
def test_durations_are_read_as_net_writes_them(value, duration_ns):
    assert read_duration_ns(value) == duration_ns
