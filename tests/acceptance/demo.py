"""The demo as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "smtp_probe", "demo")


def environment(temporary: Path, **environ: str) -> dict[str, str]:
    """The environment of this process, with temporary files in a place that can be looked at afterwards."""
    strange = ("SMTP_PROBE", "NO_COLOR", "FORCE_COLOR", "COLUMNS")
    known = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    return known | {"TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"} | environ


def start(arguments: Sequence[str], temporary: Path, **options: Any) -> subprocess.Popen[str]:
    """Start it with pipes for standard output and standard error."""
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.Popen(
        [*COMMAND, *arguments], env=environment(temporary), stderr=subprocess.PIPE, text=True, **options
    )
