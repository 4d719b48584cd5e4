"""The command line of `demo`. How it runs is tested in tests/acceptance."""

import pytest
from typer.testing import CliRunner

from smtp_probe.cli import app
from smtp_probe.cli.demo import _complete_scenario
from smtp_probe.cli.demo_setting import DemoPlan
from smtp_probe.demo.scenarios import MIX, SCENARIOS

RUNNER = CliRunner()


@pytest.fixture
def plans(monkeypatch):
    """Every plan that would have been run."""
    made: list[DemoPlan] = []

    def keep(plan):
        made.append(plan)
        return 0

    monkeypatch.setattr("smtp_probe.cli.demo_run.run_demo", keep)
    return made


def test_the_command_line_becomes_a_plan(plans, tmp_path):
    arguments = ["demo", "--scenario", "late", "--scenario=lost", "--duration", "20", "--json"]
    more = ["--web.listen-address", ":1", "--web.listen-address", ":2", "--directory", str(tmp_path)]

    assert RUNNER.invoke(app, [*arguments, *more]).exit_code == 0

    (plan,) = plans
    assert plan.scenarios == ("late", "lost")
    assert plan.duration_seconds == 20.0
    assert plan.as_json
    assert plan.listen_addresses == (":1", ":2")
    assert plan.directory == tmp_path


def test_without_options_it_is_a_mix_until_a_signal_on_the_ordinary_port(plans):
    assert RUNNER.invoke(app, ["demo"]).exit_code == 0

    (plan,) = plans
    assert (plan.scenarios, plan.duration_seconds, plan.as_json) == ((), None, False)
    assert (plan.listen_addresses, plan.preferred_address) == ((), "127.0.0.1:10925")
    assert plan.directory is None


@pytest.mark.parametrize("duration", ["0", "-1", "nan", "inf", "1e99", "soon", ""])
def test_a_duration_is_a_sane_number_of_seconds(plans, duration):
    result = RUNNER.invoke(app, ["demo", f"--duration={duration}"])

    assert result.exit_code == 2
    assert "--duration" in result.output
    assert plans == []


def test_the_help_names_every_scenario():
    text = " ".join(RUNNER.invoke(app, ["demo", "--help"], env={"COLUMNS": "300"}).output.split())

    assert all(name in text for name in (MIX, *SCENARIOS))


def test_the_shell_completes_scenarios():
    assert [name for name, _ in _complete_scenario("")] == [MIX, *SCENARIOS]
    assert [name for name, _ in _complete_scenario("l")] == ["lost", "late"]
    assert all(sees for _, sees in _complete_scenario(""))
