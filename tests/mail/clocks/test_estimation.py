"""The clocks of a whole mail path, against the truth of a simulated one."""

import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_probe.mail.clocks.estimation import update
from smtp_probe.mail.clocks.events import REFERENCE
from smtp_probe.mail.clocks.facts import ChainObservation, ClockStamp, Dialogue, HopStamp, Sighting
from smtp_probe.mail.clocks.state import ClockState, widen_reference
from tests.mail.clocks.chain import (
    EPOCH_NS,
    MICROSECOND_NS,
    NAMES,
    SECOND_NS,
    Host,
    Path,
    bounds_held,
    hop_errors_ns,
    make_hosts,
)
from tests.mail.clocks.table import CASES, SECONDS, measure, measure_step, percentile_ms

MS = 1_000_000


def run(path, probes, state=None):
    """Send so many probes. Gives the last journey with its reading, and the state."""
    state = state or ClockState()
    for _ in range(probes):
        journey = path.send()
        state, reading = update(state, journey.observation)
        assert_sound(reading)
    return journey, reading, state


def change(hop: HopStamp, **details: Any) -> HopStamp:
    assert hop.stamp is not None
    return replace(hop, stamp=replace(hop.stamp, **details))


def assert_sound(reading):
    """What holds of every reading, whatever the stamps say."""
    assert sum(hop.duration.value_ns for hop in reading.hops) == reading.delivery.value_ns
    estimates = [hop.duration for hop in reading.hops]
    assert all(estimate.value_ns >= 0 and estimate.lower_ns >= 0 for estimate in estimates)
    estimates += [reading.delivery, reading.stored, *(each.offset for each in reading.offsets)]
    assert all(estimate.lower_ns <= estimate.value_ns <= estimate.upper_ns for estimate in estimates)
    positions = [(hop.first_position, hop.last_position) for hop in reading.hops]
    assert positions[0][0] == 1
    assert all(after[0] == before[1] + 1 for before, after in pairwise(positions))


# The aims.


@pytest.mark.slow
def test_sub_second_stamps_give_hops_to_a_few_milliseconds():
    outcome = measure(CASES[0], seeds=range(8))

    assert percentile_ms(outcome.errors[100].hops, 0.5) < 5
    assert percentile_ms(outcome.errors[100].hops, 0.95) < 25
    assert outcome.held >= 0.99
    assert outcome.false_steps == 0


@pytest.mark.slow
def test_drifting_clocks_are_read_as_well():
    outcome = measure(CASES[1], seeds=range(8))

    assert percentile_ms(outcome.errors[100].hops, 0.5) < 7
    assert percentile_ms(outcome.errors[100].hops, 0.95) < 25
    assert outcome.held >= 0.99
    assert outcome.false_steps == 0


@pytest.mark.slow
def test_one_second_stamps_give_hops_to_less_than_a_tenth_of_a_second():
    one_second = next(case for case in CASES if case.name.startswith("one-second"))

    outcome = measure(one_second, seeds=range(8))

    assert percentile_ms(outcome.errors[100].hops, 0.5) < 100
    assert percentile_ms(outcome.errors[100].offsets, 0.5) < 100
    assert outcome.held >= 0.99
    assert outcome.false_steps == 0


@pytest.mark.parametrize("host", range(4), ids=NAMES)
@pytest.mark.parametrize("seconds", [5.0, -5.0])
@pytest.mark.parametrize("resolution_ns", [MICROSECOND_NS, SECOND_NS])
def test_a_step_of_five_seconds_is_found_within_two_probes_at_the_right_host(host, seconds, resolution_ns):
    outcome = measure_step(
        host,
        seconds,
        hosts={"resolutions_ns": (resolution_ns,) * 4},
        path={"store_resolution_ns": resolution_ns},
        seeds=range(3),
    )

    assert all(found is not None and found <= 2 for found in outcome.found_after)
    assert outcome.wrong == 0
    assert outcome.held >= 0.99


@pytest.mark.parametrize("resolution_ns", [MICROSECOND_NS, SECOND_NS])
@pytest.mark.parametrize("skew", [86_400.0, -3.0, 120.0])
def test_a_constant_skew_makes_no_difference(skew, resolution_ns):
    def errors(offsets):
        hosts = make_hosts(offsets=offsets, resolutions_ns=(resolution_ns,) * 4)
        path = Path(hosts, 3, store_resolution_ns=resolution_ns)
        journey, reading, _ = run(path, 20)
        assert reading.steps == ()
        return hop_errors_ns(journey, reading)

    right = errors((0.0, 0.0, 0.0, 0.0))
    wrong = errors((0.0, skew, -skew, 2 * skew))

    assert all(abs(one - other) < MICROSECOND_NS for one, other in zip(right, wrong, strict=True))


# What always holds.

