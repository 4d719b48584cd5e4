"""One run of the demo: mail path, daemon and screen, begun together and ended in order.

In: what the command line says. Out: an exit code. SIGINT, SIGTERM, the end of the duration and a terminal that is gone
end it alike: the daemon finishes what is under way, the mail path closes, the summary is printed. Raises ConfigError for
what the user can put right. Nothing of it outlasts the process but a directory that was asked for.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from smtp_probe.app.daemon import Daemon, DaemonOptions
from smtp_probe.cli.boards import Board, JsonBoard, LiveBoard, Opening, PlainBoard
from smtp_probe.cli.screen import Screen
from smtp_probe.cli.tally import Tally
from smtp_probe.cli.terminal import choose_glyphs, is_drawable, open_console
from smtp_probe.config.files import explain
from smtp_probe.config.overrides import PREFIX
from smtp_probe.demo.extra import require_extra
from smtp_probe.demo.mail_path import MailPath
from smtp_probe.demo.scenarios import MIX, Scenario, choose_scenarios
from smtp_probe.errors import ConfigError, ConfigProblem
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.report.listen import ListenAddress, open_socket, parse_listen_address
from smtp_probe.report.log import LogHandler, configure

_ENDING_SECONDS = 0.4
"""What the end takes after the signal: a duration includes it."""
_PATIENCE_SECONDS = 3.0
"""How long a terminal may take to show the rest."""
_SHORTEST_INTERVAL_SECONDS = 2.0
_INTERVAL_PER_ROUTE_SECONDS = 0.6
"""So that one scenario alone is shown often, and all together do not run over each other."""
_EVENTS_LOG = "smtp_probe.events"
"""Tells what becomes of mail. The screen does that; what remains are faults of our own side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """What the command line says."""

    scenarios: tuple[str, ...] = ()
    began_seconds: float
    """When the command began, on the monotonic clock: a duration includes the start."""
    duration_seconds: float | None = None
    as_json: bool = False
    listen_addresses: tuple[str, ...] = ()
    preferred_address: str = "127.0.0.1:0"
    """Where to listen when nothing was said and the port is free."""
    directory: Path | None = None


def run_demo(plan: DemoPlan) -> int:
    """Run until a signal or the end of the duration. Gives the exit code. Raises ConfigError."""
    require_extra()
    scenarios = pick_scenarios(plan.scenarios)
    _forget_settings_of_others()
    return asyncio.run(_run(plan, scenarios))


