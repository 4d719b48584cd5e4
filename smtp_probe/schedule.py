"""When a route is next due, how long to stay away from an endpoint, and how fast to send at all.

Pure: every function takes the instant from its caller. Nothing here sends, sleeps or counts.

Rules:

1. Slots are numbered from the epoch, so a restart falls back into the same rhythm and never bunches.
2. The phases of the routes are spread over their interval by multiples of the golden ratio: any number of routes
   is spread evenly, and a route added at the end moves no other.
3. Below the second each send is dithered, again by the golden ratio: stamps of whole seconds become informative,
   because every probe meets the foreign clock at another part of its second.
4. A slot that could not be kept is counted and forgotten; two slots are never sent together to make up for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor

GOLDEN = 0.6180339887498949
"""The fractional part of the golden ratio: the most even of all spreads (a low-discrepancy sequence)."""

_NS = 1_000_000_000
_LATEST_SECONDS = 5.0
"""A slot is kept at most so late, and never later than half its interval."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The slots of one route: `interval_seconds` apart, `phase_seconds` after the multiples of the interval."""

    interval_seconds: float
    phase_seconds: float = 0.0

    @property
    def dither_seconds(self) -> float:
        """How far at most a slot is moved: below a second, and never as far as its neighbour."""
        return min(1.0, self.interval_seconds)


def rhythm_of(index: int, interval_seconds: float) -> Rhythm:
    """Give the rhythm of the route that stands at `index` (from 0) in the configuration."""
    return Rhythm(interval_seconds, ((index * GOLDEN) % 1.0) * interval_seconds)


def slot_ns(rhythm: Rhythm, number: int) -> int:
    """Give the instant of slot `number`, in nanoseconds since the epoch."""
    dither = ((number * GOLDEN) % 1.0) * rhythm.dither_seconds
    base = number * round(rhythm.interval_seconds * _NS)
    return base + round((rhythm.phase_seconds + dither) * _NS)


def next_slot(rhythm: Rhythm, after_ns: int) -> int:
    """Give the number of the first slot that lies after `after_ns`."""
    number = floor((after_ns / _NS - rhythm.phase_seconds) / rhythm.interval_seconds) - 2
    while slot_ns(rhythm, number) <= after_ns:
        number += 1
    return number


@dataclass(frozen=True, slots=True)
class Due:
    """What to do with a route now: the slot to keep, if any, how many were missed, and the one to wait for."""

    slot: int | None
    missed: int
    following: int


def keep_slot(rhythm: Rhythm, expected: int, now_ns: int) -> Due:
    """Decide which slot to keep when a route that waited for slot `expected` is looked at at `now_ns`.

    Of several that have passed only the newest may be kept, and only a little late: after a long stop all routes
    together would otherwise send at once.
    """
    if now_ns < slot_ns(rhythm, expected):
        return Due(None, 0, expected)
    following = next_slot(rhythm, now_ns)
    newest = following - 1
    is_in_time = now_ns - slot_ns(rhythm, newest) <= min(rhythm.interval_seconds / 2, _LATEST_SECONDS) * _NS
    missed = newest - expected + (0 if is_in_time else 1)
    return Due(newest if is_in_time else None, missed, following)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to stay away from one endpoint after failures in a row."""

    failures: int = 0
    until_ns: int = 0

    def is_open(self, now_ns: int) -> bool:
        """Whether the endpoint may be tried."""
        return now_ns >= self.until_ns


def back_off(
    backoff: Backoff, now_ns: int, *, minimum_seconds: float, maximum_seconds: float, jitter: float
) -> Backoff:
    """Double the wait after one more temporary failure; `jitter` in [0, 1) takes away up to half of it.

    Probes that were under way when the first one failed fail with it: they do not double the wait again.
    """
    if not backoff.is_open(now_ns):
        return backoff
    wait = min(maximum_seconds, minimum_seconds * 2.0 ** min(backoff.failures, 40))
    wait *= 1.0 - jitter / 2.0
    return Backoff(backoff.failures + 1, now_ns + round(wait * _NS))


def retry_wait_seconds(
    attempts: int, *, minimum_seconds: float, maximum_seconds: float, jitter: float
) -> float:
    """Give how long to wait before a message that was put off is tried again: doubled with each attempt.

    `attempts` are those made; `jitter` in [0, 1) adds up to a tenth, so that no two messages come back together.
    """
    wait = min(maximum_seconds, minimum_seconds * 2.0 ** min(attempts - 1, 40))
    return wait * (1.0 + jitter / 10.0)


@dataclass(frozen=True, slots=True)
class Budget:
    """A token bucket: `per_minute` on the long run, `burst` at once."""

    per_minute: float
    burst: float
    tokens: float
    at_ns: int


def open_budget(per_minute: float, now_ns: int) -> Budget:
    """Start a full budget; a quarter of a minute's worth may be spent at once, so that dither breaks no slot."""
    burst = max(3.0, per_minute / 4.0)
    return Budget(per_minute, burst, burst, now_ns)


def change_budget(budget: Budget, per_minute: float) -> Budget:
    """Give a budget another rate; what has been spent stays spent."""
    burst = max(3.0, per_minute / 4.0)
    return replace(budget, per_minute=per_minute, burst=burst, tokens=min(budget.tokens, burst))


def spend(budget: Budget, now_ns: int) -> Budget | None:
    """Take one message's worth; None when nothing is left now."""
    elapsed_minutes = max(0, now_ns - budget.at_ns) / _NS / 60.0
    tokens = min(budget.burst, budget.tokens + elapsed_minutes * budget.per_minute)
    if tokens < 1.0:
        return None
    return replace(budget, tokens=tokens - 1.0, at_ns=now_ns)
