"""The commands: thin, each in a module of its own that adds itself to the program.

In: the command line. Out: text on standard output, problems on standard error, and an exit code: 0 for well, 2 for a
mistake in the configuration or the command line, 130 for an interrupt; a command may document more. A module of this
package imports nothing but typer and `options` before its command runs, so that small commands start fast.
"""

from __future__ import annotations

import sys

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
)
for _module in _COMMANDS:
    _module.register(app)


def main() -> None:
    """Run the command line, and leave the process with its exit code."""
    try:
        app(prog_name="smtp-probe")
    except ConfigError as error:
        typer.echo(error, err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
