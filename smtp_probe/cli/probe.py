"""The command `probe`: one message on one route now, shown as it goes.

In: a configuration and the name of a route. Out: a waterfall of phases and hops on a terminal, plain lines otherwise,
one JSON object with --json. Exit code 0: delivered; 1: a mail problem; 2: a mistake in the configuration or the command
line; 3: it could not be observed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from smtp_probe.cli.options import DEFAULT_CONFIG_FILE, ConfigFile
from smtp_probe.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from smtp_probe.app.single import SingleResult


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("probe")(probe)


def probe(
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="Name of the route.")],
    config_file: ConfigFile = DEFAULT_CONFIG_FILE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Send one message on a route now, wait for it, and say how it went."""
    import asyncio

    from smtp_probe.app.single import SingleProbe
    from smtp_probe.cli.live import ProbeView
    from smtp_probe.config.keys import load_or_make_keys
    from smtp_probe.config.load import load
    from smtp_probe.mail.tag import TagKey
    from smtp_probe.report.log import configure

    configure("error")
    config = load(config_file)
    if route not in config.routes:
        known = ", ".join(sorted(config.routes))
        message = f"{route!r} is not one of routes: {known}"
        raise ConfigError((ConfigProblem(message=message, path="routes", file=str(config_file)),))
    keys = [TagKey(secret) for secret in load_or_make_keys(config)]

    async def work() -> SingleResult:
        with ProbeView(route, is_silent=as_json) as view:
            return await SingleProbe(config, keys, route, on_step=view.step).run()

    result = asyncio.run(work())
    _show(result, as_json=as_json)
    raise typer.Exit(exit_code(result))


def exit_code(result: SingleResult) -> int:
    """Give the exit code: 0 delivered, 1 a mail problem, 3 not observed."""
    from smtp_probe.model import OutcomeKind

    if result.unobserved or (result.outcome is not None and result.outcome.kind is OutcomeKind.UNOBSERVED):
        return 3
    is_delivered = result.outcome is not None and result.outcome.failure is None
    return 0 if is_delivered else 1


def _show(result: SingleResult, *, as_json: bool) -> None:
    from smtp_probe.cli.live import print_result
    from smtp_probe.cli.rendering import result_to_json

    if as_json:
        sys.stdout.write(result_to_json(result) + "\n")
    else:
        print_result(result)
