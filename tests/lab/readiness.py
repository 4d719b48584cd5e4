"""Asks a server whether it serves yet. Each check is quick and says yes or no."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

from .errors import LabError

Check = Callable[[], bool]

PAUSE_SECONDS = 0.01
ANSWER_SECONDS = 1.0


def greets(host: str, port: int, greeting: bytes = b"") -> Check:
    """Is there a listener whose first words are `greeting` (none: it need say nothing)?"""

    def check() -> bool:
        try:
            with socket.create_connection((host, port), ANSWER_SECONDS) as connection:
                return not greeting or connection.recv(512).startswith(greeting)
        except OSError:
            return False

    return check


def is_bound(host: str, port: int) -> Check:
    """Has somebody this TCP port? Asked without a connection."""

    def check() -> bool:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, port))
            except OSError:
                return True
        return False

    return check


def listens(path: Path, kind: socket.SocketKind = socket.SOCK_STREAM) -> Check:
    """Is there a listener on this unix socket?"""

    def check() -> bool:
        with socket.socket(socket.AF_UNIX, kind) as connection:
            try:
                connection.connect(str(path))
            except OSError:
                return False
        return True

    return check


def wait_until(check: Check, what: str, timeout_seconds: float, failed: Check | None = None) -> None:
    """Return when `check` says yes; raise LabError when `failed` does, or when time is up."""
    deadline = time.monotonic() + timeout_seconds
    while not check():
        if failed is not None and failed():
            raise LabError(f"{what}: failed")
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {timeout_seconds:g} s")
        time.sleep(PAUSE_SECONDS)
