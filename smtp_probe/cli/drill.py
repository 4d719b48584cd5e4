"""The command `drill`: one drill of the configuration now, and what it came to.

In: a configuration and the name of a drill. Out: lines, or one JSON object with --json. Exit code 0: all as it should be; 1: something
is wrong; 2: a mistake in the configuration or the command line; 3: it could not be observed; 129, 130 or 143: stopped by
a signal.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smtp_probe.cli.options import DEFAULT_CONFIG_FILE, ConfigFile, complete_by
from smtp_probe.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from smtp_probe.config.settings import Config
    from smtp_probe.mail.tag import TagKey
    from smtp_probe.model import DrillReport

_SHOWN_NAMES = 30


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("drill")(drill)


def drill(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Name of the drill.",
            autocompletion=complete_by(lambda config: config.drills.by_name),
        ),
    ],
    config_file: ConfigFile = DEFAULT_CONFIG_FILE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Run one drill of the configuration now: it may take as long as its deadline.

    Exit code 0: healthy, 1: not healthy, 2: a mistake in configuration or command line, 3: not observed.
    """
    from smtp_probe.cli.drill_view import EXIT_CODES
    from smtp_probe.cli.probe import read_keys
    from smtp_probe.config.load import load
    from smtp_probe.report.log import configure

    configure("error")
    config = load(config_file)
    _require_drill(config, name, config_file)
    report = _run(config, read_keys(config), name)
    _show(report, as_json=as_json)
    raise typer.Exit(EXIT_CODES[report.result])


def _require_drill(config: Config, name: str, config_file: Path) -> None:
    """Raise ConfigError for a name that is no drill."""
    known = sorted(config.drills.by_name)
    if name not in known:
        shown = ", ".join(known[:_SHOWN_NAMES]) + (", ..." if len(known) > _SHOWN_NAMES else "")
        advice = f"choose one of {shown}" if known else "the file has none (docs/drills.md)"
        message = f"there is no drill {name[:80]!r}: {advice}"
        raise ConfigError((ConfigProblem(message=message, path="drills", file=str(config_file)),))


def _run(config: Config, keys: list[TagKey], name: str) -> DrillReport:
    """Run it. A signal ends it with exit code 128 and the signal's number, and closes what listens."""
    import asyncio
    import signal

    from smtp_probe.app.drill_run import run_drill

    caught: list[signal.Signals] = []

    async def work() -> DrillReport:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def stop(number: signal.Signals) -> None:
            caught.append(number)
            if task is not None:
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop, number)
        return await run_drill(config, keys, name)

    try:
        return asyncio.run(work())
    except asyncio.CancelledError:
        raise typer.Exit(128 + (caught or [signal.SIGTERM])[0]) from None


def _show(report: DrillReport, *, as_json: bool) -> None:
    from smtp_probe.cli.drill_view import draw_report, report_to_json
    from smtp_probe.cli.terminal import choose_glyphs, for_reader, open_console

    with for_reader(sys.stdout):
        if as_json:
            sys.stdout.write(report_to_json(report) + "\n")
        else:
            console = open_console(sys.stdout)
            for line in draw_report(report, console.width, choose_glyphs(sys.stdout)):
                console.print(line)
