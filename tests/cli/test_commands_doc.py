"""docs/commands.md and the program name the same commands, flags, scenarios and keys."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer

import smtp_probe
from smtp_probe.cli import app
from smtp_probe.cli.rendering import outcome_to_json
from smtp_probe.demo.scenarios import MIX, SCENARIOS
from tests.report.samples import make_outcome

TEXT = Path(__file__).parents[2].joinpath("docs", "commands.md").read_text(encoding="utf-8")
PROGRAM: Any = typer.main.get_command(app)


def sections():
    """The part of the page about each command."""
    parts = re.split(r"^## `smtp-probe ([a-z-]+)`$", TEXT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options_of(command):
    """Every flag that is not an argument of the command."""
    return {
        name
        for parameter in command.params
        if parameter.param_type_name == "option"
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def first_cells(text, pattern):
    """Names of this form in the first cells of the tables, whatever follows them within their quotes."""
    cells = re.findall(r"^\| ([^|]+) \|", text, flags=re.MULTILINE)
    return {name for cell in cells for name in re.findall(rf"`({pattern})(?![\w-])[^`]*`", cell)}


def test_every_command_has_a_section_and_the_other_way_round():
    assert list(sections()) == list(PROGRAM.commands)


@pytest.mark.parametrize("name", PROGRAM.commands)
def test_every_flag_stands_in_the_table_of_its_command_and_the_other_way_round(name):
    assert first_cells(sections()[name], r"--?[a-z][a-z.-]*") == options_of(PROGRAM.commands[name])


@pytest.mark.parametrize("name", PROGRAM.commands)
def test_every_argument_stands_in_the_usage_of_its_command(name):
    arguments = [p for p in PROGRAM.commands[name].params if p.param_type_name == "argument"]

    for argument in arguments:
        assert re.search(
            rf"^smtp-probe {name} .*{re.escape(argument.metavar)}", sections()[name], flags=re.MULTILINE
        )


def test_the_flags_of_the_program_itself_are_told():
    assert all(f"`smtp-probe {name}`" in TEXT for name in options_of(PROGRAM))


def test_no_flag_is_mentioned_that_does_not_exist():
    known = options_of(PROGRAM).union(*map(options_of, PROGRAM.commands.values())) | {"--help"}

    assert set(re.findall(r"(?<![\w-])--[a-z][a-z.-]*[a-z]", TEXT)) <= known


def test_every_scenario_is_told_and_the_other_way_round():
    rows = first_cells(sections()["demo"].partition("| scenario |")[2], r"[a-z-]+")

    assert rows == {MIX, *SCENARIOS}


def test_every_key_of_the_json_object_is_told_and_the_other_way_round():
    table = sections()["probe"].partition("| key | value |")[2]
    cells = re.findall(r"^\| ([^|]+) \|", table, flags=re.MULTILINE)
    told = [key for cell in cells for key in re.findall(r"`(\w+)`", cell)]

    assert sorted(told) == sorted(json.loads(outcome_to_json(make_outcome())))


def test_the_version_is_the_one_at_hand():
    assert f"smtp-probe {smtp_probe.__version__}\n" in sections()["version"]
