"""How often something may be asked: a bucket of tokens that fills with time."""

from __future__ import annotations

from collections.abc import Callable


class TokenBucket:
    """Gives `burst` tokens at once and `per_second` later on. `now` is a clock that never goes back."""

    def __init__(self, per_second: float, burst: int, now: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = max(1, burst)
        self._now = now
        self._tokens = float(self._burst)
        self._at = now()

    def take(self) -> float:
        """Take a token. Gives 0, or in how many seconds there will be one; then none was taken."""
        now = self._now()
        self._tokens = min(float(self._burst), self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self._per_second
