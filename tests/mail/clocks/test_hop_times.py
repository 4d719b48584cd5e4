"""Durations from instants: exact sums, honest bounds, merged hops."""

from smtp_probe.mail.clocks.chain_solution import observe, solve
from smtp_probe.mail.clocks.difference_constraints import unbounded
from smtp_probe.mail.clocks.hop_times import bound_duration, measure_hops
from tests.mail.clocks.samples import MS, bare, chain_of, hop, stamp


def instants_of(chain):
    still = [0.0] * len(chain.domains)
    return solve(chain, unbounded(len(chain.domains)), observe(chain, still), still).instants


def test_durations_are_differences_of_instants_and_add_up():
    chain = chain_of(hop("a", 0), hop("b", 0), store=stamp("c", 0))

    hops = measure_hops(chain, instants_of(chain), [0.0, 2.4 * MS, 30.0 * MS, 77.7 * MS])

    assert [each.duration.value_ns / MS for each in hops] == [2.4, 27.6, 47.7]
    assert [each.label for each in hops] == ["a", "b", "store"]
    assert [each.event for each in hops] == ["end_of_data", "end_of_data", "stored"]


def test_a_hop_inside_our_dialogue_takes_no_time():
    chain = chain_of(hop("a", -5, event="rcpt"), hop("b", 0))

    first, second, _ = measure_hops(chain, instants_of(chain), [0.0, -5.0 * MS, 30.0 * MS, 100.0 * MS])

    assert (first.duration.value_ns, first.duration.lower_ns, first.duration.upper_ns) == (0, 0, 0)
    assert second.duration.value_ns == 30 * MS


def test_hops_without_a_stamp_are_merged_with_the_next():
    chain = chain_of(bare("w"), hop("a", 0), bare("x"), bare("y"), hop("b", 0), bare("z"))

    hops = measure_hops(chain, instants_of(chain), [0.0, 1.0 * MS, 2.0 * MS, 3.0 * MS])

    assert [each.label for each in hops] == ["w..a", "x..b", "z..store"]
    assert [(each.first_position, each.last_position) for each in hops] == [(1, 2), (3, 5), (6, 7)]


def test_bounds_between_two_clocks_reach_from_nothing_to_all_that_passed():
    chain = chain_of(hop("a", -5, event="rcpt"), hop("b", 0), seen_ms=100)

    assert bound_duration(instants_of(chain), 2) == (0, 100 * MS)


def test_bounds_on_one_clock_are_as_fine_as_its_stamps():
    chain = chain_of(hop("a", 0), hop("b", 500), store=stamp("b", 540), seen_ms=100)

    lower, upper = bound_duration(instants_of(chain), 3)

    assert abs(lower - 40 * MS) <= 1
    assert abs(upper - 40 * MS) <= 1
