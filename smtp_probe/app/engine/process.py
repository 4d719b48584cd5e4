"""One process of an engine: the parts that its role names, its page, and its end.

In: the options of the command line. Out: an exit code. As `app.daemon`, it ends within ten seconds after a signal, and takes
over a changed configuration on SIGHUP. While the engine cannot be reached nothing is sent, and `smtp_probe_engine_up` is 0.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from contextlib import suppress
from functools import partial
from typing import TypeVar

from smtp_probe.app.engine.checker import Checker
from smtp_probe.app.engine.controller import Controller
from smtp_probe.app.engine.duty import CHECKING, Duty
from smtp_probe.app.engine.exporter import Exporter
from smtp_probe.app.engine.leases import Leases
from smtp_probe.app.engine.members import Members
from smtp_probe.app.engine.programs import ExporterProgram, WatcherProgram, WorkerProgram
from smtp_probe.app.engine.roles import Role
from smtp_probe.app.engine.watcher import Watcher
from smtp_probe.app.engine.worker import Worker
from smtp_probe.app.lifetime import DaemonOptions, Lifetime, do_chores, make_server, open_at_last
from smtp_probe.app.program import Program
from smtp_probe.app.state_lock import StateLock
from smtp_probe.config.engine import Engine
from smtp_probe.config.keys import load_or_make_keys, prepare_state_directory
from smtp_probe.config.load import load
from smtp_probe.config.secrets import read_secret
from smtp_probe.config.settings import Config
from smtp_probe.errors import ConfigError, ConfigProblem, EngineError
from smtp_probe.mail.tag import TagKey
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.jetstream.bucket import Bucket, Entry
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.names import subject_words
from smtp_probe.network.jetstream.reading import RunReader
from smtp_probe.network.jetstream.streams import prepare
from smtp_probe.report.archive import Archive
from smtp_probe.report.engine_journal import EngineJournal
from smtp_probe.report.event_log import log_event
from smtp_probe.report.event_subjects import EventSubjects
from smtp_probe.report.http import WebServer
from smtp_probe.report.journal import JOURNAL_NAME
from smtp_probe.report.standing import leave_standing
from smtp_probe.report.telemetry import Telemetry
from smtp_probe.report.web.checked import Checks

_log = logging.getLogger(__name__)
_FINISH_SECONDS = 4.0
_FAREWELL_SECONDS = 1.5
_AGAIN_SECONDS = 2.0
_J = TypeVar("_J", bound=EngineJournal)


class EngineProcess:
    """One process. Raises ConfigError where it cannot start."""

    def __init__(self, options: DaemonOptions, role: Role) -> None:
        self._options = options
        self._parts = role.parts
        config = _load(options)
        settings = config.engine
        assert settings is not None
        keys = [TagKey(secret) for secret in load_or_make_keys(config)]
        self._member = f"{socket.gethostname().replace('.', '-')}-{secrets.token_hex(4)}"
        self._stream = JetStream(settings, partial(_password, settings), f"smtp-probe {role} {self._member}")
        self._config = config
        self._telemetry = Telemetry(ReferenceClock().now_ns, options.log)
        self._bucket = Bucket(self._stream, self._stream.names.leases)
        self._members = Members(self._bucket, self._member, self._parts, settings.lease, self._engine_state)
        self._members.on_entry, self._members.move_on = self._note, self._stream.move_on
        self._members.refusal = lambda: self._stream.refusal
        self._build(config, keys)
        self._lifetime = Lifetime(
            load=partial(_load, options),
            take_over=self._take_over,
            reloaded=lambda ok: self._telemetry.observations.config_reloaded(ok=ok),
            status=lambda: f"working as {' '.join(sorted(self._parts))}",
        )

    def _build(self, config: Config, keys: list[TagKey]) -> None:
        shows_itself = "exporter" not in self._parts
        self._controller: Controller | None = None
        self._worker: Worker | None = None
        self._watcher: Watcher | None = None
        self._exporter: Exporter | None = None
        self._checker: Checker | None = None
        self._checking = Duty(self._bucket, self._members, CHECKING, self._telemetry.engine.checks)
        self._leases: Leases | None = None
        self._programs: list[Program] = []
        sinks = [log_event, *self._options.sinks]
        if "controller" in self._parts:
            self._controller = Controller(self._stream, self._telemetry.engine.in_order)
        if "worker" in self._parts:
            sending = WorkerProgram(config, keys, self._journal(), sinks, self._telemetry)
            reader = RunReader(self._stream, self._stream.settings.vantage)
            self._worker = Worker(sending, reader, self._telemetry.engine.run)
            self._worker.may_send = lambda: self._members.is_heard
            self._worker.count_peers = lambda: len(self._members.alive("worker"))
            sending.shows_itself = shows_itself
            self._programs.append(sending)
        if "watcher" in self._parts:
            journal = self._journal()
            watching = WatcherProgram(config, keys, journal, sinks, self._telemetry)
            self._leases = leases = Leases(self._bucket, self._members)
            self._watcher = Watcher(watching, journal, self._stream, self._members, leases)
            self._watcher.took_over = self._telemetry.engine.took_over
            watching.shows_itself = shows_itself
            self._programs.append(watching)
        if "checker" in self._parts:
            self._checker = Checker(config, keys, self._stream, self._make_journal, self._checks_telemetry)
        self._showing: ExporterProgram | None = None
        if "exporter" in self._parts:
            prepare_state_directory(config)
            self._lock = StateLock(config.state_directory)
            own = self._options.shard.select(config)
            path = config.state_directory / JOURNAL_NAME
            self._showing = ExporterProgram(own, keys, path, self._options.sinks, self._telemetry)
            self._exporter = Exporter(self._showing, self._stream, self._options.shard, path)
            self._programs.append(self._showing)
        if self._showing is not None:
            # What an exporter knows is its own affair; how the mailboxes are, its metrics tell.
            self._telemetry.observations.duties = self._mailboxes_of_ours
        self._archive = self._showing.archive if self._showing else Archive(config.state_directory / "none")

    def _mailboxes_of_ours(self) -> frozenset[str]:
        """The mailboxes that this process watches."""
        return frozenset() if self._watcher is None else self._watcher.mailboxes

    def _checks_telemetry(self) -> Telemetry:
        """Where a checker counts what it asks; what it sees is shown by exporters, and in this process too where it is one."""
        return Telemetry(ReferenceClock().now_ns, None) if "exporter" in self._parts else self._telemetry

    def _journal(self) -> EngineJournal:
        return self._make_journal(EngineJournal)

    def _make_journal(self, kind: type[_J]) -> _J:
        names = self._stream.names
        subjects = EventSubjects(
            stream=names.events,
            vantage=self._stream.settings.vantage,
            probe=names.probe,
            note=names.seen,
            any_probe=names.any_probe,
            vantage_of=lambda subject: subject_words(subject)[1],
        )
        return kind(self._stream, subjects, self._member)

    async def run(self) -> int:
        """Run until a signal. Gives the exit code."""
        shard = self._options.shard
        self._telemetry.observations.shard(shard.index, shard.count)
        if self._showing is not None:
            self._telemetry.exposition.common_labels = (("vantage", self._stream.settings.vantage),)
        self._telemetry.observations.engine_state(False)
        self._telemetry.engine.begin(self._parts, self._stream.settings.vantage, self._member)
        server = make_server(self, self._options)
        await self._lifetime.begin(server, self._options, member=self._member)
        await self._lifetime.live(self._work(), partial(self._end, server))
        return 0

    # What the pages ask for.

    @property
    def telemetry(self) -> Telemetry:
        """What is counted and shown."""
        return self._telemetry

    @property
    def config(self) -> Config:
        """The configuration in use."""
        return self._showing.config if self._showing is not None else self._config

    @property
    def archive(self) -> Archive:
        """What the journal of this process has; there is none where it is no exporter."""
        return self._archive

    @property
    def checks(self) -> Checks:
        """What the checks found."""
        return self._showing.checks if self._showing is not None else Checks()

    @property
    def is_lifecycle_enabled(self) -> bool:
        """Whether anything may be changed over HTTP."""
        return self._options.enable_lifecycle

    async def probe_now(self, route: str) -> str | None:
        """Have a probe sent out of turn, by whichever worker gets it. Gives the reason why not, or None."""
        names = self._stream.names
        try:
            await self._stream.append(names.run(self._stream.settings.vantage, route), b"")
        except EngineError:
            return "journal"
        return None

    async def reload(self) -> None:
        """Load the configuration again and take it over. Raises ConfigError; the running one then stays."""
        await self._lifetime.reload()

    def _take_over(self, config: Config) -> None:
        if config.engine != self._config.engine:
            _log.warning("a changed section engine is taken over at the next start only")
        self._config = config
        self._configure()
        leave_standing()

    # The work.

    def _configure(self) -> None:
        config = self._config
        if self._controller is not None:
            self._controller.configure(config)
        if self._worker is not None:
            self._worker.configure(config)
        if self._watcher is not None:
            self._watcher.configure(config)
        if self._checker is not None:
            self._checker.configure(config)
        if self._showing is not None:
            self._showing.configure(self._options.shard.select(config))

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            if self._showing is not None:
                group.create_task(self._show(self._showing), name="show")
            await self._stream.connect()
            await self._prepare()
            group.create_task(self._members.renew(), name="signs of life")
            group.create_task(self._members.listen(), name="members")
            if self._controller is not None:
                self._controller.configure(self._config)
                group.create_task(self._controller.run(), name="controller")
            if self._worker is not None:
                self._worker.configure(self._config)
                group.create_task(self._worker.run(), name="worker")
            if self._watcher is not None:
                self._watcher.configure(self._config)
                group.create_task(self._watcher.run(), name="watcher")
            if self._checker is not None:
                self._checker.configure(self._config)
                group.create_task(self._checking.run(self._checker.run), name="checker")
            leave_standing()

    async def _prepare(self) -> None:
        said = ""
        while True:
            try:
                await prepare(self._stream, may_create=self._controller is not None)
            except EngineError as error:
                if str(error) != said:
                    said = str(error)
                    _log.warning("the engine is not ready: %s", error)
                await asyncio.sleep(_AGAIN_SECONDS / 4)
            else:
                return

    async def _show(self, program: ExporterProgram) -> None:
        """Open the journal, as often as it takes, and count into it."""
        assert self._exporter is not None
        await open_at_last(
            partial(self._open_journal, program, self._exporter),
            failing="nothing is counted",
            seconds=_AGAIN_SECONDS,
        )
        program.start()
        await self._stream.connect()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._exporter.run(), name="exporter")
            group.create_task(do_chores(program), name="chores")
            group.create_task(self._recall(program, self._exporter), name="recall")

    async def _recall(self, program: ExporterProgram, exporter: Exporter) -> None:
        """Have pages be quick, and have the past of the routes; what has happened lately comes first."""
        await exporter.has_caught_up.wait()
        await program.telemetry.warm()
        await program.recall_routes()

    async def _open_journal(self, program: ExporterProgram, exporter: Exporter) -> None:
        self._lock.take()
        if not (self._config.state_directory / JOURNAL_NAME).exists():  # what it begins with, others know
            await self._stream.connect()
            await self._prepare()
            await exporter.seed()
        await program.open()

    def _engine_state(self, is_up: bool) -> None:
        self._telemetry.engine.up(is_up)
        self._telemetry.observations.engine_state(is_up)
        if self._showing is None:
            self._telemetry.observations.journal_state(is_up)

    def _note(self, entry: Entry) -> None:
        if self._leases is not None:
            self._leases.note(entry)
        if self._exporter is not None:
            self._exporter.note(entry)
        if self._worker is not None:
            self._worker.note(entry)

    async def _end(self, server: WebServer, working: asyncio.Task[None]) -> None:
        """Finish what is being handed over, stop, and let the others have what is ours."""
        if self._worker is not None:
            await self._worker.stop(_FINISH_SECONDS)
        working.cancel()
        await asyncio.wait((working,), timeout=_FINISH_SECONDS / 2)
        if self._stream.is_connected:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await self._say_farewell()
        for program in self._programs:
            await program.close()
        await self._stream.close()
        await server.stop()
        if self._showing is not None:
            self._lock.give_back()
        if working.done() and not working.cancelled() and (error := working.exception()) is not None:
            raise error

    async def _say_farewell(self) -> None:
        if self._watcher is not None:
            await self._watcher.stop()
        await self._checking.give_back()
        await self._members.leave()
        if self._exporter is not None:
            await self._exporter.keep()


def _load(options: DaemonOptions) -> Config:
    """Load a configuration that has what an engine needs. Raises ConfigError."""
    config = load(options.config_file)
    problems = []
    if config.engine is None:
        problems.append(ConfigProblem(message="a role needs this section", path="engine"))
    if not config.tag_key_files:
        message = "processes that share the work must share their signing keys: name them here"
        problems.append(ConfigProblem(message=message, path="tag_key_files"))
    if problems:
        raise ConfigError(tuple(problems))
    return config


def _password(settings: Engine) -> str:
    assert settings.auth is not None
    return read_secret(settings.auth, path="engine.auth")
