"""Asking block lists politely: about one subject at most every 15 minutes, whatever else is asked how often.

In: what is known of a domain, its lists, and an `Ask`. Out: what `policy.dnsbl` finds, as it was at the last asking. What
could not be observed is asked again no sooner.
"""

from __future__ import annotations

from smtp_probe.model import CheckResult, DomainUnderCheck
from smtp_probe.policy.dnsbl import BlockLists, check_dnsbl
from smtp_probe.ports import Ask, Clock

LEAST_SECONDS = 900.0
_MOST_KEPT = 1_000
_Key = tuple[BlockLists, str, tuple[str, ...], str | None, tuple[str, ...]]


class BlockListLook:
    """All lists of this program."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[_Key, tuple[int, CheckResult]] = {}

    async def check(self, subject: DomainUnderCheck, ask: Ask, *, lists: BlockLists) -> CheckResult:
        """Give what the lists say now, or said less than 15 minutes ago. Fits `ports.Check` when its lists are given."""
        key = lists, subject.domain, subject.egress, subject.sender, subject.ehlo_names
        kept = self._kept.get(key)
        now_ns = self._clock.now_ns()
        if kept is not None and (now_ns - kept[0]) / 1e9 < LEAST_SECONDS:
            return kept[1]
        result = await check_dnsbl(subject, ask, lists=lists)
        self._kept.pop(key, None)
        self._kept[key] = now_ns, result
        while len(self._kept) > _MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        return result