resolutions = st.sampled_from([1, MICROSECOND_NS, MS, 5 * MS, SECOND_NS])


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    resolutions_ns=st.tuples(*[resolutions] * 4),
    store_resolution_ns=resolutions,
    offsets=st.tuples(*[st.floats(-100_000, 100_000)] * 4),
    drifts=st.tuples(*[st.floats(-490, 490)] * 4),
    interval_seconds=st.sampled_from([1.0, 60.0, 3600.0]),
    medians_seconds=st.tuples(*[st.sampled_from([0.001, 0.05, 1.0, 30.0])] * 4),
)
def test_bounds_contain_the_truth_of_every_path_within_the_limits(
    seed, resolutions_ns, store_resolution_ns, offsets, drifts, interval_seconds, medians_seconds
):
    hosts = make_hosts(resolutions_ns=resolutions_ns, offsets=offsets, drifts=drifts)
    path = Path(
        hosts,
        seed,
        interval_seconds=interval_seconds,
        medians_seconds=medians_seconds,
        store_resolution_ns=store_resolution_ns,
    )
    state = ClockState()
    for _ in range(8):
        journey = path.send()
        state, reading = update(state, journey.observation)

        assert_sound(reading)
        assert all(bounds_held(journey, reading))
        assert reading.doubted == ()


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_stamp_whatsoever_makes_a_reading_unsound(data):
    instants = st.integers(EPOCH_NS - 20 * SECOND_NS, EPOCH_NS + 20 * SECOND_NS)
    anything = st.integers(-(2**70), 2**70) | instants
    events = st.sampled_from(["connection", "mail", "rcpt", "data", "end_of_data", "stored", "", "x", None])
    stamps = st.builds(
        ClockStamp,
        domain=st.sampled_from("abcd"),
        at_ns=anything,
        resolution_ns=st.sampled_from([-1, 0, 1, MS, SECOND_NS, 2**70]),
        event=events,
        looseness_ns=st.sampled_from([0, MS, -5]),
    )
    hops = st.lists(st.builds(HopStamp, label=st.just("h"), stamp=st.none() | stamps), max_size=7)
    sightings = st.builds(Sighting, stamp=stamps, earliest_ns=instants, latest_ns=instants)
    some = st.none() | instants
    observations = st.builds(
        ChainObservation,
        dialogue=st.builds(
            Dialogue,
            final_dot_ns=instants,
            connect_ns=some,
            mail_ns=some,
            rcpt_reply_ns=some,
            accepted_ns=some,
        ),
        hops=hops,
        seen_ns=instants,
        store=st.none() | stamps,
        begins_at_peer=st.booleans(),
        sightings=st.lists(sightings, max_size=2),
    )
    state = ClockState()
    for observation in data.draw(st.lists(observations, min_size=1, max_size=5)):
        state, reading = update(state, observation)

        assert_sound(reading)


# Chains of every kind.


def observation_of(*hops, seen_ms=100, store=None):
    return ChainObservation(
        dialogue=Dialogue(final_dot_ns=EPOCH_NS, mail_ns=EPOCH_NS - 8 * MS, accepted_ns=EPOCH_NS + 5 * MS),
        hops=hops,
        seen_ns=EPOCH_NS + seen_ms * MS,
        store=store,
    )


def stamp(domain, at_ms, resolution_ns=MICROSECOND_NS):
    return ClockStamp(domain=domain, at_ns=EPOCH_NS + at_ms * MS, resolution_ns=resolution_ns)


def test_a_chain_of_none_is_all_store():
    _, reading = update(ClockState(), observation_of())

    assert_sound(reading)
    assert [(hop.label, hop.duration.value_ns) for hop in reading.hops] == [("store", 100 * MS)]
    assert reading.stored.value_ns == EPOCH_NS + 100 * MS
    assert reading.offsets == ()


def test_a_chain_of_one_ends_in_the_mailbox():
    hop = HopStamp(label="mx", stamp=stamp("mx", 7002))

    _, reading = update(ClockState(), observation_of(hop, store=stamp("mx", 7062)))

    assert [hop.label for hop in reading.hops] == ["mx", "store"]
    assert abs(reading.hops[1].duration.value_ns - 60 * MS) < 10 * MS
    assert [each.domain for each in reading.offsets] == ["mx"]


def test_a_store_without_a_stamp_ends_when_we_saw_it():
    _, reading = update(ClockState(), observation_of(HopStamp(label="mx", stamp=stamp("mx", 0))))

    assert reading.stored.value_ns == reading.stored.upper_ns == EPOCH_NS + 100 * MS
    assert reading.stored.lower_ns < EPOCH_NS + 10 * MS


