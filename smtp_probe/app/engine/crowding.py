"""How many probes of each route are on their way, so that all workers together keep to `max_in_flight`. Pure.

In: what a watcher learns of the probes of its mailboxes, by vantage and route. Out: the routes that may not be sent on just now,
in a form that fits into the value of a lease; workers read it there. As long as a route is not full this costs nothing.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping

_LARGEST_BYTES = 8_388_608


class Crowding:
    """The open probes of one group of mailboxes. `limit` gives the bound of a route."""

    def __init__(self, limit: Callable[[str], int]) -> None:
        self._limit = limit
        self._open: dict[tuple[str, str], set[str]] = {}

    def note(self, vantage: str, route: str, probe_id: str, *, is_open: bool) -> bool:
        """Learn how a probe stands. Gives whether its route became full, or is full no more."""
        place = vantage, route
        found = self._open.setdefault(place, set())
        before = len(found) >= self._limit(route)
        (found.add if is_open else found.discard)(probe_id)
        if not found:
            del self._open[place]
        return before != (len(found) >= self._limit(route))

    def full(self) -> dict[str, list[str]]:
        """The routes that are full, by vantage."""
        by_vantage: dict[str, list[str]] = {}
        for (vantage, route), found in self._open.items():
            if len(found) >= self._limit(route):
                by_vantage.setdefault(vantage, []).append(route)
        return by_vantage


def write_full(full: Mapping[str, list[str]]) -> str:
    """Give it as text; empty for none."""
    if not full:
        return ""
    return base64.b64encode(zlib.compress(json.dumps(full).encode(), 1)).decode()


def read_full(text: str, vantage: str) -> frozenset[str]:
    """The full routes of one vantage. Raises ValueError for what is no such text."""
    if not text:
        return frozenset()
    try:
        data = json.loads(zlib.decompressobj().decompress(base64.b64decode(text), _LARGEST_BYTES))
        return frozenset(map(str, data.get(vantage, ())))
    except (zlib.error, AttributeError, TypeError) as error:
        message = f"not a list of routes: {type(error).__name__}"
        raise ValueError(message) from error
