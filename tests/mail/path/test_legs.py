"""The way is divided where it crosses from one organisation to another, and nowhere by guessing."""

from __future__ import annotations

from smtp_probe.mail.path.legs import Border, find_border, find_legs
from tests.mail.lines import chain, line, passages

SENDER = (("app.example.org", "08:00:00"), ("out.example.org", "08:00:02"))
RECEIVER = (("mx.example.net", "08:00:10"), ("store.example.net", "08:00:11"))


def divide(header, *own):
    found = passages(header)
    border = find_border(found, own)
    return border, [(leg.leg, leg.from_hop, leg.to_hop, leg.seconds) for leg in find_legs(found, border)]


def test_sender_transport_and_receiver():
    assert divide(chain(*SENDER, *RECEIVER)) == (
        Border(own=("example.net",), is_assumed=True, first_own_hop=3),
        [("outbound", 1, 2, 2.0), ("transport", 2, 3, 8.0), ("inbound", 3, 4, 1.0)],
    )


def test_strangers_in_between_are_transport():
    header = chain(*SENDER, ("relay.example.com", "08:00:05"), *RECEIVER)

    assert divide(header)[1] == [("outbound", 1, 2, 2.0), ("transport", 2, 4, 8.0), ("inbound", 4, 5, 1.0)]


def test_a_leg_of_one_hop_takes_no_time_that_is_known():
    assert divide(chain(SENDER[0], RECEIVER[0]))[1] == [("transport", 1, 2, 10.0)]
    assert divide(chain(RECEIVER[0])) == (Border(own=("example.net",), is_assumed=True, first_own_hop=1), [])


def test_a_way_within_one_organisation_is_all_its_own():
    assert divide(chain(*RECEIVER, source="desk.example.net"))[1] == [("inbound", 1, 2, 1.0)]


def test_the_border_is_where_a_stranger_handed_it_in_whatever_the_lines_beneath_say():
    """The line beneath claims to be of the receiver; the receiver says that it took it from somebody else."""
    header = line("mx.example.net", "08:00:09", source="out.example.org") + line(
        "mx1.example.net", "08:00:00"
    )

    border, legs = divide(header)

    assert border.first_own_hop == 2
    assert legs == [("transport", 1, 2, 9.0)]


def test_hosts_whose_names_tell_nothing_belong_to_those_around_them():
    header = chain(
        ("ex01.corp.local", "08:00:00"),
        ("out.example.org", "08:00:01"),
        ("mx.example.net", "08:00:03"),
        ("filter", "08:00:04"),
        ("store.example.net", "08:00:06"),
        ("vault.corp.local", "08:00:07"),
    )

    assert divide(header)[1] == [("outbound", 1, 2, 1.0), ("transport", 2, 3, 2.0), ("inbound", 3, 6, 4.0)]


def test_what_somebody_calls_his_own_moves_the_border():
    header = chain(*SENDER, ("gateway.example.com", "08:00:05"), *RECEIVER)

    border, legs = divide(header, "example.net", "gateway.example.com")

    assert border == Border(own=("example.net", "gateway.example.com"), first_own_hop=3)
    assert legs == [("outbound", 1, 2, 2.0), ("transport", 2, 3, 3.0), ("inbound", 3, 5, 6.0)]


def test_a_single_host_may_be_ones_own():
    assert divide(chain(*SENDER, *RECEIVER), "store.example.net")[0].first_own_hop == 4


def test_own_hosts_that_did_not_write_the_topmost_line_give_no_border():
    border, legs = divide(chain(*SENDER, *RECEIVER), "mx.example.net")

    assert border.first_own_hop is None
    assert legs == [("outbound", 1, 2, 2.0)]


def test_a_leg_whose_end_has_no_stamp_is_left_out():
    assert divide(chain(*SENDER, ("mx.example.net", ""), RECEIVER[1]))[1] == [("outbound", 1, 2, 2.0)]


def test_a_leg_is_raw_and_may_be_negative():
    assert divide(chain(SENDER[0], ("mx.example.net", "07:59:00")))[1] == [("transport", 1, 2, -60.0)]


def test_no_hops_and_no_names_give_nothing():
    assert divide(b"") == (Border(is_assumed=True), [])
    assert divide(chain(("localhost", "08:00:00"), ("store", "08:00:01"))) == (Border(is_assumed=True), [])
