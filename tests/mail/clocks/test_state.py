"""What is remembered of clocks, and within which limits."""

from math import inf

from smtp_probe.mail.clocks.bounds import ClockBound
from smtp_probe.mail.clocks.events import REFERENCE
from smtp_probe.mail.clocks.state import ClockRecord, ClockState, Moment, Trust, recall, widen_reference

SECOND_NS = 1_000_000_000


def state_of(**bounds):
    """Bounds by `a_b=ClockBound(...)`; our own clock is `ref`."""
    names = {"ref": REFERENCE}
    pairs: dict[tuple[str, str], ClockBound] = {}
    for key, bound in bounds.items():
        start, end = key.split("_")
        pairs[names.get(start, start), names.get(end, end)] = bound
    met = {name: ClockRecord(met_ns=0) for pair in pairs for name in pair}
    return ClockState(records=met, bounds=pairs)


def still(size):
    return Moment(0, 10 * SECOND_NS, [0.0] * size, [0.0] * size)


STATE = state_of(
    ref_a=ClockBound(settled=((0, 50),), doubted=((0, 70),)),
    a_ref=ClockBound(settled=((0, -40),)),
    a_b=ClockBound(settled=((0, 5),)),
)
NAMES = (REFERENCE, "a", "b")


def test_the_memory_says_what_was_observed_and_nothing_else():
    assert recall(STATE, NAMES, still(3)) == [[0, 50, inf], [-40, 0, 5], [inf, inf, 0]]


def test_observations_widen_with_the_drift_of_both_clocks():
    moment = Moment(0, 10 * SECOND_NS, [0, 1e-6, 0], [0, 2e-6, 3e-6])

    matrix = recall(STATE, NAMES, moment)

    assert round(matrix[0][1]) == 50 + 10_000 + 20_000
    assert round(matrix[1][0]) == -40 - 10_000 + 20_000
    assert round(matrix[1][2]) == 5 - 10_000 + 50_000


def test_the_past_of_a_clock_can_be_put_aside():
    assert recall(STATE, NAMES, still(3), Trust(ignored=frozenset("a"))) == recall(
        ClockState(), NAMES, still(3)
    )


def test_what_was_observed_in_doubt_can_be_tried_alone():
    assert recall(STATE, NAMES, still(3), Trust(on_trial=frozenset("a")))[0] == [0, 70, inf]


def test_clocks_in_doubt_are_known():
    state = ClockState(records={"a": ClockRecord(met_ns=0, doubts=2), "b": ClockRecord(met_ns=0)})

    assert state.doubted(("a", "b", "c")) == {"a"}


def test_the_clock_that_was_not_met_for_the_longest_time_is_forgotten():
    records = {name: ClockRecord(met_ns=at) for name, at in (("a", 3), ("b", 1), ("c", 2), (REFERENCE, 0))}
    bounds = {(REFERENCE, name): ClockBound() for name in "abc"} | {("a", "b"): ClockBound()}

    state = ClockState(records=records, bounds=bounds).limited(2)

    assert set(state.records) == {"a", "c", REFERENCE}
    assert set(state.bounds) == {(REFERENCE, "a"), (REFERENCE, "c")}


def test_a_state_within_its_limit_is_left_as_it_is():
    assert STATE.limited(2) is STATE


def test_after_a_restart_our_own_clock_is_known_less_well():
    state = widen_reference(STATE, 1000)

    assert state.bound(REFERENCE, "a").settled == ((0, 1050),)
    assert state.bound(REFERENCE, "a").doubted == ((0, 1070),)
    assert state.bound("a", REFERENCE).settled == ((0, 960),)
    assert state.bound("a", "b") == STATE.bound("a", "b")


def test_a_record_is_not_made_older_by_a_late_message():
    assert ClockRecord(met_ns=9).met(5).met_ns == 9
