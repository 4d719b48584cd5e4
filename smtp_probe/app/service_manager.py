"""Telling systemd how the daemon is: ready, reloading, stopping, and alive (sd_notify(3), sd_watchdog_enabled(3)).

In: what the daemon became. Out: datagrams to the socket that `$NOTIFY_SOCKET` names; nothing where there is none. Never
raises: a service manager that does not listen is no reason to stop probing mail.

The sign of life is sent by the event loop itself, so that a loop that hangs is found by its silence.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Mapping

_log = logging.getLogger(__name__)
_SIGNS_IN_A_TIMEOUT = 2


class ServiceManager:
    """The service manager that started this process, if one did."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._watchdog_seconds = _watchdog_seconds(environment)

    def ready(self, status: str) -> None:
        """Say that pages and metrics are served (also after a reload)."""
        self._tell(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """Say that the configuration is being loaded again."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the daemon ends, by its own will."""
        self._tell("STOPPING=1")

    async def keep_alive(self) -> None:
        """Give a sign of life as often as is asked for, until cancelled. Returns at once where none is."""
        while self._watchdog_seconds is not None:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_seconds / _SIGNS_IN_A_TIMEOUT)

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        # A leading @ stands for the zero byte of Linux' abstract sockets (sd_notify(3)).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto(state.encode(), address)
        except OSError as error:
            _log.warning("the service manager was not told: %s", error)


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """Give the time-out that is set for this very process; None where there is none."""
    microseconds, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or int(microseconds) == 0 or pid not in ("", str(os.getpid())):
        return None
    return int(microseconds) / 1e6
