"""The definitions for NATS are those that the program makes, and the users of deploy/nats may do what their roles need."""

from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from smtp_probe.cli import app
from tests.deploy.nats_definitions import FOLDER, definitions

PROGRAM: Any = typer.main.get_command(app)
COMMAND: Any = PROGRAM.commands["run"]


@pytest.mark.parametrize(("name", "text"), list(definitions()), ids=lambda value: value[:30])
def test_a_definition_is_up_to_date(name, text):
    """A difference is written by: python -m tests.deploy.nats_definitions"""
    assert (FOLDER / name).read_text() == text


def test_no_definition_is_left_over():
    assert {path.name for path in FOLDER.glob("*.json")} == {name for name, _ in definitions()}


def test_what_compose_would_run_exists():
    """Every command is one of ours with flags that it has, every volume and network is declared."""
    compose = YAML(typ="safe").load((FOLDER / "compose.yaml").read_text())
    known = {flag for parameter in COMMAND.params for flag in parameter.opts}
    roles = []
    for service in compose["services"].values():
        assert set(service["networks"]) <= set(compose["networks"])
        words = service["command"]
        if words[0] != "run":
            continue
        assert {word.partition("=")[0] for word in words[1:]} <= known
        roles += [word.partition("=")[2] for word in words if word.startswith("--role=")]
    assert sorted(roles) == ["checker", "controller", "exporter", "exporter", "watcher", "worker"]
    assert {f"nats-{number}" for number in (1, 2, 3)} <= set(compose["services"])
