"""When the engine has a route sent: the words of a schedule. Pure.

In: a route's place in the configuration and its interval. Out: what NATS takes (ADR-51), and how long a run is of use. Where
the interval divides a minute, an hour or a day, the schedule names the second, so that writing it again moves nothing;
another interval counts from the moment in which it was written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from smtp_probe.schedule import rhythm_of

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_LATEST_SECONDS = 15
"""Longer than the engine takes to elect a leader, and than another worker takes to be given what one has not taken."""


@dataclass(frozen=True, slots=True)
class RouteSchedule:
    """The schedule of one route. `interval_seconds` is in whole seconds, as the engine keeps time."""

    text: str
    interval_seconds: int

    @property
    def useful_seconds(self) -> int:
        """For how long a run is of use: what nobody takes by then is missed, and not sent late with others."""
        return min(self.interval_seconds, _LATEST_SECONDS)

    @property
    def is_anchored(self) -> bool:
        """Whether its times do not depend on when it was written."""
        return not self.text.startswith("@")


def schedule_route(index: int, interval_seconds: float) -> RouteSchedule:
    """Give the schedule of the route that stands at `index` (from 0) in the configuration."""
    interval = max(1, math.ceil(interval_seconds))
    phase = math.floor(rhythm_of(index, interval).phase_seconds)
    if _MINUTE % interval == 0:
        return RouteSchedule(f"{_steps(phase, interval, _MINUTE)} * * * * *", interval)
    if interval % _MINUTE == 0 and _HOUR % interval == 0:
        minute = _steps(phase // _MINUTE, interval // _MINUTE, _HOUR // _MINUTE)
        return RouteSchedule(f"{phase % _MINUTE} {minute} * * * *", interval)
    if interval % _HOUR == 0 and _DAY % interval == 0:
        hour = _steps(phase // _HOUR, interval // _HOUR, _DAY // _HOUR)
        rest = phase % _HOUR
        return RouteSchedule(f"{rest % _MINUTE} {rest // _MINUTE} {hour} * * *", interval)
    return RouteSchedule(f"@every {interval}s", interval)


def _steps(first: int, step: int, whole: int) -> str:
    """The values `first`, `first + step`, ... below `whole`, as a field of a crontab."""
    if step == whole:
        return str(first)
    return "*" if step == 1 else ",".join(str(value) for value in range(first, whole, step))


def slot_seconds(next_ns: int | None, came_ns: int, interval_seconds: int) -> int:
    """The second for which a run was meant, by the next one's; where that is not told, the one in which it came."""
    if next_ns is None:
        return came_ns // 1_000_000_000
    return next_ns // 1_000_000_000 - interval_seconds
