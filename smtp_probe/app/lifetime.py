"""How a process that serves pages lives: from its first page to its end, by signals and by word of the service manager.

In: the options of the command line, how to load a configuration and how to take it over, the work and how to end it. Out:
when the end has come. SIGTERM and SIGINT end it, SIGHUP has the configuration loaded again; one that does not load never
replaces the running one. What the work is, a daemon's or that of a role of an engine, is not known here.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from smtp_probe.app.service_manager import ServiceManager
from smtp_probe.app.shard import WHOLE, Shard
from smtp_probe.config.settings import Config
from smtp_probe.errors import ConfigError, JournalError
from smtp_probe.ports import Sink
from smtp_probe.report.doors.activation import take_sockets
from smtp_probe.report.http import WebServer
from smtp_probe.report.log import LogHandler
from smtp_probe.report.web.application import Application
from smtp_probe.report.web.place import find_place

_log = logging.getLogger(__name__)
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


class _Forgetful(Protocol):
    async def forget_old(self) -> None:
        """Drop what is older than is to be kept."""
        ...


class Lifetime:
    """One life. `status` says in a few words, for the service manager, what the process does."""

    def __init__(
        self,
        *,
        load: Callable[[], Config],
        take_over: Callable[[Config], None],
        reloaded: Callable[[bool], None],
        status: Callable[[], str],
    ) -> None:
        self._load = load
        self._take_over = take_over
        self._reloaded = reloaded
        self._status = status
        self._stop = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._service_manager = ServiceManager()

    async def begin(self, server: WebServer, options: DaemonOptions, **fields: str) -> None:
        """Listen, obey signals, and tell whoever wants to know. Raises ConfigError where that cannot be."""
        addresses = [str(address) for address in await server.start()]
        self._catch_signals()
        _log.info("listening", extra={"addresses": " ".join(addresses), **fields})
        options.on_started(addresses)
        self._service_manager.ready(self._status())

    async def live(
        self,
        work: Coroutine[object, object, None],
        end: Callable[[asyncio.Task[None]], Awaitable[None]],
    ) -> None:
        """Work until a signal comes, or the work fails. `end` gets the work, ends it, and raises what was wrong with it."""
        working = asyncio.create_task(work, name="work")
        living = asyncio.create_task(self._service_manager.keep_alive(), name="signs of life")
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            self._service_manager.stopping()
            _log.info("ending")
            await end(working)
            _log.info("ended")
            living.cancel()

    def stop(self) -> None:
        """End the life, as SIGTERM does."""
        self._stop.set()

    async def reload(self) -> None:
        """Load the configuration again and take it over. Raises ConfigError; the running one then stays."""
        async with self._reloading:
            try:
                self._service_manager.reloading()
                config = await asyncio.to_thread(self._load)
                self._take_over(config)
            except ConfigError as error:
                self._reloaded(False)
                _log.error("configuration not taken over: %s", error)
                raise
            finally:
                self._service_manager.ready(self._status())  # with the old one or the new one: it goes on
            self._reloaded(True)
            _log.info("configuration taken over", extra={"routes": len(config.routes)})

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload_soon)

    def _reload_soon(self) -> None:
        task = asyncio.get_running_loop().create_task(self.reload(), name="reload")
        task.add_done_callback(lambda done: done.exception())  # `reload` has logged it


def make_server(application: Application, options: DaemonOptions) -> WebServer:
    """Give the server of a process's pages, as the command line wants it."""
    return WebServer(
        application,
        options.listen_addresses,
        place=find_place(options.route_prefix, options.external_url),
        web_config_file=options.web_config_file,
        sockets=take_sockets(os.environ, os.getpid()) if options.use_systemd_socket else options.sockets,
    )


async def open_at_last(
    attempt: Callable[[], Awaitable[None]],
    *,
    failing: str,
    seconds: float,
    failed: Callable[[], None] = lambda: None,
) -> None:
    """Open a journal, as often as it takes: pages and metrics are served meanwhile. `failing` says what that means."""
    said = ""
    while True:
        try:
            await attempt()
        except (JournalError, OSError) as error:
            failed()
            if str(error) != said:
                said = str(error)
                _log.error("%s: %s", failing, error)
            await asyncio.sleep(seconds)
        else:
            return


async def do_chores(program: _Forgetful) -> None:
    """Keep the journal from growing, until cancelled."""
    while True:
        await program.forget_old()
        await asyncio.sleep(_CHORES_SECONDS)
