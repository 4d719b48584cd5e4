"""What one message adds to the memory."""

from smtp_probe.mail.clocks.doubts import judge
from smtp_probe.mail.clocks.events import REFERENCE
from smtp_probe.mail.clocks.facts import ClockLimits
from smtp_probe.mail.clocks.learning import expect, learn
from smtp_probe.mail.clocks.state import ClockState
from tests.mail.clocks.samples import EXACT, MS, chain_of, hop, sighting, stamp


def learn_from(chain, state=None, limits=EXACT):
    return learn(judge(state or ClockState(), chain, limits), limits)


def latest(state, start, end):
    return round(state.bound(start, end).settled[-1][1] / MS, 3)


def test_neighbours_and_our_own_clock_are_remembered_and_nothing_else():
    state = learn_from(chain_of(hop("a", 0), hop("b", 0), hop("c", 0), store=stamp("c", 5)))

    assert set(state.bounds) == {
        *((REFERENCE, name) for name in "abc"),
        *((name, REFERENCE) for name in "abc"),
        ("a", "b"),
        ("b", "c"),
    }


def test_what_is_remembered_is_what_was_observed():
    state = learn_from(chain_of(hop("a", 1000, event="rcpt"), hop("b", 2050), seen_ms=100))

    assert (latest(state, REFERENCE, "a"), latest(state, "a", REFERENCE)) == (1006, -1004)
    assert (latest(state, REFERENCE, "b"), latest(state, "b", REFERENCE)) == (2050, -1950)
    assert latest(state, "a", "b") == 1050


def test_the_memory_grows_with_the_length_of_the_chain_and_not_with_its_square():
    chain = chain_of(*(hop(f"h{number}", number) for number in range(60)), seen_ms=1000)

    assert len(learn_from(chain).bounds) == 60 * 2 + 59


def test_no_more_clocks_are_remembered_than_allowed():
    limits = ClockLimits(domains=5)
    state = ClockState()
    for number in range(20):
        chain = chain_of(hop(f"a{number}", 0), hop(f"b{number}", 0), later_ms=number * 1000, limits=limits)
        state = learn_from(chain, state, limits)

    assert set(state.records) == {REFERENCE, "a19", "b19", "a18", "b18", "b17"} or len(state.records) == 6
    assert len(state.bounds) <= 5 * 2 + 4


def test_a_passage_of_which_much_was_seen_has_a_spread():
    state = ClockState()
    for number, cost in enumerate((10, 50, 20, 90, 30, 70) * 5):
        later = number * 1000
        chain = chain_of(hop("a", later), hop("b", later + cost), seen_ms=200, later_ms=later)
        state = learn_from(chain, state)

    assert 20 * MS < state.bound("a", "b").spread_ns < 60 * MS
    assert state.bound(REFERENCE, "b").samples == 0


def test_a_sighting_is_remembered_like_a_hop():
    chain = chain_of(hop("a", 0), sightings=[sighting("m", 7000, -2, 2)])

    state = learn_from(chain)

    assert (latest(state, REFERENCE, "m"), latest(state, "m", REFERENCE)) == (7002, -6998)


def test_the_drift_of_every_clock_is_estimated_in_its_turn():
    state = ClockState()
    for number in range(4):
        later = number * 1_000_000
        fast = round(later * 40e-6)
        chain = chain_of(hop("a", later + fast, event="rcpt"), hop("b", later), seen_ms=100, later_ms=later)
        state = learn_from(chain, state, ClockLimits())

    assert abs(state.record("a").drift.rate - 40e-6) < 4e-6
    assert state.record("b").drift_ns > 0


def test_our_own_clock_is_the_measure_of_drift():
    case = judge(ClockState(), chain_of(hop("a", 0)), EXACT).case

    moment = expect(case, ClockState())

    assert (moment.drifts[0], moment.growths[0]) == (0.0, 0.0)
    assert moment.growths[1] > 0
