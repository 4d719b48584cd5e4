"""Processor time of a call, for tests that nothing takes more than linear time: the least of three.

A collection of garbage, with all tests of a process in memory, takes longer than what is measured.
"""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def measure_quickest(work: Callable[[], Result]) -> tuple[float, Result]:
    """Call three times; give the seconds of the quickest, and what it gave."""
    seconds: list[float] = []
    for _ in range(3):
        started = time.process_time()
        result = work()
        seconds.append(time.process_time() - started)
    return min(seconds), result
