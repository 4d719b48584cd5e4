"""The command `probe`: one message on one route now, shown as it goes.

In: a configuration and the name of a route. Out: a waterfall of phases and hops on a terminal, plain lines otherwise,
one JSON object with --json, a monitoring plugin's line with --nagios. Exit code 0: delivered; 1: a mail problem; 2: a
mistake in the configuration or the command line; 3: it could not be observed; 129, 130 or 143: stopped by a signal before
it had ended. With --nagios they are a plugin's: `plugin_output.State`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from smtp_probe.cli.options import DEFAULT_CONFIG_FILE, ConfigFile, complete_by
from smtp_probe.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from smtp_probe.app.single import SingleResult
    from smtp_probe.config.settings import Config
    from smtp_probe.mail.tag import TagKey

_SHOWN_ROUTES = 30
_KEY_ADVICE = (
    "a probe is signed with the key of the daemon: run it as the daemon's user (sudo -u smtp-probe ...), or name a "
    "state_directory or tag_key_files that you may use"
)


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("probe")(probe)


def probe(  # noqa: PLR0913, PLR0917  # as many as there are flags
    route: Annotated[
        str,
        typer.Argument(
            metavar="ROUTE",
            help="Name of the route.",
            autocompletion=complete_by(lambda config: config.routes),
        ),
    ],
    config_file: ConfigFile = DEFAULT_CONFIG_FILE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    as_plugin: Annotated[
        bool, typer.Option("--nagios", help="Print one line, and exit, as a monitoring plugin does.")
    ] = False,
    warning: Annotated[
        str | None, typer.Option("--warning", "-w", metavar="RANGE", help="Delivery seconds, with --nagios.")
    ] = None,
    critical: Annotated[
        str | None, typer.Option("--critical", "-c", metavar="RANGE", help="Delivery seconds, with --nagios.")
    ] = None,
) -> None:
    """Send one message on a route now, wait for it, and say how it went.

    Exit code 0: delivered, 1: a mail problem, 2: a mistake in configuration or command line, 3: not observed. With
    --nagios 0: OK, 1: WARNING, 2: CRITICAL, 3: UNKNOWN.
    """
    from smtp_probe.cli.rendering import EXIT_CODES, meaning_of
    from smtp_probe.report.log import configure

    configure("error")
    if as_plugin and not as_json:
        _answer_as_plugin(route, config_file, warning, critical)
    if as_plugin or warning or critical:
        message = "--nagios and --json exclude each other" if as_json else "it belongs to --nagios"
        raise typer.BadParameter(message, param_hint="--nagios" if as_plugin else "--warning, --critical")
    result = _probe(route, config_file, is_silent=as_json)
    _show(result, as_json=as_json)
    raise typer.Exit(EXIT_CODES[meaning_of(result)])


def _probe(route: str, config_file: Path, *, is_silent: bool) -> SingleResult:
    from smtp_probe.config.load import load

    config = load(config_file)
    _require_route(config, route, config_file)
    return _send(config, read_keys(config), route, is_silent=is_silent)


def _answer_as_plugin(route: str, config_file: Path, warning: str | None, critical: str | None) -> NoReturn:
    """Whatever hinders the check is UNKNOWN, never CRITICAL: it says nothing about the mail."""
    from smtp_probe.cli.plugin_output import State, parse_range, plain_line, plugin_line, state_of
    from smtp_probe.cli.terminal import for_reader

    state = State.UNKNOWN
    try:
        limits = [None if text is None else parse_range(text) for text in (warning, critical)]
        result = _probe(route, config_file, is_silent=True)
        state, line = state_of(result, *limits), plugin_line(result, *limits)
    except (ValueError, ConfigError) as error:
        line = plain_line(state, str(error))
    except typer.Exit as stopped:
        line = plain_line(state, f"stopped by signal {stopped.exit_code - 128} before there was a result")
    with for_reader(sys.stdout):
        _write_line(line)
    raise typer.Exit(state)


def _write_line(line: str) -> None:
    """A character that the stream's encoding lacks becomes a question mark, and no error."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(line.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()


def _require_route(config: Config, route: str, config_file: Path) -> None:
    """Raise ConfigError for a name that is no route."""
    if route not in config.routes:
        known = sorted(config.routes)
        shown = ", ".join(known[:_SHOWN_ROUTES]) + (", ..." if len(known) > _SHOWN_ROUTES else "")
        message = f"there is no route {route[:80]!r}: choose one of {shown}"
        raise ConfigError((ConfigProblem(message=message, path="routes", file=str(config_file)),))


def read_keys(config: Config) -> list[TagKey]:
    """The daemon's own keys. Raises ConfigError, with what to do about it."""
    from smtp_probe.config.keys import load_or_make_keys
    from smtp_probe.mail.tag import TagKey

    try:
        return [TagKey(secret) for secret in load_or_make_keys(config)]
    except ConfigError as error:
        raise ConfigError((*error.problems, ConfigProblem(message=_KEY_ADVICE))) from None


def _send(config: Config, keys: list[TagKey], route: str, *, is_silent: bool) -> SingleResult:
    """Send and wait, in view. A signal ends it with exit code 128 and the signal's number."""
    import asyncio
    import signal

    from smtp_probe.app.single import SingleProbe
    from smtp_probe.app.usual_time import find_usual_seconds
    from smtp_probe.cli.live import ProbeView

    caught: list[signal.Signals] = []

    async def work() -> SingleResult:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def stop(number: signal.Signals) -> None:
            caught.append(number)
            if task is not None:
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop, number)
        deadline_seconds = config.routes[route].deadline
        usual_seconds = None if is_silent else await find_usual_seconds(config, route)
        with ProbeView(
            route, deadline_seconds=deadline_seconds, usual_seconds=usual_seconds, is_silent=is_silent
        ) as view:
            return await SingleProbe(config, keys, route, on_step=view.step).run()

    try:
        return asyncio.run(work())
    except asyncio.CancelledError:
        raise typer.Exit(128 + (caught or [signal.SIGTERM])[0]) from None


def _show(result: SingleResult, *, as_json: bool) -> None:
    from smtp_probe.cli.live import print_result
    from smtp_probe.cli.rendering import result_to_json
    from smtp_probe.cli.terminal import for_reader

    with for_reader(sys.stdout):
        if as_json:
            sys.stdout.write(result_to_json(result) + "\n")
        else:
            print_result(result)
