"""The options that several commands share, each spelled and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_CONFIG_FILE = Path("/etc/smtp-probe/smtp-probe.yaml")

ConfigFile = Annotated[
    Path,
    typer.Option(
        "--config.file", envvar="SMTP_PROBE_CONFIG_FILE", metavar="FILE", help="The configuration file."
    ),
]
"""Where the configuration is. Give it `DEFAULT_CONFIG_FILE` as its default."""