def pick_scenarios(names: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios of these names, each once, at a rhythm that suits their number. Raises ConfigError."""
    chosen = {scenario.name: scenario for name in names or (MIX,) for scenario in choose_scenarios(name)}
    interval = max(_SHORTEST_INTERVAL_SECONDS, _INTERVAL_PER_ROUTE_SECONDS * len(chosen))
    return tuple(
        replace(scenario, interval_seconds=min(scenario.interval_seconds, interval))
        for scenario in chosen.values()
    )


def choose_address(preferred: str) -> str:
    """The preferred address, or another port of its host where that one is taken."""
    address = parse_listen_address(preferred)
    try:
        open_socket(address).close()
    except ConfigError:
        return str(ListenAddress(address.host, 0))
    return preferred


def visit_url(address: str) -> str:
    """Where a browser on this machine finds an address that is listened on."""
    parsed = parse_listen_address(address)
    local = {"": "localhost", "::": "[::1]", "0.0.0.0": "127.0.0.1"}  # noqa: S104 - looked up, not listened on
    host = local.get(parsed.host, f"[{parsed.host}]" if ":" in parsed.host else parsed.host)
    return f"http://{host}:{parsed.port}"


async def _run(plan: DemoPlan, scenarios: Sequence[Scenario]) -> int:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    if plan.duration_seconds is not None:
        loop.call_at(plan.began_seconds + plan.duration_seconds - _ENDING_SECONDS, stopping.set)
    clock = ReferenceClock()
    tally = Tally([scenario.name for scenario in scenarios])
    gone = lambda: loop.call_soon_threadsafe(stopping.set)  # noqa: E731 - handed on once
    screen = Screen(_choose_board(plan, tally, clock), tally, clock.now_ns, gone)
    screen.start()
    try:
        async with AsyncExitStack() as stack:
            await _work(plan, scenarios, clock, screen, stopping, stack)
    finally:
        is_shown = screen.close(loop.time() - plan.began_seconds, _PATIENCE_SECONDS)
    return _leave(screen, is_shown=is_shown)


async def _work(
    plan: DemoPlan,
    scenarios: Sequence[Scenario],
    clock: ReferenceClock,
    screen: Screen,
    stopping: asyncio.Event,
    stack: AsyncExitStack,
) -> None:
    """Start the path and the daemon, and run until it is time to stop."""
    directory = _make_directory(plan.directory, stack)
    try:
        path = await stack.enter_async_context(MailPath(scenarios, directory, clock=clock))
        config_file = path.write_config()
    except OSError as error:
        raise _problem(f"the mail path cannot be started in {directory}: {explain(error)}") from None

    def started(addresses: list[str]) -> None:
        if sys.stdout.isatty():  # the terminal is closed: there is nobody to reload a configuration for
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, stopping.set)
        screen.open(_opening(addresses, config_file, scenarios))

    options = DaemonOptions(
        config_file=config_file,
        listen_addresses=plan.listen_addresses or (choose_address(plan.preferred_address),),
        log=_quieten(plan, screen),
        sinks=(screen.tell,),
        on_started=started,
    )
    daemon = Daemon(options)
    ender = asyncio.create_task(_stop_when(stopping, daemon), name="ender")
    try:
        await daemon.run()
    finally:
        ender.cancel()


async def _stop_when(stopping: asyncio.Event, daemon: Daemon) -> None:
    await stopping.wait()
    daemon.stop()


def _make_directory(wanted: Path | None, stack: AsyncExitStack) -> Path:
    """The directory of the run: an own one that is removed at the end, or an empty one that is kept."""
    try:
        if wanted is None:
            own = tempfile.TemporaryDirectory(prefix="smtp-probe-demo-", ignore_cleanup_errors=True)
            return Path(stack.enter_context(own))
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(wanted.iterdir()):
            raise _problem(f"{wanted} is not empty, and the demo overwrites nothing", "--directory")
    except OSError as error:
        raise _problem(f"{wanted or tempfile.gettempdir()} cannot be used: {explain(error)}", "--directory") from None
    return wanted.absolute()


def _choose_board(plan: DemoPlan, tally: Tally, clock: ReferenceClock) -> Board:
    console = open_console(sys.stdout)
    if plan.as_json:
        return JsonBoard(tally, console, open_console(sys.stderr))
    if is_drawable(sys.stdout):
        return LiveBoard(tally, console, choose_glyphs(sys.stdout), clock.now_ns)
    return PlainBoard(tally, console)


def _quieten(plan: DemoPlan, screen: Screen) -> LogHandler:
    """Log only faults of our own side, and on a live terminal as lines of the screen, so that none is torn."""
    is_shared = not plan.as_json and is_drawable(sys.stdout) and sys.stderr.isatty()
    stream: TextIO = _Remarks(screen) if is_shared else sys.stderr
    handler = configure("warning", stream=stream)
    handler.addFilter(lambda record: record.name != _EVENTS_LOG)
    return handler


class _Remarks(io.StringIO):
    """A stream of log lines that ends on the screen."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def write(self, text: str, /) -> int:
        for line in text.splitlines():
            self._screen.remark(line)
        return len(text)


def _opening(addresses: Sequence[str], config_file: Path, scenarios: Sequence[Scenario]) -> Opening:
    url = visit_url(addresses[0])
    return Opening(
        title="smtp-probe demo: the ordinary daemon on an embedded mail path",
        addresses=(
            ("status page", f"{url}/"),
            ("metrics", f"{url}/metrics"),
            ("configuration", str(config_file)),
        ),
        scenarios=tuple((scenario.name, scenario.sees) for scenario in scenarios),
        closing="Each scenario is a route of that name. Times are UTC. Ctrl-C ends it.",
    )


def _leave(screen: Screen, *, is_shown: bool) -> int:
    """Give the exit code, and see to it that the interpreter can end without the stream that is gone or blocked."""
    if screen.error is not None:
        raise screen.error
    if screen.is_gone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif not is_shown:
        os._exit(0)  # the thread holds the stream's lock: an ordinary exit would wait for it, or abort
    return 0


def _forget_settings_of_others() -> None:
    """Take variables away that are meant for another daemon: its state directory is not for us to write to."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        del os.environ[name]


def _problem(message: str, path: str = "demo") -> ConfigError:
    return ConfigError((ConfigProblem(message, path=path),))