def test_a_chain_of_sixty_hops_is_read():
    names = [f"h{number}.example" for number in range(60)]
    hosts = [Host(name, "mail" if number else "rcpt", number - 30.0) for number, name in enumerate(names)]
    path = Path(hosts, medians_seconds=(0.01,) * 60)

    journey, reading, _ = run(path, 3)

    assert len(reading.hops) == 61
    assert all(bounds_held(journey, reading))


def test_hops_without_a_date_are_merged_and_the_rest_is_as_before():
    path = Path(make_hosts())
    _, _, state = run(path, 20)
    journey = path.send()
    hops = list(journey.observation.hops)
    hops[1] = replace(hops[1], stamp=None)

    _, reading = update(state, replace(journey.observation, hops=hops))

    assert_sound(reading)
    assert [hop.label for hop in reading.hops] == ["submission", "relay..filter", "store", "store"]
    truth = journey.event_ns[2] - journey.dot_ns
    merged = reading.hops[1].duration
    assert merged.lower_ns <= truth <= merged.upper_ns
    assert [(each.position, each.reason) for each in reading.unused] == [(2, "missing")]


def test_a_message_without_any_date_has_one_duration():
    path = Path(make_hosts())
    _, _, state = run(path, 5)
    observation = path.send().observation
    blank = [replace(hop, stamp=None) for hop in observation.hops]

    _, reading = update(state, replace(observation, hops=blank, store=None))

    assert_sound(reading)
    assert [hop.label for hop in reading.hops] == ["submission..store"]


def test_raw_delays_that_are_negative_become_durations_that_are_not():
    path = Path(make_hosts(offsets=(0.0, 40.0, -41.0, 0.4)))
    journey, reading, _ = run(path, 30)
    stamps = [hop.stamp.at_ns for hop in journey.observation.hops]

    assert stamps[2] < stamps[1]
    assert all(error < 60 * MS for error in hop_errors_ns(journey, reading))


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_headers_are_no_step_and_do_no_harm(seed):
    path = Path(make_hosts(), seed)
    _, _, state = run(path, 20)
    observation = path.send().observation
    hops = list(observation.hops)
    random.Random(seed).shuffle(hops)

    state, shuffled = update(state, replace(observation, hops=hops))
    held = []
    for _ in range(10):
        journey = path.send()
        state, reading = update(state, journey.observation)
        assert reading.steps == ()
        held += bounds_held(journey, reading)

    assert_sound(shuffled)
    assert shuffled.steps == ()
    assert sum(held) / len(held) >= 0.99


def test_duplicated_headers_change_no_offset():
    path = Path(make_hosts())
    _, _, state = run(path, 20)
    observation = path.send().observation

    _, once = update(state, observation)
    _, twice = update(state, replace(observation, hops=[*observation.hops, *observation.hops]))

    assert_sound(twice)
    assert {each.reason for each in twice.unused} == {"repeated"}
    assert twice.offsets == once.offsets
    assert twice.hops[:4] == once.hops[:4]


def test_an_insane_date_is_as_good_as_none():
    path = Path(make_hosts())
    _, _, state = run(path, 5)
    observation = path.send().observation
    hops = list(observation.hops)
    hops[2] = change(hops[2], at_ns=0)

    _, reading = update(state, replace(observation, hops=hops))

    assert [(each.position, each.reason) for each in reading.unused] == [(3, "insane")]
    assert reading.hops[2].label == "filter..store"


# Clocks.


def test_the_offsets_of_all_clocks_are_found():
    journey, reading, _ = run(Path(make_hosts()), 100)

    assert {each.domain for each in reading.offsets} == set(NAMES)
    for each in reading.offsets:
        assert abs(each.offset.value_ns - journey.offset_ns[each.domain]) < 30 * MS
        assert each.offset.half_width_ns < 200 * MS


def test_one_coarse_stamp_after_the_other_makes_an_offset_fine():
    path = Path(make_hosts(resolutions_ns=SECONDS), interval_seconds=1, store_resolution_ns=SECOND_NS)
    _, first, state = run(path, 1)
    _, later, _ = run(path, 60, state)

    assert first.offsets[0].offset.half_width_ns > 400 * MS
    assert later.offsets[0].offset.half_width_ns < 60 * MS


def test_the_drift_of_a_clock_is_told():
    _, reading, _ = run(Path(make_hosts(drifts=(60.0, 0.0, 0.0, 0.0))), 60)

    assert abs(reading.offsets[0].drift_ppm - 60) < 2


def test_what_one_route_learns_helps_another():
    hosts = make_hosts()
    _, _, state = run(Path(hosts, 1), 50)
    other = Path([hosts[1], hosts[3]], 2, medians_seconds=(0.1, 0.01))
    journey = other.send()
    hops = [change(hop, event="rcpt") for hop in journey.observation.hops]

    _, alone = update(ClockState(), replace(journey.observation, hops=hops))
    _, helped = update(state, replace(journey.observation, hops=hops))

    assert helped.hops[1].duration.half_width_ns < alone.hops[1].duration.half_width_ns


