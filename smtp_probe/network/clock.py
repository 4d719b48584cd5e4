"""The reference clock: the one place that reads the wall clock, and it reads it to anchor.

In: the system's monotonic and wall clocks. Out: nanoseconds since the epoch that never jump, and how far the wall
clock has gone away from them meanwhile. It does not correct itself: a clock that is moved while messages are on
their way would put the move into their latencies.
"""

from __future__ import annotations

import asyncio
import time

_ANCHOR_TRIES = 5


def _wall_less_monotonic_ns() -> int:
    """The distance of the two clocks, from the try in which the fewest nanoseconds passed between the readings."""
    tries = []
    for _ in range(_ANCHOR_TRIES):
        before_ns = time.monotonic_ns()
        wall_ns = time.time_ns()
        after_ns = time.monotonic_ns()
        tries.append((after_ns - before_ns, wall_ns - (before_ns + after_ns) // 2))
    return min(tries)[1]


class ReferenceClock:
    """`ports.Clock` on the system's monotonic clock, anchored to wall time when it is made."""

    def __init__(self) -> None:
        self._anchor_ns = _wall_less_monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since the epoch. Never goes back, never jumps; follows the rate of the system's clock."""
        return self._anchor_ns + time.monotonic_ns()

    def wall_step_seconds(self) -> float:
        """How far the wall clock is ahead of the reference now: the sum of all steps since the anchor."""
        return (_wall_less_monotonic_ns() - self._anchor_ns) / 1e9

    async def sleep(self, seconds: float) -> None:
        """Wait so long in real time."""
        await asyncio.sleep(seconds)
