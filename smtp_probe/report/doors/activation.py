"""Sockets that systemd opened for us (sd_listen_fds(3)), for `--web.systemd-socket`.

In: the environment. Out: listening sockets, which are ours to close. Raises ConfigError where there are none.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

from smtp_probe.errors import ConfigError, ConfigProblem

FIRST_DESCRIPTOR = 3
_MOST = 64


def take_sockets(
    environ: MutableMapping[str, str], process_id: int, first: int = FIRST_DESCRIPTOR
) -> list[socket.socket]:
    """Take over the sockets. The variables are removed, so that no child takes them for its own. Raises ConfigError."""
    count, for_process = (environ.pop(name, "") for name in ("LISTEN_FDS", "LISTEN_PID"))
    environ.pop("LISTEN_FDNAMES", None)
    if not count.isascii() or not count.isdigit() or not 0 < int(count) <= _MOST:
        raise _problem("systemd gave no socket: the service needs a .socket unit of its name")
    if for_process != str(process_id):
        raise _problem("the sockets of systemd are meant for another process")
    return [_take(descriptor) for descriptor in range(first, first + int(count))]


def _take(descriptor: int) -> socket.socket:
    try:
        os.set_inheritable(descriptor, False)
        taken = socket.socket(fileno=descriptor)
    except OSError as error:
        reason = f"descriptor {descriptor} is no socket: {error.strerror}"
        raise _problem(reason) from error
    if taken.type != socket.SOCK_STREAM or not taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        taken.close()
        reason = f"descriptor {descriptor} is no listening stream socket"
        raise _problem(reason)
    taken.setblocking(False)
    return taken


def _problem(message: str) -> ConfigError:
    return ConfigError((ConfigProblem(message, path="--web.systemd-socket"),))
