"""What the stamps give away is said once, of the right hop, and only where it is certain."""

from __future__ import annotations

import pytest

from smtp_probe.mail.explanation.time_findings import check_times, find_slowest
from tests.mail.lines import chain, line, told

WELL = (("a.test", "08:00:00"), ("b.test", "08:00:01"), ("c.test", "08:00:02"))


def check(header, total=None, **options):
    found, disagreements = told(header)
    return list(check_times(found, disagreements, total, **options))


def checks(header, total=None):
    return [(each.check, each.severity, each.hop) for each in check(header, total)]


def slowest(header):
    found = find_slowest(*told(header))
    return None if found is None else found.position


def test_a_quick_way_is_no_finding():
    assert checks(chain(*WELL)) == []
    assert slowest(chain(*WELL)) is None


def test_the_slowest_hop_is_the_one_that_is_slow_for_certain():
    assert slowest(chain(("a.test", "08:00:00"), ("b.test", "08:00:03"), ("c.test", "08:00:05"))) == 2


@pytest.mark.parametrize(
    ("at", "expected"),
    [("08:00:30", []), ("08:00:40", [("slow_hop", "info", 2)]), ("08:06:00", [("slow_hop", "warning", 2)])],
)
def test_a_slow_hop_is_told_by_how_slow_it_is(at, expected):
    assert checks(chain(("a.test", "08:00:00"), ("b.test", at))) == expected


def test_a_slow_hop_is_told_with_its_share_and_the_log_to_look_in():
    message = check(chain(("a.test", "08:00:00"), ("b.test", "08:09:00"), ("c.test", "08:10:00")), 600.0)[
        0
    ].message

    assert message.startswith(
        "9 min 0 s of 10 min 0 s in all (90 %) passed between the stamps of hop 1 (a.test) and"
    )
    assert "the log of a.test" in message


def test_time_within_one_host_is_not_blamed_on_a_transfer():
    assert "within a.test" in check(chain(("a.test", "08:00:00"), ("a.test", "08:01:00")))[0].message


def test_time_over_hops_without_stamps_is_blamed_on_nobody():
    found = check(chain(("a.test", "08:00:00"), ("b.test", ""), ("c.test", "08:01:00")))

    assert "the hops in between do not tell" in found[0].message


def test_time_in_a_mailbox_that_was_emptied_is_thought_of():
    header = chain(("a.test", "08:00:00"), ("b.test", "08:01:00"))

    assert "from which it was fetched" in check(header, was_retrieved=True)[0].message
    assert "fetched" not in check(header)[0].message


def test_more_than_a_queue_keeps_is_no_delay():
    found = check(chain(("a.test", "Mon, 1 Sep 2025 08:00:00 +0000"), ("b.test", "08:00:00")))

    assert "No queue keeps mail that long" in found[0].message


def test_clocks_that_disagree_are_told_with_both_hosts_and_no_delay_is_called_slow():
    header = chain(
        ("a.test", "08:00:00"), ("b.test", "08:02:00"), ("c.test", "08:00:02"), ("d.test", "08:00:03")
    )

    found = check(header, 3.0)

    assert [(each.check, each.hop) for each in found] == [("negative_delay", 3)]
    assert "hop 3 (c.test) is 118 s before that of hop 2 (b.test)" in found[0].message
    assert "Most likely it is that of hop 2 (b.test)" in found[0].message
    assert slowest(header) is None


def test_a_delay_that_is_large_beside_the_disagreement_is_told_nevertheless():
    header = chain(("a.test", "08:00:00"), ("b.test", "08:20:00"), ("c.test", "08:19:55"))

    assert [(each.check, each.hop) for each in check(header, 1195.0)] == [
        ("negative_delay", 3),
        ("slow_hop", 2),
    ]
    assert " in all" not in check(header, 1195.0)[1].message, "no share of a total that is in doubt"


def test_one_second_backwards_is_told_and_a_second_that_may_be_none_is_not():
    assert checks(chain(("a.test", "08:00:01"), ("b.test", "08:00:00"))) == [("negative_delay", "warning", 2)]
    assert checks(chain(("a.test", "08:00:00"), ("b.test", "08:00:00"))) == []


def test_whole_hours_look_like_a_zone_and_one_host_has_one_clock():
    assert (
        "2 h looks like a wrong time zone"
        in check(chain(("a.test", "10:00:00"), ("b.test", "08:00:01")))[0].message
    )
    assert "the same host" in check(chain(("a.test", "10:00:00"), ("a.test", "08:00:01")))[0].message


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("", "missing_date"),
        ("gestern abend", "missing_date"),
        ("Tue, 1 Sep 2026 08:00:00", "unknown_zone"),
        ("Tue, 1 Sep 2026 08:00:00 XYZ", "unknown_zone"),
        ("Wed, 1 Sep 2026 08:00:00 +0000", "wrong_weekday"),
    ],
)
def test_odd_dates(date, expected):
    assert [(each.check, each.hop) for each in check(line("b.test", date) + line("a.test"))] == [
        (expected, 2)
    ]


def test_nothing_is_found_in_nothing():
    assert check(b"") == []
    assert slowest(b"") is None
