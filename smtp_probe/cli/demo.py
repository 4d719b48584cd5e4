"""The command `demo`: the ordinary daemon, run against an embedded mail path, and shown as it works.

In: names of scenarios and how long. Out: a live view on a terminal, plain lines otherwise, JSON objects with --json.
Exit code 0 after a signal or the duration, 2 for a mistake in the command line or a missing extra.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_LONGEST_SECONDS = 31 * 86_400.0


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("demo")(demo)


def _complete_scenario(incomplete: str) -> list[tuple[str, str]]:
    """Names for the shell's completion, each with what one will see."""
    from smtp_probe.demo.scenarios import MIX, SCENARIOS

    known = {MIX: "All of them, each on its own route."} | {
        name: scenario.sees for name, scenario in SCENARIOS.items()
    }
    return [(name, sees) for name, sees in known.items() if name.startswith(incomplete)]


def demo(
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            metavar="NAME",
            help="What happens to the mail: on-time, slow-hop, skewed-clocks, junked, bounced, greylisted, lost, late, "
            "forged, or mix for all of them. May be repeated. Default: mix",
            autocompletion=_complete_scenario,
        ),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option("--duration", metavar="SECONDS", help="End by itself after so long. Default: at Ctrl-C"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each ended probe instead.")
    ] = False,
    listen_address: Annotated[
        list[str] | None,
        typer.Option(
            "--web.listen-address",
            metavar="ADDRESS",
            help="May be repeated. Default: that of the daemon, or any free port where it is taken",
        ),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--directory",
            metavar="DIRECTORY",
            help="Keep configuration, keys and journal here; must be empty. Default: a directory that is removed at the end",
        ),
    ] = None,
) -> None:
    """Show the daemon at work on an embedded mail path: no account, no network, no root."""
    if duration is not None and not 0 < duration <= _LONGEST_SECONDS:
        message = f"a number of seconds above 0, at most {_LONGEST_SECONDS:.0f}"
        raise typer.BadParameter(message, param_hint="'--duration'")
    import time

    began_seconds = time.monotonic()
    from smtp_probe.cli.demo_run import run_demo
    from smtp_probe.cli.demo_setting import DemoPlan
    from smtp_probe.cli.run import DEFAULT_LISTEN_ADDRESS

    plan = DemoPlan(
        scenarios=tuple(scenario or ()),
        began_seconds=began_seconds,
        duration_seconds=duration,
        as_json=as_json,
        listen_addresses=tuple(listen_address or ()),
        preferred_address=DEFAULT_LISTEN_ADDRESS,
        directory=directory,
    )
    raise typer.Exit(run_demo(plan))
