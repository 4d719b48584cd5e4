"""One run of the demo: mail path, daemon and screen, begun together and ended in order.

In: a plan. Out: an exit code. SIGINT, SIGTERM, the end of the duration and a terminal that is gone end it alike: the
daemon finishes what is under way, the mail path closes, the directory is removed, the summary is printed. Raises
ConfigError for what the user can put right. Nothing outlasts the process but a directory that was asked for.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import TextIO

from smtp_probe.app.daemon import Daemon
from smtp_probe.app.lifetime import DaemonOptions
from smtp_probe.cli.boards import Board, JsonBoard, Opening, PlainBoard
from smtp_probe.cli.demo_setting import (
    DemoPlan,
    forget_settings_of_others,
    listen_near,
    open_directory,
    pick_scenarios,
    problem,
    visit_url,
)
from smtp_probe.cli.live_board import LiveBoard
from smtp_probe.cli.screen import Screen
from smtp_probe.cli.tally import Tally
from smtp_probe.cli.terminal import abandon, choose_glyphs, is_drawable, open_console
from smtp_probe.config.files import explain
from smtp_probe.demo.extra import require_extra
from smtp_probe.demo.mail_path import MailPath
from smtp_probe.demo.scenarios import Scenario
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.report.log import LogHandler, configure

_ENDING_SECONDS = 0.4
"""What the end takes after the signal: a duration includes it."""
_PATIENCE_SECONDS = 3.0
"""How long a terminal may take to show the rest."""
_LONGEST_REMARK = 2000
_EVENTS_LOG = "smtp_probe.events"
"""Tells what becomes of mail. The screen does that; what remains are faults of our own side."""


def run_demo(plan: DemoPlan) -> int:
    """Run until a signal or the end of the duration. Gives the exit code. Raises ConfigError."""
    require_extra()
    scenarios = pick_scenarios(plan.scenarios)
    forget_settings_of_others()
    return asyncio.run(_run(plan, scenarios))


async def _run(plan: DemoPlan, scenarios: Sequence[Scenario]) -> int:
    return await _DemoRun(plan, scenarios).run()


class _DemoRun:
    """The parts of one run."""

    def __init__(self, plan: DemoPlan, scenarios: Sequence[Scenario]) -> None:
        self._plan = plan
        self._scenarios = scenarios
        self._clock = ReferenceClock()
        self._tally = Tally([scenario.name for scenario in scenarios])
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._screen = Screen(self._choose_board(), self._tally, self._clock.now_ns, self._stop_from_screen)

    async def run(self) -> int:
        """Run, and give the exit code."""
        self._catch_signals()
        began, duration = self._plan.began_seconds, self._plan.duration_seconds
        if duration is not None:
            self._loop.call_at(began + duration - _ENDING_SECONDS, self._stopping.set)
        self._screen.start()
        try:
            with ExitStack() as stack:
                await self._work(open_directory(self._plan.directory, stack))
        finally:
            is_shown = self._screen.close(self._loop.time() - began, _PATIENCE_SECONDS)
        return self._leave(is_shown=is_shown)

    async def _work(self, directory: Path) -> None:
        """Start the mail path, then the daemon; end them in the other order."""
        async with AsyncExitStack() as stack:
            try:
                path = await stack.enter_async_context(
                    MailPath(self._scenarios, directory, clock=self._clock)
                )
                config_file = path.write_config()
            except OSError as error:
                raise problem(directory, f"cannot hold the mail path: {explain(error)}") from None
            await self._run_daemon(config_file)

    async def _run_daemon(self, config_file: Path) -> None:
        plan = self._plan
        with ExitStack() as opened:
            options = DaemonOptions(
                config_file=config_file,
                listen_addresses=plan.listen_addresses,
                sockets=()
                if plan.listen_addresses
                else (opened.enter_context(listen_near(plan.preferred_address)),),
                log=self._quieten(),
                sinks=(self._screen.tell,),
                on_started=lambda addresses: self._started(addresses, config_file),
            )
            daemon = Daemon(options)
            ender = asyncio.create_task(self._end(daemon), name="ender")
            try:
                await daemon.run()
            finally:
                ender.cancel()

    async def _end(self, daemon: Daemon) -> None:
        await self._stopping.wait()
        daemon.stop()

    def _started(self, addresses: Sequence[str], config_file: Path) -> None:
        """Take the signals back from the daemon, and tell the addresses."""
        self._catch_signals()
        self._screen.open(_opening(addresses, config_file, self._scenarios))

    def _catch_signals(self) -> None:
        """End at a signal. Where there is a terminal, its end is ours; without one SIGHUP is the daemon's."""
        at_terminal = (signal.SIGHUP,) if sys.stdout.isatty() else ()
        for number in (signal.SIGINT, signal.SIGTERM, *at_terminal):
            self._loop.add_signal_handler(number, self._stopping.set)

    def _stop_from_screen(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)

    def _choose_board(self) -> Board:
        console = open_console(sys.stdout)
        if self._plan.as_json:
            return JsonBoard(self._tally, console, open_console(sys.stderr))
        if is_drawable(sys.stdout):
            return LiveBoard(self._tally, console, choose_glyphs(sys.stdout), self._clock.now_ns)
        return PlainBoard(self._tally, console)

    def _quieten(self) -> LogHandler:
        """Log only faults of our own side, and on a live terminal as lines of the screen, so that none is torn."""
        is_shared = not self._plan.as_json and is_drawable(sys.stdout) and sys.stderr.isatty()
        stream: TextIO = _Remarks(self._screen) if is_shared else sys.stderr
        handler = configure("warning", stream=stream)
        handler.addFilter(lambda record: record.name != _EVENTS_LOG)
        return handler

    def _leave(self, *, is_shown: bool) -> int:
        """Give the exit code; the interpreter must be able to end without a stream that is gone or blocked."""
        screen = self._screen
        if screen.error is not None:
            raise screen.error
        if screen.is_gone:
            abandon(sys.stdout)
        elif not is_shown:
            os._exit(0)  # the thread holds the stream's lock: an ordinary exit would wait for it, or abort
        return 0


class _Remarks(io.StringIO):
    """A stream of log lines that ends on the screen."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def write(self, text: str, /) -> int:
        """Take whole lines, as a log handler writes them."""
        for line in text.splitlines():
            self._screen.remark(sanitise(line, _LONGEST_REMARK))
        return len(text)


def _opening(addresses: Sequence[str], config_file: Path, scenarios: Sequence[Scenario]) -> Opening:
    pages = (("status page", "/"), ("metrics", "/metrics"))
    urls = [(name, visit_url(address) + path) for address in addresses for name, path in pages]
    return Opening(
        title="smtp-probe demo: the ordinary daemon on an embedded mail path",
        addresses=(*urls, ("configuration", str(config_file))),
        scenarios=tuple((scenario.name, scenario.sees) for scenario in scenarios),
        closing="Each scenario is a route of that name. Times are UTC. Ctrl-C ends it.",
    )
