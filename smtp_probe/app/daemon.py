"""The daemon: a program that runs until a signal, serves its pages, and takes over a changed configuration.

In: the options of the command line. Out: an exit code. SIGTERM and SIGINT end it within ten seconds: submissions under
way are finished, or recorded as uncertain; connections are logged out; the journal is closed. SIGHUP and, where it is
enabled, POST /-/reload load the configuration again; one that does not load never replaces the running one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from smtp_probe.app.bounce_drill import run_bounce_drill
from smtp_probe.app.drills import Drills, view_drills
from smtp_probe.app.program import Program
from smtp_probe.app.service_manager import ServiceManager
from smtp_probe.app.shard import WHOLE, Shard
from smtp_probe.app.state_lock import StateLock
from smtp_probe.config.keys import load_or_make_keys, prepare_state_directory
from smtp_probe.config.load import load
from smtp_probe.config.settings import Config
from smtp_probe.errors import ConfigError, JournalError
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import DrillReport
from smtp_probe.ports import Sink
from smtp_probe.probes.runner import Runner
from smtp_probe.report.archive import Archive
from smtp_probe.report.doors.activation import take_sockets
from smtp_probe.report.drill_memory import DrillMemory
from smtp_probe.report.event_log import log_event
from smtp_probe.report.http import WebServer
from smtp_probe.report.journal import JOURNAL_NAME
from smtp_probe.report.log import LogHandler
from smtp_probe.report.telemetry import Telemetry
from smtp_probe.report.web.checked import Checks
from smtp_probe.report.web.place import find_place

_log = logging.getLogger(__name__)
_FINISH_SECONDS = 4.0
"""How long submissions under way may go on after a signal; with what follows it stays below ten seconds."""
_JOURNAL_RETRY_SECONDS = 5.0
_CHORES_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonOptions:
    """What the command line says. `sockets` are listened on in place of the addresses; `on_started` is told where."""

    config_file: Path
    listen_addresses: tuple[str, ...]
    enable_lifecycle: bool = False
    web_config_file: Path | None = None
    use_systemd_socket: bool = False
    sockets: tuple[socket.socket, ...] = ()
    route_prefix: str | None = None
    external_url: str | None = None
    shard: Shard = WHOLE
    log: LogHandler | None = None
    sinks: tuple[Sink, ...] = ()
    on_started: Callable[[list[str]], None] = lambda _: None


class Daemon:
    """One run of the daemon. Raises ConfigError from `run` when it cannot start."""

    def __init__(self, options: DaemonOptions) -> None:
        self._options = options
        config = options.shard.select(load(options.config_file))
        prepare_state_directory(config)
        keys = [TagKey(secret) for secret in load_or_make_keys(config)]
        self._lock = StateLock(config.state_directory)
        with suppress(OSError):  # a full disk: it is tried again with the journal, and nothing is sent before
            self._lock.take()
        self.program = Program(
            config,
            keys,
            config.state_directory / JOURNAL_NAME,
            [log_event, *options.sinks],
            log=options.log,
        )
        self._runner = Runner(
            self.program.round_trips,
            self.program.ledger,
            self.program.clock,
            self.program.telemetry.observations.scheduler_lag,
        )
        self._drills = Drills(
            self.program.clock,
            keys,
            self.program.submitter,
            partial(run_bounce_drill, keys=keys, clock=self.program.clock),
            self._drill_ended,
        )
        self._drill_memory = DrillMemory(config.state_directory)
        self._stop = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._service_manager = ServiceManager()

    async def run(self) -> int:
        """Run until a signal. Gives the exit code."""
        shard = self._options.shard
        self.telemetry.observations.shard(shard.index, shard.count)
        self.telemetry.declare(self.program.config)
        server = self._make_server()
        addresses = [str(address) for address in await server.start()]
        self._catch_signals()
        _log.info("listening", extra={"addresses": " ".join(addresses)})
        self._options.on_started(addresses)
        self._say_ready()
        working = asyncio.create_task(self._work(), name="work")
        living = asyncio.create_task(self._service_manager.keep_alive(), name="signs of life")
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            self._service_manager.stopping()
            await self._end(working, server)
            living.cancel()
        return 0

    def _make_server(self) -> WebServer:
        options = self._options
        return WebServer(
            self,
            options.listen_addresses,
            place=find_place(options.route_prefix, options.external_url),
            web_config_file=options.web_config_file,
            sockets=take_sockets(os.environ, os.getpid()) if options.use_systemd_socket else options.sockets,
        )

    @property
    def telemetry(self) -> Telemetry:
        """What is counted and shown."""
        return self.program.telemetry

    @property
    def config(self) -> Config:
        """The configuration in use."""
        return self.program.config

    @property
    def archive(self) -> Archive:
        """What the journal has."""
        return self.program.archive

    @property
    def checks(self) -> Checks:
        """What the checks found."""
        return self.program.checks

    async def probe_now(self, route: str) -> str | None:
        """Send a probe out of turn. Gives the reason why not, or None."""
        return self._runner.send_now(route)

    @property
    def is_lifecycle_enabled(self) -> bool:
        """Whether anything may be changed over HTTP."""
        return self._options.enable_lifecycle

    def stop(self) -> None:
        """End the run, as SIGTERM does."""
        self._stop.set()

    async def reload(self) -> None:
        """Load the configuration again and take it over. Raises ConfigError; the running one then stays."""
        async with self._reloading:
            observations = self.program.telemetry.observations
            try:
                self._service_manager.reloading()
                config = await asyncio.to_thread(load, self._options.config_file)
                config = self._options.shard.select(config)
                self._warn_of_what_needs_a_restart(config)
            except ConfigError as error:
                observations.config_reloaded(ok=False)
                _log.error("configuration not taken over: %s", error)
                raise
            finally:
                self._say_ready()  # with the old configuration or the new one: it goes on
            self.program.configure(config)
            self._runner.configure(self.program.targets, config.schedule)
            self._configure_drills()
            observations.config_reloaded(ok=True)
            _log.info("configuration taken over", extra={"routes": len(config.routes)})

    def _say_ready(self) -> None:
        count = len(self.program.config.routes)
        self._service_manager.ready(f"probing {count} route{'' if count == 1 else 's'}")

    # The work.

    async def _work(self) -> None:
        await self._open_journal()
        self.program.start()
        self.program.queues.start()
        for report in self._drill_memory.read():
            self.telemetry.drills.recall(report)
        self._configure_drills()
        self._drills.start()
        self.program.credentials.start()
        self._runner.configure(self.program.targets, self.program.config.schedule)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._runner.run(), name="runner")
            group.create_task(self._do_chores(), name="chores")
            group.create_task(self.program.domains.watch.run(), name="domains")
            group.create_task(self.program.recall_routes(), name="recall")

    def _configure_drills(self) -> None:
        self._drills.configure(self.program.config)
        self._show_drills()

    def _drill_ended(self, report: DrillReport) -> None:
        """Show what a drill came to, in the metrics and on the pages, and keep it for the next start."""
        self.telemetry.drills.show(report)
        self._show_drills()
        self._drill_memory.write(self.telemetry.drills.latest.values())

    def _show_drills(self) -> None:
        program = self.program
        latest = self.telemetry.drills.latest
        program.checks = replace(program.checks, drills=view_drills(program.config, latest))

    async def _open_journal(self) -> None:
        """Open the journal, as often as it takes: pages and metrics are served meanwhile, and nothing is sent."""
        said = ""
        while True:
            try:
                self._lock.take()
                await self.program.open()
            except (JournalError, OSError) as error:
                self.program.telemetry.observations.journal_state(up=False)
                if str(error) != said:
                    said = str(error)
                    _log.error("nothing is sent: %s", error)
                await asyncio.sleep(_JOURNAL_RETRY_SECONDS)
            else:
                return

    async def _do_chores(self) -> None:
        while True:
            await self.program.forget_old()
            await asyncio.sleep(_CHORES_SECONDS)

    async def _end(self, working: asyncio.Task[None], server: WebServer) -> None:
        _log.info("ending")
        await self._runner.stop(_FINISH_SECONDS)
        await self._drills.close()
        working.cancel()
        results = await asyncio.gather(working, return_exceptions=True)
        await self.program.close()
        await server.stop()
        self._lock.give_back()
        for result in results:
            if isinstance(result, Exception):
                raise result
        _log.info("ended")

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload_soon)

    def _reload_soon(self) -> None:
        task = asyncio.get_running_loop().create_task(self.reload(), name="reload")
        task.add_done_callback(lambda done: done.exception())  # `reload` has logged it

    def _warn_of_what_needs_a_restart(self, config: Config) -> None:
        running = self.program.config
        if config.state_directory != running.state_directory or config.tag_key_files != running.tag_key_files:
            _log.warning("a changed state_directory or tag_key_files is taken over at the next start only")
