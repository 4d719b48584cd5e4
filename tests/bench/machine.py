"""The machine on which a run was made, so that its figures can be told from another's."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any


def describe_machine() -> dict[str, Any]:
    """Give processors, memory, versions, and how busy the machine is just now."""
    cpu_facts = Path("/proc/cpuinfo").read_text()
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processors": os.cpu_count(),
        "processor": _field(cpu_facts, "model name"),
        "is_virtual": "hypervisor" in _field(cpu_facts, "flags").split(),
        "memory_gib": round(int(_field(Path("/proc/meminfo").read_text(), "MemTotal").split()[0]) / 2**20, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average": load_average(),
    }


def load_average() -> float:
    """Give how many processes wanted a processor during the last minute, on average."""
    return round(os.getloadavg()[0], 2)


def _field(text: str, name: str) -> str:
    """Give the first value of a name in a file of `name : value` lines; empty where there is none."""
    found = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(name))
    return next(found, "")
