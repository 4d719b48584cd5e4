from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from smtp_probe.cli.options import DEFAULT_CONFIG_FILE, ConfigFile


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
