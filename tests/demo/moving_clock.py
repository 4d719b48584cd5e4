"""A reference clock that stands still until it is moved."""

from __future__ import annotations


class MovingClock:
    def __init__(self, now_ns: int = 1_795_460_404_123_456_789) -> None:
        self.moment_ns = now_ns

    def now_ns(self) -> int:
        return self.moment_ns

    def wall_step_seconds(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.moment_ns += round(seconds * 1e9)
