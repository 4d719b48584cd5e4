"""Answers of DNS, kept for as long as they say, and no more of them than a bound.

In: answers, and the instant. Out: an answer that still holds, as if it had just come, with its own TTL. The least
recently used goes first. What is no knowledge (a failure) is held for some seconds only, so that many checks of one dead
server do not each wait for it; it is never taken for an answer.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict

from smtp_probe.model import DnsAnswer, DnsStatus

_LONGEST_SECONDS = 86_400
"""RFC 8767 section 4 names a cap; a day is enough for what is asked every five minutes."""
_LONGEST_NEGATIVE_SECONDS = 10_800
"""RFC 2308 section 5: one to three hours."""
_FAILURE_SECONDS = 5.0
"""RFC 9520 section 3.2: failures are cached, for at least a second."""

_Key = tuple[str, str]


class DnsCache:
    """Answers by lower-case name and kind. Times are seconds on any one clock that does not go back."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[_Key, tuple[float, DnsAnswer]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, name: str, kind: str, now: float) -> DnsAnswer | None:
        """An answer that still holds. A name that does not exist has no records of any kind (RFC 8020)."""
        found = self._fresh((name, kind), now)
        if found is None:
            absent = self._fresh((name, ""), now)
            found = None if absent is None else dataclasses.replace(absent, kind=kind)
        return found

    def put(self, name: str, answer: DnsAnswer, now: float) -> None:
        """Keep an answer for as long as it says."""
        seconds = _holds_seconds(answer)
        if seconds <= 0:
            return
        # Behind an alias it is the last name that does not exist; the first one does.
        is_absent = answer.status is DnsStatus.NO_SUCH_NAME and not answer.aliases
        key = (name, "" if is_absent else answer.kind)
        self._entries[key] = (now + seconds, dataclasses.replace(answer, duration_seconds=None))
        self._entries.move_to_end(key)
        while len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def _fresh(self, key: _Key, now: float) -> DnsAnswer | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if now >= entry[0]:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[1]


def _holds_seconds(answer: DnsAnswer) -> float:
    if answer.is_failure:
        return _FAILURE_SECONDS
    limit = _LONGEST_SECONDS if answer.status is DnsStatus.FOUND else _LONGEST_NEGATIVE_SECONDS
    return min(answer.ttl_seconds or 0, limit)
