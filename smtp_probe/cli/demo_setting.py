"""What a run of the demo stands on: its scenarios, its addresses, its directory.

In: what the command line says. Out: values that can be used, or a ConfigError that tells what to do. Starts nothing.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from smtp_probe.config.files import explain
from smtp_probe.config.overrides import PREFIX
from smtp_probe.demo.scenarios import MIX, Scenario, choose_scenarios
from smtp_probe.errors import ConfigError, ConfigProblem
from smtp_probe.report.listen import open_socket, parse_listen_address

_SHORTEST_INTERVAL_SECONDS = 2.0
_INTERVAL_PER_ROUTE_SECONDS = 0.6
"""So that one scenario alone is shown often, and all together do not run over each other."""
_LOCAL_NAMES = {"": "localhost", "::": "[::1]", "0.0.0.0": "127.0.0.1"}  # noqa: S104 - looked up, not listened on


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """What the command line says. Durations are seconds."""

    scenarios: tuple[str, ...] = ()
    began_seconds: float
    """When the command began, on the monotonic clock: the duration includes the start."""
    duration_seconds: float | None = None
    as_json: bool = False
    listen_addresses: tuple[str, ...] = ()
    preferred_address: str = "127.0.0.1:0"
    """Where to listen when nothing was said and the port is free."""
    directory: Path | None = None


def pick_scenarios(names: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios of these names, each once, at a rhythm that suits their number. Raises ConfigError."""
    chosen = {scenario.name: scenario for name in names or (MIX,) for scenario in choose_scenarios(name)}
    interval = max(_SHORTEST_INTERVAL_SECONDS, _INTERVAL_PER_ROUTE_SECONDS * len(chosen))
    return tuple(
        replace(scenario, interval_seconds=min(scenario.interval_seconds, interval))
        for scenario in chosen.values()
    )


def listen_near(preferred: str) -> socket.socket:
    """Listen on the preferred address, or on a free port of its host where that one is taken. Raises ConfigError.

    What is bound is handed on, not only its number: between a look and its use another demo could take the port.
    """
    address = parse_listen_address(preferred)
    try:
        return open_socket(address)
    except ConfigError:
        return open_socket(replace(address, port=0))


def visit_url(address: str) -> str:
    """Where a browser on this machine finds an address that is listened on."""
    listen = parse_listen_address(address)
    host = _LOCAL_NAMES.get(listen.host) or (f"[{listen.host}]" if ":" in listen.host else listen.host)
    return f"http://{host}:{listen.port}"


def open_directory(wanted: Path | None, stack: ExitStack) -> Path:
    """The directory of a run: an empty one that is kept, or an own one that the stack removes. Raises ConfigError."""
    try:
        if wanted is None:
            own = tempfile.TemporaryDirectory(prefix="smtp-probe-demo-", ignore_cleanup_errors=True)
            return Path(stack.enter_context(own))
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_empty = not any(wanted.iterdir())
    except OSError as error:
        name = wanted or "a directory for temporary files"
        raise problem(name, f"cannot be used: {explain(error)}", "--directory") from None
    if not is_empty:
        raise problem(wanted, "is not empty, and the demo overwrites nothing", "--directory")
    return wanted.absolute()


def forget_settings_of_others() -> None:
    """Take variables away that are meant for another daemon: its state directory is not for the demo to write to."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        del os.environ[name]


def problem(subject: object, complaint: str, path: str = "demo") -> ConfigError:
    """One thing that the user can put right."""
    return ConfigError((ConfigProblem(f"{subject} {complaint}", path=path),))
