"""Clocks that are wrong on purpose: Debian's libfaketime, under one server of a lab and no other.

The machine's clock is never touched. A Postfix instance takes the library into the environment of its daemons; Exim finds
it through its own /etc. What they stamp is their own time, what they wait for is true time.
"""

import os
from pathlib import Path

from .errors import LabError
from .lab import MailLab

_LIBRARIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib")
_NAME = "faketime/libfaketimeMT.so.1"
_ALWAYS = "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C"


def find_library() -> Path:
    """Give the library's file. Raises LabError where it is not installed."""
    for folder in _LIBRARIES:
        path = Path(folder) / _NAME
        if path.exists():
            return path
    raise LabError("libfaketime is missing; `sh tests/lab/install.sh` brings it")


def set_postfix_clock(lab: MailLab, instance: str, seconds: float) -> None:
    """Have one Postfix instance's clock be so many seconds ahead (behind, below zero), from now on."""
    path = lab.layout.path(instance, "conf", "main.cf")
    faked = f"LD_PRELOAD={find_library()} FAKETIME={seconds:+g}s DONT_FAKE_MONOTONIC=1"
    kept = [line for line in path.read_text().splitlines() if not line.startswith("import_environment")]
    path.write_text("\n".join([*kept, f"import_environment = {_ALWAYS} {faked}"]) + "\n")
    os.utime(path, (0, 0))  # Postfix waits until a file it reads is two seconds old
    lab.kill_part(instance)
    lab.start_part(instance)


def write_exim_clock(etc: Path, seconds: float) -> None:
    """Have every program that runs with this /etc see a clock that is so many seconds ahead."""
    (etc / "ld.so.preload").write_text(f"{find_library()}\n")
    (etc / "faketimerc").write_text(f"{seconds:+g}s\n")
