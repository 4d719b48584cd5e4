"""A pseudo-terminal with a program on it, of which everything that was written is kept."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

ENDING_SECONDS = 10.0


class Terminal:
    """`with Terminal(command, environ) as terminal:` runs it in a session of its own."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], size: tuple[int, int] = (100, 40)
    ) -> None:
        self.written = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._master, slave = pty.openpty()
        self.resize(*size)
        self.settings = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            env={**environ, "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal a new size, as a window does that is drawn larger or smaller."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def read_until(self, text: str, seconds: float) -> str:
        """Read until this has been written, and give what was written since the call before. Fails after so long."""
        before, deadline = len(self.written), time.monotonic() + seconds
        while text not in self.written[before:]:
            assert time.monotonic() < deadline, f"{text!r} was not written: {self.written[before:][-2000:]!r}"
            self._read(0.1)
        return self.written[before:]

    def settings_now(self) -> list[Any]:
        """How the terminal is set now."""
        return termios.tcgetattr(self._slave)

    def wait(self, seconds: float) -> int:
        """Wait for the end, reading on, and give the exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "the program did not end"
            self._read(0.05)
        while self._read(0.05):
            pass
        return self.process.wait()

    def _read(self, seconds: float) -> bool:
        """Read what there is; False when nothing comes within so long."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        self.written += self._decoder.decode(os.read(self._master, 65536))
        return True

    def hang_up(self) -> None:
        """Close the window: the program is sent SIGHUP, and can write no more."""
        for descriptor in (self._slave, self._master):
            os.close(descriptor)
        self._slave = self._master = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(ENDING_SECONDS)
        if self._master >= 0:
            self.hang_up()
