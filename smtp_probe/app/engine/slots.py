"""Which slots of each route are accounted for, so that a run which passed away unseen is counted as missed. Pure.

In: the starts and missed slots of the stream, in its order. Out: how many slots between two starts nobody spoke of: the engine
drops a run that no worker took within its interval, and tells nobody. All exporters read the same stream, so all count the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from smtp_probe.model import Memo

MEMO = "engine slot"
"""The kind of memo that keeps the last slot of a route."""


@dataclass(slots=True)
class _Last:
    second: int
    interval: int
    spoken_for: int = 0
    """Slots after it of which somebody said that they were missed."""


class Slots:
    """The last slot of each route, by name."""

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}

    def restore(self, memos: Iterable[Memo]) -> None:
        """Take up what was kept."""
        for memo in memos:
            if memo.kind == MEMO and memo.text:
                self._last[memo.name] = _Last(*json.loads(memo.text))

    def started(self, route: str, second: int, interval: int) -> int:
        """Learn of a start. Gives how many slots before it nobody spoke of; none where the interval was another."""
        last = self._last.get(route)
        if last is not None and second <= last.second:
            return 0
        self._last[route] = _Last(second, interval)
        if last is None or last.interval != interval:
            return 0
        passed = round((second - last.second) / interval) - 1
        return max(0, passed - last.spoken_for)

    def missed(self, route: str, count: int) -> None:
        """Learn that somebody said of slots that they were missed."""
        last = self._last.get(route)
        if last is not None:
            last.spoken_for += count

    def memos(self, routes: Iterable[str]) -> list[Memo]:
        """What is to be kept of these routes."""
        return [
            Memo(kind=MEMO, name=route, text=json.dumps([last.second, last.interval, last.spoken_for]))
            for route in dict.fromkeys(routes)
            if (last := self._last.get(route)) is not None
        ]
