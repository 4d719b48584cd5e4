import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from smtp_probe.cli.options import DEFAULT_CONFIG_FILE, ConfigFile, complete_by

ROUTE = {"sender": "out", "recipient": "probe@example.org", "mailbox": "in"}
MINIMAL = {
    "senders": {
        "out": {
            "host": "smtp.example.net",
            "tls": "none",
            "envelope_from": "probe@example.net",
            "ehlo_name": "a.example.net",
        }
    },
    "mailboxes": {"in": {"host": "imap.example.net", "tls": "none"}},
    "routes": {"west": ROUTE, "east": ROUTE},
}


@pytest.fixture
def app():
    """A program with one command that takes the shared options."""
    program = typer.Typer()

    @program.command()
    def show(config_file: ConfigFile = DEFAULT_CONFIG_FILE) -> None:
        typer.echo(config_file)

    return program


@pytest.mark.parametrize(
    ("arguments", "environ", "file"),
    [
        ([], {}, "/etc/smtp-probe/smtp-probe.yaml"),
        (["--config.file", "a.yaml"], {}, "a.yaml"),
        (["--config.file=a.yaml"], {"SMTP_PROBE_CONFIG_FILE": "b.yaml"}, "a.yaml"),
        ([], {"SMTP_PROBE_CONFIG_FILE": "b.yaml"}, "b.yaml"),
    ],
)
def test_the_configuration_file_is_named_by_a_flag_or_a_variable(app, arguments, environ, file):
    result = CliRunner().invoke(app, arguments, env=environ)
    assert result.exit_code == 0
    assert Path(result.stdout.strip()) == Path(file)


def test_names_are_completed_from_the_configuration_and_where_there_is_none_nothing_is(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(json.dumps(MINIMAL))
    complete = complete_by(lambda config: config.routes)

    def completed(path, incomplete):
        context: Any = SimpleNamespace(params={"config_file": path})
        return complete(context, incomplete)

    assert completed(file, "") == ["east", "west"]
    assert completed(file, "w") == ["west"]
    assert completed(tmp_path / "missing.yaml", "w") == []
