"""Asking block lists politely: each question at most every 15 minutes, whoever wants to know, and whatever else is asked how often.

In: what is known of a domain, its lists, and an `Ask`. Out: what `policy.dnsbl` finds in answers of which none is older. What
could not be observed is asked again no sooner.
"""

from __future__ import annotations

from collections import OrderedDict

from smtp_probe.model import CheckResult, DnsAnswer, DnsStatus, DomainUnderCheck
from smtp_probe.policy.dnsbl import BlockLists, check_dnsbl
from smtp_probe.ports import Ask, Clock

LEAST_SECONDS = 900.0
_MOST_KEPT = 20_000


class BlockListLook:
    """All lists of this program."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], tuple[int, DnsAnswer]] = OrderedDict()

    async def check(self, subject: DomainUnderCheck, ask: Ask, *, lists: BlockLists) -> CheckResult:
        """Give what the lists say now, or said less than 15 minutes ago. Fits `ports.Check` when its lists are given."""

        async def ask_seldom(name: str, kind: str) -> DnsAnswer:
            kept = self._kept.get((name, kind))
            now_ns = self._clock.now_ns()
            if kept is not None and (now_ns - kept[0]) / 1e9 < LEAST_SECONDS:
                return kept[1]
            answer = await ask(name, kind)
            if answer.status is not DnsStatus.OVER_BUDGET:  # then it was not asked
                self._keep(name, kind, now_ns, answer)
            return answer

        return await check_dnsbl(subject, ask_seldom, lists=lists)

    def _keep(self, name: str, kind: str, now_ns: int, answer: DnsAnswer) -> None:
        self._kept.pop((name, kind), None)
        self._kept[name, kind] = now_ns, answer
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
