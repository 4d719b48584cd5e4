"""Processes of `smtp-probe run` that start at once: they are forks of a server that has imported everything already."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["smtp_probe.app.engine.process", "smtp_probe.cli.run", "tests.engine.forking"]
)


def _run(arguments: Sequence[str], log: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 2)
    os.dup2(file, 1)
    os.setsid()
    import sys

    signal.signal(signal.SIGUSR2, _show_tasks)
    from smtp_probe.cli import main

    sys.argv = ["smtp-probe", *arguments]
    main()


def _show_tasks(_number: int, _frame: object) -> None:
    """Print where every task stands, to see why a process does not end."""
    import asyncio
    import sys

    for task in asyncio.all_tasks(asyncio.get_event_loop_policy().get_event_loop()):
        task.print_stack(file=sys.stderr)


class Forked:
    """Looks like `subprocess.Popen`, as far as the tests need."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self._process = _context.Process(target=_run, args=(list(arguments), str(log)))
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            self.send_signal(signal.SIGUSR2)
            time.sleep(0.5)
        assert code is not None, "the process did not end"
        return code
