"""The commands: thin, each in a module of its own that adds itself to the program.

In: the command line. Out: text on standard output, problems on standard error, and an exit code: 0 for well, 2 for a
mistake in the configuration or the command line, 130 for an interrupt; a command may document more. A module of this
package imports nothing but typer and `options` before its command runs, so that small commands start fast.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import typer

from smtp_probe.cli import (
    config_commands,
    demo,
    domain,
    drill,
    explain,
    healthcheck,
    init,
    list_routes,
    login,
    login_test,
    probe,
    run,
    sweep,
)
from smtp_probe.cli.help_text import Group, show_flags_without_values
from smtp_probe.cli.options import DEFAULT_CONFIG_FILE
from smtp_probe.errors import ConfigError

_COMMANDS = (
    *(run, init, probe, list_routes, login_test, sweep, explain, domain, drill, login),
    *(demo, config_commands, healthcheck),
)
"""The modules with commands, in the order of the help text. Each has `register(app)`."""

app = typer.Typer(
    name="smtp-probe",
    help="Send real mail on a schedule, find it again, and tell Prometheus how it went.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    cls=Group,
)
for _module in _COMMANDS:
    _module.register(app)
show_flags_without_values(app)

_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a disk says that takes no more."""


def main() -> None:
    """Run the command line, and leave the process with its exit code. Raises KeyboardInterrupt, for `__main__` to end with."""
    _open_what_is_closed()
    try:
        app(prog_name="smtp-probe")
    except ConfigError as error:
        typer.echo(error, err=True)
        missing = str(DEFAULT_CONFIG_FILE) if not DEFAULT_CONFIG_FILE.exists() else None
        if any(each.file == missing for each in error.problems):
            typer.echo("`smtp-probe init` writes a first one; --config.file names one elsewhere", err=True)
        sys.exit(2)
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            raise
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # what is left over is not tried again at the exit
        typer.echo(f"standard output cannot be written: {os.strerror(error.errno)}", err=True)
        sys.exit(1)


def _open_what_is_closed() -> None:
    """Where we were started without standard output or error (`>&-`), what is written to it is thrown away."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for as long as we run
