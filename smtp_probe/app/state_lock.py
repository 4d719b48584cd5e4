"""One daemon for one state directory: two would write one journal, and count and delete each other's messages.

In: the state directory. Out: a lock that the kernel gives back with the end of the process, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from smtp_probe.errors import ConfigError, ConfigProblem

LOCK_NAME = "lock"


class StateLock:
    """The lock of one state directory (flock(2)); its file names the process that holds it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK_NAME
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock; does nothing where it is held by us already.

        Raises ConfigError where another process holds it, and OSError where its file cannot be made.
        """
        if self._descriptor is not None:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise ConfigError((self._problem(holder),)) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def give_back(self) -> None:
        """Let another process have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _problem(self, holder: str) -> ConfigProblem:
        by_whom = f" (process {holder})" if holder.isdecimal() else ""
        message = f"{self._path.parent} is used by another smtp-probe{by_whom}: give each daemon a state directory of its own"
        return ConfigProblem(message=message, path="state_directory")
