"""The daemon: a program that runs until a signal, serves its pages, and takes over a changed configuration.

In: the options of the command line. Out: an exit code. SIGTERM and SIGINT end it within ten seconds: submissions under
way are finished, or recorded as uncertain; connections are logged out; the journal is closed. SIGHUP and, where it is
enabled, POST /-/reload load the configuration again; one that does not load never replaces the running one.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from functools import partial

from smtp_probe.app.drills import Drills, view_drills
from smtp_probe.app.lifetime import DaemonOptions, Lifetime, do_chores, make_server, open_at_last
from smtp_probe.app.program import Program
from smtp_probe.app.state_lock import StateLock
from smtp_probe.config.keys import load_or_make_keys, prepare_state_directory
from smtp_probe.config.load import load
from smtp_probe.config.settings import Config
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import DrillReport
from smtp_probe.probes.runner import Runner
from smtp_probe.report.archive import Archive
from smtp_probe.report.drill_memory import DrillMemory
from smtp_probe.report.event_log import log_event
from smtp_probe.report.http import WebServer
from smtp_probe.report.journal import JOURNAL_NAME
from smtp_probe.report.telemetry import Telemetry
from smtp_probe.report.web.checked import Checks

_log = logging.getLogger(__name__)
_FINISH_SECONDS = 4.0
"""How long submissions under way may go on after a signal; with what follows it stays below ten seconds."""
_JOURNAL_RETRY_SECONDS = 5.0


class Daemon:
    """One run of the daemon. Raises ConfigError from `run` when it cannot start."""

    def __init__(self, options: DaemonOptions) -> None:
        self._options = options
        config = self._load()
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
        self._drills = Drills(self.program.clock, keys, self.program.submitter, self._drill_ended)
        self._drill_memory = DrillMemory(config.state_directory)
        self._lifetime = Lifetime(
            load=self._load,
            take_over=self._take_over,
            reloaded=lambda ok: self.telemetry.observations.config_reloaded(ok=ok),
            status=self._status,
        )

    async def run(self) -> int:
        """Run until a signal. Gives the exit code."""
        shard = self._options.shard
        self.telemetry.observations.shard(shard.index, shard.count)
        self.telemetry.declare(self.program.config)
        server = make_server(self, self._options)
        part = {} if shard.count == 1 else {"shard": f"{shard.index}/{shard.count}"}
        await self._lifetime.begin(server, self._options, routes=str(len(self.program.config.routes)), **part)
        await self._lifetime.live(self._work(), partial(self._end, server))
        return 0

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
        self._lifetime.stop()

    async def reload(self) -> None:
        """Load the configuration again and take it over. Raises ConfigError; the running one then stays."""
        await self._lifetime.reload()

    def _load(self) -> Config:
        return self._options.shard.select(load(self._options.config_file))

    def _take_over(self, config: Config) -> None:
        self._warn_of_what_needs_a_restart(config)
        self.program.configure(config)
        self._runner.configure(self.program.targets, config.schedule)
        self._configure_drills()

    def _status(self) -> str:
        count = len(self.program.config.routes)
        return f"probing {count} route{'' if count == 1 else 's'}"

    # The work.

    async def _work(self) -> None:
        await open_at_last(
            self._open_journal,
            failing="nothing is sent",
            seconds=_JOURNAL_RETRY_SECONDS,
            failed=lambda: self.telemetry.observations.journal_state(up=False),
        )
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
            group.create_task(do_chores(self.program), name="chores")
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
        self._lock.take()
        await self.program.open()

    async def _end(self, server: WebServer, working: asyncio.Task[None]) -> None:
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

    def _warn_of_what_needs_a_restart(self, config: Config) -> None:
        running = self.program.config
        if config.state_directory != running.state_directory or config.tag_key_files != running.tag_key_files:
            _log.warning("a changed state_directory or tag_key_files is taken over at the next start only")
