"""A demo under test: the command as a process of its own, in a pipe or on a terminal of ours."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

COMMAND = (sys.executable, "-m", "smtp_probe", "demo")
ENDING_SECONDS = 10.0


def environment(temporary: Path, **environ: str) -> dict[str, str]:
    """The environment of this process, with temporary files in a place that can be looked at afterwards."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("SMTP_PROBE")}
    return known | {"TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"} | environ


def start(arguments: Sequence[str], temporary: Path, **options: Any) -> subprocess.Popen[str]:
    """Start it with pipes for standard output and standard error."""
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.Popen(
        [*COMMAND, *arguments], env=environment(temporary), stderr=subprocess.PIPE, text=True, **options
    )


class Terminal:
    """The demo on a pseudo-terminal, of which everything that was written is kept."""

    def __init__(
        self, temporary: Path, *arguments: str, size: tuple[int, int] = (100, 40), **environ: str
    ) -> None:
        self.written = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._master, slave = pty.openpty()
        self.resize(*size)
        self.settings = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            [
                "setsid",
                "--ctty",
                *COMMAND,
                *arguments,
            ],  # a session of its own, which a closed window hangs up
            env=environment(temporary, **{"TERM": "xterm-256color", **environ}),
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
            assert time.monotonic() < deadline, "the demo did not end"
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
        """Close the window: the demo is sent SIGHUP, and can write no more."""
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