def test_the_mailbox_read_directly_corrects_the_delivery_time():
    """An APPEND tells the mailbox's clock to a millisecond; the store time is then known as well."""
    path = Path(make_hosts())
    journey = path.send()
    clock = path.hosts[3]
    moment_ns = journey.dot_ns - SECOND_NS
    seen = Sighting(stamp=clock.stamp(moment_ns, 0), earliest_ns=moment_ns - MS, latest_ns=moment_ns + MS)

    _, without = update(ClockState(), journey.observation)
    _, reading = update(ClockState(), replace(journey.observation, sightings=[seen]))

    assert without.stored.half_width_ns > 10 * MS
    assert reading.stored.half_width_ns < 3 * MS
    assert abs(reading.stored.value_ns - journey.event_ns[-1]) < 2 * MS


def test_a_provider_of_many_hosts_is_read_within_its_looseness():
    """Each message meets another host of the provider, whose clock is up to 40 ms off."""
    rng = random.Random(5)
    hosts = make_hosts()
    path, state, held = Path(hosts), ClockState(), []
    for _ in range(60):
        hosts[1].offset_seconds = -0.74 + rng.uniform(-0.04, 0.04)
        journey = path.send()
        hops = [
            change(hop, looseness_ns=50 * MS) if hop.label == "relay" else hop
            for hop in journey.observation.hops
        ]
        state, reading = update(state, replace(journey.observation, hops=hops))
        assert reading.doubted == ()
        held += bounds_held(replace(journey, offset_ns={**journey.offset_ns, NAMES[1]: -740 * MS}), reading)

    assert sum(held) / len(held) >= 0.99


def test_the_offset_of_a_provider_is_bounded_for_each_of_its_hosts():
    """The value is of a clock that none of them may have: each may be off by as much as they differ."""
    loose_ns = 50 * MS
    shared = observation_of(HopStamp(label="a", stamp=replace(stamp("a", 10), looseness_ns=loose_ns)))
    alone = observation_of(HopStamp(label="a", stamp=stamp("a", 10)))
    _, of_many = update(ClockState(), shared)
    _, of_one = update(ClockState(), alone)

    assert of_many.offsets[0].offset.half_width_ns == of_one.offsets[0].offset.half_width_ns + 2 * loose_ns


def test_our_own_clock_may_be_anchored_anew():
    path = Path(make_hosts())
    _, _, state = run(path, 20)
    for host in path.hosts:
        host.offset_seconds += 0.2

    journey, reading, _ = run(path, 1, widen_reference(state, 500 * MS))

    assert reading.doubted == ()
    assert all(bounds_held(journey, reading))


def test_our_own_clock_that_jumped_is_found():
    path = Path(make_hosts())
    _, _, state = run(path, 20)
    for host in path.hosts:
        host.offset_seconds -= 30.0

    _, first, state = run(path, 1, state)
    journey, second, _ = run(path, 1, state)

    assert first.doubted == (REFERENCE,)
    assert [step.domain for step in second.steps] == [REFERENCE]
    assert abs(second.steps[0].shift.value_ns - 30 * SECOND_NS) < SECOND_NS
    assert all(bounds_held(journey, second))


def test_a_message_that_comes_late_is_read_by_what_is_known_meanwhile():
    """It was sent first and seen last; the clocks have drifted between."""
    path = Path(make_hosts(drifts=(90.0, -90.0, 90.0, -90.0)), interval_seconds=600)
    late = path.send()
    _, _, state = run(path, 10)

    _, reading = update(state, late.observation)

    assert_sound(reading)
    assert reading.doubted == ()
    assert all(bounds_held(late, reading))


def test_the_same_message_twice_is_learnt_once():
    path = Path(make_hosts())
    _, _, state = run(path, 5)
    observation = path.send().observation

    state, once = update(state, observation)
    _, twice = update(state, observation)

    for one, other in zip(once.offsets, twice.offsets, strict=True):
        assert one.offset.lower_ns == other.offset.lower_ns
        assert one.offset.upper_ns == other.offset.upper_ns


def test_an_update_leaves_the_old_state_alone():
    path = Path(make_hosts())
    _, _, state = run(path, 3)
    before = (dict(state.records), dict(state.bounds))

    update(state, path.send().observation)

    assert (state.records, state.bounds) == before


def test_the_memory_of_one_path_does_not_grow():
    path = Path(make_hosts())
    _, _, early = run(path, 30)
    _, _, late = run(path, 300, early)

    assert late.bounds.keys() == early.bounds.keys()
    assert max(len(bound.settled) for bound in late.bounds.values()) <= 6
