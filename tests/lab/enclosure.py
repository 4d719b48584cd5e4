"""The wall around a lab: name spaces for its processes and mounts, ended as one.

`inside/guardian.py` is the first process inside. Each part gets a process name space of its own
within the lab's, so that killing a part's first process kills the whole part at once, and closing
the enclosure kills everything.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from .errors import LabError

INSIDE = Path(__file__).parent / "inside"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}
CLOSE_PATIENCE_SECONDS = 10.0

OWN_PROCESSES = ("unshare", "--pid", "--fork", "--kill-child=KILL")

RECORD_PID = """
umask 022
read -r stat </proc/self/stat
pid=${stat%% *}
start=$(set -f -- ${stat##*) }; shift 19; echo "$1")
echo "$pid $start" >"$0.new" && mv "$0.new" "$0"
exec "$@"
"""
"""A process writes its own pid and start time before it becomes the part. /proc is the machine's,
so the pid is the one by which the machine knows it."""


def python_program(name: str, *arguments: str | Path | int) -> list[str]:
    """Return the command that runs one of the programs of `inside/`."""
    return [sys.executable, "-I", "-S", "-B", str(INSIDE / name), *map(str, arguments)]


class Enclosure:
    """The name spaces of one lab. `close` ends every process in them."""

    def __init__(self, root: Path, holder: int) -> None:
        """Start the guardian of `root`, which keeps the descriptor `holder` open while it runs."""
        self._root = root
        owner = os.pidfd_open(os.getpid())
        try:
            self._process = subprocess.Popen(
                [*OWN_PROCESSES, "--mount", "--", *python_program("guardian.py", root, owner)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(owner, holder),
                process_group=0,
                env=ENVIRONMENT,
                cwd="/",
            )
        finally:
            os.close(owner)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._orders, self._answers = self._process.stdin, self._process.stdout

    def open(self) -> None:
        """Let the guardian make the view of the machine, from the files in `etc`."""
        with suppress(BrokenPipeError):  # it has ended, and its answer says why
            self._orders.write(b"\n")
            self._orders.flush()
        answer = self._answers.readline()
        if not answer.strip().isdigit():
            why = (answer + self._answers.read()).decode().strip()
            raise LabError(f"the lab needs root and CAP_SYS_ADMIN for its name spaces: {why}")
        self.guardian_pid = int(answer)

    def command(self, pid_file: Path, argv: Sequence[str | Path]) -> list[str]:
        """Return the command that runs `argv` as a part of this lab and records its pid."""
        spaces = f"/proc/{self.guardian_pid}/ns"
        enter = ("nsenter", f"--mount={spaces}/mnt", f"--pid={spaces}/pid")
        record = ("/bin/sh", "-c", RECORD_PID, str(pid_file))
        return [*enter, "--", *OWN_PROCESSES, "--", *record, *map(str, argv)]

    def close(self) -> None:
        """End every process and remove the directory. A second call does nothing."""
        with suppress(BrokenPipeError):
            self._orders.close()
        try:
            self._process.wait(CLOSE_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()  # the kernel then kills the guardian, and with it all the rest
            self._process.wait()
        self._answers.close()
        shutil.rmtree(self._root, ignore_errors=True)
