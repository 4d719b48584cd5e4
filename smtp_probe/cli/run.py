"""The command `run`: the daemon, until a signal.

In: the command line, with Prometheus' habits of naming. Out: pages and metrics; log lines on standard error; exit code
0 after a signal, 2 for a configuration that cannot be used.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smtp_probe.cli.options import DEFAULT_CONFIG_FILE, ConfigFile

if TYPE_CHECKING:
    from smtp_probe.app.engine.process import EngineProcess
    from smtp_probe.app.lifetime import DaemonOptions

DEFAULT_LISTEN_ADDRESS = "127.0.0.1:10925"
"""Loopback, and a port that no other exporter is known to take."""


class Level(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class Form(StrEnum):
    """What a line of the log looks like."""

    LOGFMT = "logfmt"
    JSON = "json"


class RoleName(StrEnum):
    """Which part of the work a process does."""

    CONTROLLER = "controller"
    WORKER = "worker"
    WATCHER = "watcher"
    EXPORTER = "exporter"
    CHECKER = "checker"
    ALL = "all"


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("run")(run)


def run(  # noqa: PLR0913, PLR0917 - one parameter an option
    config_file: ConfigFile = DEFAULT_CONFIG_FILE,
    listen_address: Annotated[
        list[str] | None,
        typer.Option(
            "--web.listen-address",
            metavar="ADDRESS",
            help=f"May be repeated. Default: {DEFAULT_LISTEN_ADDRESS}",
        ),
    ] = None,
    enable_lifecycle: Annotated[
        bool,
        typer.Option("--web.enable-lifecycle", help="Allow POST /-/reload, and sending probes over HTTP."),
    ] = False,
    web_config_file: Annotated[
        Path | None,
        typer.Option(
            "--web.config.file", metavar="FILE", help="TLS, users, headers and rate limit of the pages."
        ),
    ] = None,
    systemd_socket: Annotated[
        bool, typer.Option("--web.systemd-socket", help="Listen on the sockets that systemd opened.")
    ] = False,
    route_prefix: Annotated[
        str | None,
        typer.Option(
            "--web.route-prefix",
            metavar="PATH",
            help="Where the pages are. Default: the path of the external URL.",
        ),
    ] = None,
    external_url: Annotated[
        str | None, typer.Option("--web.external-url", metavar="URL", help="By which others know the pages.")
    ] = None,
    shard: Annotated[
        str,
        typer.Option(
            "--shard",
            envvar="SMTP_PROBE_SHARD",
            metavar="N/M",
            help="Be shard N (from 0) of M, or auto/M: N is the number at the end of the host's name.",
        ),
    ] = "0/1",
    role: Annotated[
        RoleName | None,
        typer.Option(
            "--role",
            envvar="SMTP_PROBE_ROLE",
            help="Be this part of several processes that share the work over NATS (docs/engine.md). "
            "Default: do everything alone.",
        ),
    ] = None,
    log_level: Annotated[Level, typer.Option("--log.level", help="How much to log.")] = Level.INFO,
    log_format: Annotated[Form, typer.Option("--log.format", help="What a line looks like.")] = Form.LOGFMT,
) -> None:
    """Probe all routes on their schedules, and serve metrics, until a signal comes."""
    import asyncio
    import signal
    import socket

    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the daemon takes it for a reload
    from smtp_probe.app.daemon import Daemon
    from smtp_probe.app.lifetime import DaemonOptions
    from smtp_probe.app.shard import Shard
    from smtp_probe.report.log import configure

    try:
        own_part = Shard.parse(shard, socket.gethostname())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--shard") from None
    handler = configure("warning" if log_level is Level.WARN else log_level.value, log_format.value)
    options = DaemonOptions(
        config_file=config_file,
        listen_addresses=tuple(listen_address or [DEFAULT_LISTEN_ADDRESS]),
        enable_lifecycle=enable_lifecycle,
        web_config_file=web_config_file,
        use_systemd_socket=systemd_socket,
        route_prefix=route_prefix,
        external_url=external_url,
        shard=own_part,
        log=handler,
    )

    async def work() -> int:
        if role is not None:
            return await _make_process(options, role).run()
        return await Daemon(options).run()

    raise typer.Exit(asyncio.run(work()))


def _make_process(options: DaemonOptions, role: RoleName) -> EngineProcess:
    """Make the process of a role. Raises ConfigError where the engine's library is not installed."""
    from smtp_probe.errors import ConfigError, ConfigProblem

    try:
        from smtp_probe.app.engine.process import EngineProcess
        from smtp_probe.app.engine.roles import Role
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "nats":
            raise
        message = "--role needs the extra `nats`: pip install 'smtp-probe[nats]'"
        raise ConfigError((ConfigProblem(message=message),)) from None
    return EngineProcess(options, Role(role.value))
