"""The memory in the journal: nothing lost, nothing believed that is damaged."""

import json
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.clocks.estimation import update
from smtp_probe.mail.clocks.state import ClockState
from smtp_probe.mail.clocks.storage import read_state, write_state
from tests.mail.clocks.chain import Path, make_hosts


def learned_state(probes=15):
    hosts = make_hosts()
    hosts[2].steps = {probes - 1: 5.0}
    path, state = Path(hosts), ClockState()
    for _ in range(probes):
        state, _ = update(state, path.send().observation)
    return state


def test_a_state_comes_back_as_it_was_with_its_doubts():
    state = learned_state()

    assert state.doubted(state.records)
    assert read_state(json.loads(json.dumps(write_state(state)))) == state


def test_a_state_of_four_clocks_is_a_few_kilobytes():
    assert len(json.dumps(write_state(learned_state(60)))) < 6000


def test_an_empty_state_comes_back():
    assert read_state(write_state(ClockState())) == ClockState()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.update(version=2),
        lambda data: data.pop("clocks"),
        lambda data: data.update(bounds=5),
        lambda data: data["clocks"][0].pop(),
        lambda data: data["clocks"][0].__setitem__(0, 7),
        lambda data: data["clocks"][0].__setitem__(0, "x" * 300),
        lambda data: data["clocks"][0].__setitem__(4, nan),
        lambda data: data["bounds"][0].__setitem__(4, inf),
        lambda data: data["bounds"][0].__setitem__(2, [["a", "b"]]),
        lambda data: data["bounds"][0].__setitem__(2, [[1, 2, 3]]),
        lambda data: data["bounds"][0].__setitem__(2, [[1, inf]]),
    ],
)
def test_damaged_data_is_not_read(damage):
    data = write_state(learned_state())

    damage(data)

    assert read_state(data) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(json_values, json_values)
def test_reading_never_raises(clocks, bounds):
    read_state(clocks)
    read_state({"version": 1, "clocks": clocks, "bounds": bounds})
