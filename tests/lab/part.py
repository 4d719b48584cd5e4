"""One part of a lab: a server that can be started, stopped, killed, and started again."""

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .enclosure import ENVIRONMENT, Enclosure
from .errors import LabError
from .readiness import Check, wait_until

START_PATIENCE_SECONDS = 15.0
STOP_PATIENCE_SECONDS = 5.0
LOG_TAIL_LINES = 15


Command = Sequence[str | Path]


@dataclass(frozen=True)
class Recipe:
    """How to run a part and how to know that it serves."""

    name: str
    argv: Command
    ready: Sequence[Check] = ()
    before: Sequence[Command] = ()
    """Commands to run to their end before each start."""
    stale: Sequence[Path] = ()
    """Files that a killed server leaves and a new one stumbles over."""
    stop_signal: signal.Signals = signal.SIGTERM
    """SIGKILL suits a server that has nothing to tidy up, and no handler, or a slow one."""


@dataclass
class Part:
    """A recipe, carried out."""

    recipe: Recipe
    enclosure: Enclosure
    root: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid_file(self) -> Path:
        """Where the pid and the start time of the part's first process are recorded."""
        return self.root / "pids" / self.recipe.name

    @property
    def output_file(self) -> Path:
        """What the part writes to its standard output and error."""
        return self.root / "log" / f"{self.recipe.name}.out"

    @property
    def is_running(self) -> bool:
        """Whether the part's first process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The part's first process, as the machine numbers it."""
        if not self.is_running:
            raise LabError(f"{self.recipe.name} is not running")
        return int(self.pid_file.read_text().split()[0])

    def start(self) -> None:
        """Start the part and return when it serves. A part that runs is left alone."""
        if self.is_running:
            return
        for argv in self.recipe.before:
            if self._run(argv).wait():
                raise LabError(self._last_words(f"{self.recipe.name}: {argv[0]} failed"))
        for path in self.recipe.stale:
            path.unlink(missing_ok=True)
        self._process = self._run(self.recipe.argv)
        self._wait_until_ready()

    def _run(self, argv: Command) -> subprocess.Popen[bytes]:
        """Run a command inside the enclosure."""
        self.pid_file.unlink(missing_ok=True)
        with self.output_file.open("ab") as output:
            return subprocess.Popen(
                self.enclosure.command(self.pid_file, argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
                env=ENVIRONMENT,
                cwd="/",
            )

    def _wait_until_ready(self) -> None:
        try:
            for check in (self.pid_file.exists, *self.recipe.ready):
                wait_until(check, self.recipe.name, START_PATIENCE_SECONDS, self._has_ended)
        except LabError as error:
            raise LabError(self._last_words(str(error))) from None

    def _last_words(self, what: str) -> str:
        """Add to an error what the part has written last."""
        said = self.output_file.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([what, *said])

    def _has_ended(self) -> bool:
        return not self.is_running

    def stop(self) -> None:
        """Ask the part to end, and kill it when it takes too long."""
        self._end(self.recipe.stop_signal)

    def kill(self) -> None:
        """Kill every process of the part at once, with no chance to tidy up."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self.is_running:
            os.kill(self.pid, number)
        try:
            self._process.wait(STOP_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None
        self.pid_file.unlink(missing_ok=True)

    def reap(self) -> None:
        """Take note that the enclosure has ended the part."""
        if self._process is not None:
            self._process.wait()
            self._process = None
