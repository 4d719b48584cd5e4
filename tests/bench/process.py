"""A process under measurement: what it has used so far, read from the kernel without disturbing it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

_STOP_SECONDS = 10.0


def cpu_seconds(pid: int) -> float:
    """Give the processor time of all threads of a process, ended ones too, to the nanosecond.

    The number is the clock that `clock_getcpuclockid(3)` names for a process.
    """
    return time.clock_gettime((~pid << 3) | 2)


def rss_bytes(pid: int) -> int:
    """Give the resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Ask one process that we started to end, and kill it when it takes too long."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
