"""The options that several commands share, each spelled and explained once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smtp_probe.errors import ConfigError

if TYPE_CHECKING:
    from smtp_probe.config.settings import Config

DEFAULT_CONFIG_FILE = Path("/etc/smtp-probe/smtp-probe.yaml")

ConfigFile = Annotated[
    Path,
    typer.Option(
        "--config.file", envvar="SMTP_PROBE_CONFIG_FILE", metavar="FILE", help="The configuration file."
    ),
]
"""Where the configuration is. Give it `DEFAULT_CONFIG_FILE` as its default."""


def complete_by(names_of: Callable[[Config], Iterable[str]]) -> Callable[[typer.Context, str], list[str]]:
    """Give the shell's completion of a name in the configuration; of one that cannot be read there are none."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        from smtp_probe.config.load import load

        try:
            config = load(
                Path(context.params.get("config_file") or DEFAULT_CONFIG_FILE), verify_secrets=False
            )
        except ConfigError:
            return []
        return sorted(name for name in names_of(config) if name.startswith(incomplete))

    return complete
