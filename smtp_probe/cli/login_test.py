"""The command `login-test`: whether each sender and each mailbox of a configuration can be used, without a message.

In: a configuration. Out: what each account shows, and what is wrong with it. Exit code 0: all work, 1: one does not, 2: a
mistake in the configuration.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from smtp_probe.cli.options import DEFAULT_CONFIG_FILE, ConfigFile

if TYPE_CHECKING:
    from smtp_probe.app.login_test import LoginResult


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("login-test")(login_test)


def login_test(
    config_file: ConfigFile = DEFAULT_CONFIG_FILE,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, max=3600, help="For each account.")
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line instead.")] = False,
) -> None:
    """Log in to each sender and mailbox, and look them over. Sends no message.

    Exit code 0: all work, 1: one does not, 2: a mistake in the configuration.
    """
    import asyncio

    from smtp_probe.app.login_test import LoginTest
    from smtp_probe.cli.login_view import draw_result, fold, problems_of, result_to_json
    from smtp_probe.cli.terminal import choose_glyphs, for_reader, open_console
    from smtp_probe.config.load import load
    from smtp_probe.report.log import configure

    configure("error")
    config = load(config_file)

    async def work() -> list[LoginResult]:
        return await LoginTest(config, timeout).run()

    results = asyncio.run(work())
    with for_reader(sys.stdout):
        console, glyphs = open_console(sys.stdout), choose_glyphs(sys.stdout)
        width = console.width if sys.stdout.isatty() else sys.maxsize
        for result in results:
            lines = [result_to_json(result)] if as_json else draw_result(result, glyphs)
            for line in lines:
                sys.stdout.write(fold(line, sys.maxsize if as_json else width) + "\n")
    raise typer.Exit(1 if any(map(problems_of, results)) else 0)
