from __future__ import annotations

import pytest

from smtp_probe.demo.scenarios import MIX, SCENARIOS, HopName, choose_scenarios
from smtp_probe.errors import ConfigError

NAMES = (
    "on-time",
    "slow-hop",
    "skewed-clocks",
    "junked",
    "bounced",
    "greylisted",
    "lost",
    "late",
    "forged",
)


def test_the_nine_scenarios_are_there() -> None:
    assert tuple(SCENARIOS) == NAMES


def test_the_mix_is_all_of_them_and_the_default() -> None:
    assert choose_scenarios() == choose_scenarios(MIX) == tuple(SCENARIOS.values())


def test_a_name_chooses_one() -> None:
    assert choose_scenarios("lost") == (SCENARIOS["lost"],)


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(ConfigError) as error:
        choose_scenarios("slow")
    assert all(name in str(error.value) for name in (MIX, *NAMES))


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=NAMES)
def test_each_says_in_one_sentence_what_one_will_see(scenario) -> None:
    assert scenario.sees.endswith(".")
    assert ". " not in scenario.sees


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=NAMES)
def test_times_are_in_order(scenario) -> None:
    assert 0 < scenario.interval_seconds <= scenario.deadline_seconds < scenario.give_up_after_seconds
    held = sum(hop.delay_seconds for hop in scenario.hops)
    assert (held > scenario.deadline_seconds) is (scenario.name == "late")
    assert held + scenario.retry_seconds < scenario.give_up_after_seconds


def test_only_the_skewed_clocks_are_wrong() -> None:
    wrong = [scenario.name for scenario in SCENARIOS.values() if any(offset for offset, _ in scenario.clocks)]
    assert wrong == ["skewed-clocks"]
    assert SCENARIOS["skewed-clocks"].hop(HopName.FILTER).clock_offset_seconds == -41.0
