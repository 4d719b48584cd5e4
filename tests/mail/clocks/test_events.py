"""Stamps as intervals: which are used, and when each event can have been."""

import pytest

from smtp_probe.mail.clocks.events import MAX_EVENTS, REFERENCE, find_window, read_chain
from smtp_probe.mail.clocks.facts import ClockLimits, UnusedStamp
from tests.mail.clocks.samples import (
    DOT_NS,
    EXACT,
    FULL,
    MS,
    SECOND_NS,
    bare,
    chain_of,
    dialogue,
    hop,
    observe_chain,
    sighting,
    stamp,
)


@pytest.mark.parametrize(
    ("event", "window_ms"),
    [
        ("connection", (-10, -8)),
        ("mail", (-8, -6)),
        ("rcpt", (-6, -4)),
        ("data", (-4, 0)),
        ("end_of_data", (0, 5)),
        ("stored", (-10, 5)),
        (None, (-10, 5)),
    ],
)
def test_the_first_event_lies_in_its_part_of_the_dialogue(event, window_ms):
    opens, closes = find_window(FULL, event, 100.0 * MS)

    assert (opens / MS, closes / MS) == window_ms


def test_instants_that_are_not_known_are_replaced_by_the_nearest_outside():
    talk = dialogue(connect=-10, rcpt_reply=-4)

    assert find_window(talk, "mail", 100.0 * MS) == (-10 * MS, -4 * MS)
    assert find_window(talk, "data", 100.0 * MS) == (-4 * MS, 0)
    assert find_window(talk, "end_of_data", 100.0 * MS) == (0, 100 * MS)


def test_a_dialogue_of_which_only_the_dot_is_known_is_enough():
    assert find_window(dialogue(), None, 100.0 * MS) == (0.0, 100.0 * MS)


def test_a_reading_is_an_interval_as_wide_as_its_resolution_and_looseness():
    event = chain_of(hop("a", 40, resolution_ms=10), limits=ClockLimits(looseness_ns=MS)).hops[0]

    assert (event.low, event.high) == (39 * MS, 51 * MS)


def test_later_hops_lie_between_the_final_dot_and_our_seeing_the_message():
    _, later, store = chain_of(hop("a", 1), hop("b", 50), seen_ms=100).hops

    assert (later.opens, later.closes) == (0, 100 * MS)
    assert (store.opens, store.closes, store.domain) == (0, 100 * MS, None)


def test_a_chain_that_does_not_begin_at_our_server_has_no_hop_in_the_dialogue():
    first = chain_of(hop("b", 50, event="mail"), seen_ms=100, begins_at_peer=False).hops[0]

    assert (first.opens, first.closes) == (0, 100 * MS)


def test_the_clocks_of_a_chain_come_in_the_order_of_their_first_stamps():
    chain = chain_of(hop("b", 1), hop("a", 2), hop("b", 3), store=stamp("c", 4))

    assert chain.domains == (REFERENCE, "b", "a", "c")
    assert chain.links == ((REFERENCE, "b"), ("b", "a"), ("a", "b"), ("b", "c"), ("c", REFERENCE))


def test_a_hop_without_a_stamp_is_no_event():
    chain = chain_of(bare("x"), hop("a", 2), bare("y"))

    assert [event.position for event in chain.hops] == [2, 4]
    assert chain.unused == (
        UnusedStamp(position=1, reason="missing"),
        UnusedStamp(position=3, reason="missing"),
        UnusedStamp(position=4, reason="missing"),
    )


def test_a_chain_of_none_has_its_store():
    chain = chain_of()

    assert [event.name for event in chain.hops] == ["stored"]
    assert chain.domains == (REFERENCE,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"at_ns": DOT_NS + 8 * 86_400 * SECOND_NS},
        {"at_ns": 0},
        {"at_ns": -(10**30)},
        {"resolution_ns": 7200 * SECOND_NS},
        {"resolution_ns": -1},
        {"domain": ""},
    ],
    ids=str,
)
def test_what_cannot_be_a_reading_of_a_clock_is_not_used(wrong):
    from dataclasses import replace

    from smtp_probe.mail.clocks.facts import HopStamp

    insane = replace(stamp("a", 1), **wrong)
    observation = observe_chain(HopStamp(label="a", stamp=insane), store=insane)

    chain = read_chain(observation, EXACT)

    assert [each.reason for each in chain.unused] == ["insane", "insane"]
    assert chain.domains == (REFERENCE,)


def test_a_clock_that_is_a_day_wrong_is_a_clock():
    assert chain_of(hop("a", 86_400_000), hop("b", -3 * 86_400_000)).unused[0].position == 3


def test_a_fine_stamp_that_comes_again_is_a_copy():
    chain = chain_of(hop("a", 1), hop("b", 2), hop("a", 1), hop("b", 2))

    assert [(each.position, each.reason) for each in chain.unused[:2]] == [(3, "repeated"), (4, "repeated")]


def test_a_coarse_stamp_may_come_again():
    chain = chain_of(hop("a", 0, resolution_ms=1000), hop("a", 0, resolution_ms=1000))

    assert [event.position for event in chain.hops] == [1, 2, 3]


def test_the_mailbox_may_tell_the_stamp_of_the_last_hop():
    chain = chain_of(hop("a", 1), store=stamp("a", 1))

    assert chain.unused == ()


def test_of_a_chain_without_end_the_newest_events_are_read():
    chain = chain_of(*(hop(f"h{number}", number) for number in range(MAX_EVENTS + 9)), seen_ms=1000)

    assert len(chain.hops) == MAX_EVENTS + 1
    assert {each.reason for each in chain.unused} == {"too_many", "missing"}
    assert chain.hops[0].position == 10


def test_a_clock_can_be_taken_out_of_a_chain():
    chain = chain_of(hop("a", 1), hop("b", 2), store=stamp("a", 3), sightings=[sighting("a", 0, 0, 1)])

    without = chain.without(frozenset({"a"}))

    assert [(event.position, event.domain) for event in without.hops] == [(2, "b"), (3, None)]
    assert without.sightings == ()
    assert [each.position for each in without.unused] == [1, 3]


def test_behind_a_proxy_the_second_hop_may_be_in_our_dialogue():
    chain = chain_of(hop("a", 1, event="mail"), hop("b", 2)).from_the_beginning()

    assert [event.opens / MS for event in chain.hops] == [-8, -10, -10]


def test_a_sighting_is_an_event_outside_of_the_order():
    chain = chain_of(hop("a", 1), seen_ms=100, sightings=[sighting("m", 500, -400, 300)])

    assert [(event.opens / MS, event.closes / MS) for event in chain.sightings] == [(-400, 300)]
    assert (chain.start / MS, chain.end / MS) == (-400, 300)
    assert "m" in chain.domains
    assert all("m" not in link for link in chain.links)


def test_a_sighting_that_ends_before_it_begins_is_none():
    assert chain_of(sightings=[sighting("m", 0, 10, 9)]).sightings == ()


def test_a_message_seen_before_its_final_dot_was_noted_has_no_negative_time():
    assert chain_of(hop("a", 1), seen_ms=-3).end == 0
