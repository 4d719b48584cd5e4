"""The memory in the journal: nothing lost, nothing believed that is damaged."""

import json
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.clocks.estimation import update
from smtp_probe.mail.clocks.state import ClockState
from smtp_probe.mail.clocks.storage import find_changes, read_clocks, write_clocks
from tests.mail.clocks.chain import Path, make_hosts


def learned_state(probes=15):
    hosts = make_hosts()
    hosts[2].steps = {probes - 1: 5.0}
    path, state = Path(hosts), ClockState()
    for _ in range(probes):
        state, _ = update(state, path.send().observation)
    return state


def written(state, names=None):
    """As the journal gives it back: through JSON."""
    pieces = write_clocks(state, state.records if names is None else names)
    return {name: json.loads(json.dumps(piece)) for name, piece in pieces.items()}


def test_a_state_comes_back_as_it_was_with_its_doubts():
    state = learned_state()

    assert state.doubted(state.records)
    assert read_clocks(written(state).items()) == state


def test_a_state_of_four_clocks_is_a_few_kilobytes():
    assert len(json.dumps(written(learned_state(60)))) < 6000


def test_an_empty_state_comes_back():
    assert read_clocks(written(ClockState()).items()) == ClockState()


def test_a_probe_writes_the_pieces_of_its_clocks_alone():
    state = learned_state()
    hosts = make_hosts()
    for host in hosts:
        host.name = f"other-{host.name}"
    after, _ = update(state, Path(hosts).send().observation)
    changes = find_changes(state, after)
    kept = written(state) | written(after, changes)

    assert changes == after.records.keys() - state.records.keys() | {""}
    assert read_clocks(kept.items()) == after


def test_a_clock_that_was_forgotten_has_no_piece_any_more():
    state = learned_state()
    fewer = state.limited(2)
    changes = find_changes(state, fewer)

    assert {
        name: piece is None for name, piece in write_clocks(fewer, changes).items() if piece is None
    } == dict.fromkeys(state.records.keys() - fewer.records.keys(), True)
    assert find_changes(state, state) == frozenset()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.update(version=2),
        lambda data: data.pop("clock"),
        lambda data: data.update(bounds=5),
        lambda data: data["clock"].pop(),
        lambda data: data["clock"].__setitem__(3, nan),
        lambda data: data["bounds"][0].__setitem__(4, inf),
        lambda data: data["bounds"][0].__setitem__(0, "x" * 300),
        lambda data: data["bounds"][0].__setitem__(2, [["a", "b"]]),
        lambda data: data["bounds"][0].__setitem__(2, [[1, 2, 3]]),
        lambda data: data["bounds"][0].__setitem__(2, [[1, inf]]),
    ],
)
def test_a_damaged_piece_is_not_read_and_the_others_are(damage):
    pieces = written(learned_state())
    name = next(name for name in pieces if name)

    damage(pieces[name])
    state = read_clocks(pieces.items())

    assert state.records.keys() == pieces.keys() - {name}
    assert all(name not in pair for pair in state.bounds)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(json_values, json_values)
def test_reading_never_raises(clocks, bounds):
    read_clocks([("a", clocks), ("b", {"version": 1, "clock": clocks, "bounds": bounds})])
