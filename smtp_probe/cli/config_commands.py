"""The commands about the configuration: check-config, config-schema; and version.

In: names of files. Out: one line for each file that is sound, on standard output; every problem of the others, on
standard error, with exit code 2. Starts nothing and connects to nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import smtp_probe
from smtp_probe.errors import ConfigError

if TYPE_CHECKING:
    from smtp_probe.config.settings import Config


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    app.command("check-config")(check_config)
    app.command("config-schema")(config_schema)
    app.command("version")(version)


def check_config(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Configuration files.")],
    skip_secrets: Annotated[
        bool,
        typer.Option(
            "--skip-secrets", help="Do not read the passwords: they are there for the service only."
        ),
    ] = False,
) -> None:
    """Say what is wrong in configuration files, all of it at once. Exit code 2 when anything is."""
    is_sound = True
    for file in files:
        is_sound = _check(file, skip_secrets=skip_secrets) and is_sound
    if not is_sound:
        raise typer.Exit(2)


def config_schema(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the reference for people instead.")
    ] = False,
) -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    from smtp_probe.config.schema import json_schema, markdown_reference

    typer.echo(markdown_reference() if markdown else json.dumps(json_schema(), indent=2, ensure_ascii=False))


def version() -> None:
    """Print the version."""
    typer.echo(f"smtp-probe {smtp_probe.__version__}")


def _check(file: Path, *, skip_secrets: bool) -> bool:
    from smtp_probe.config.load import load

    try:
        config = load(file, verify_secrets=not skip_secrets)
    except ConfigError as error:
        typer.echo(error, err=True)
        return False
    counts = (("route", config.routes), ("sender", config.senders), ("mailbox", config.mailboxes))
    typer.echo(f"{file}: ok: {', '.join(_count(word, len(named)) for word, named in counts)}")
    _print_notes(file, config)
    return True


def _print_notes(file: Path, config: Config) -> None:
    """Tell what is allowed, and hardly meant."""
    from smtp_probe.config.secrets import exposed_secret_files

    for path in exposed_secret_files(config):
        typer.echo(f"{file}: note: every user of this machine can read {path}", err=True)


def _count(word: str, number: int) -> str:
    if number == 1:
        return f"1 {word}"
    return f"{number} {word}{'es' if word.endswith('x') else 's'}"
