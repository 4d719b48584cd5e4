"""The exchangers of a domain, visited: who, how often, and what the visits are for.

In: a domain with its MX hosts, a port that makes one visit, and the check of its MTA-STS policy, which says what a bad
certificate means. Out: the check `exchangers`, and the checks that go with it. Each address is visited once for one look,
and the policy fetched once, whoever wants to know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from smtp_probe.model import CheckResult, DomainUnderCheck, ExchangerVisit
from smtp_probe.policy.address_space import special_range
from smtp_probe.policy.dane import ask_tlsa, check_dane
from smtp_probe.policy.exchangers import judge_visits, unseen_visits, visit_facts
from smtp_probe.ports import Ask, Check

Visit = Callable[[str, str], Awaitable[ExchangerVisit]]
"""Visits one address of one host. Never raises for what the other side does; bounded in time."""

_MOST_ADDRESSES = 40
_NOT_FOR_TCP = ("unspecified", "multicast", "reserved")


class ExchangerLook:
    """The visits of one look at one domain. Used once."""

    def __init__(self, visit: Visit, now_ns: Callable[[], int], check_policy: Check) -> None:
        self._visit = visit
        self._now_ns = now_ns
        self._check_policy = check_policy
        self._policy: asyncio.Task[CheckResult] | None = None
        self._left_out = 0
        self._visiting: asyncio.Task[list[ExchangerVisit]] | None = None

    async def check_exchangers(self, subject: DomainUnderCheck, ask: Ask) -> CheckResult:
        """Visit every address of every MX host. Fits `ports.Check`."""
        visits = await self._visits(subject, ask)
        tlsa = await ask_tlsa(subject.mx_hosts, ask)
        pinned = {entry.host for entry in tlsa if entry.usable}
        aliases = {host for host in subject.mx_hosts if (await ask(host, "A")).aliases}
        policy = await self.check_mta_sts(subject, ask)
        findings, unseen = judge_visits(
            visits,
            self._now_ns(),
            pinned=pinned,
            aliases=aliases,
            is_enforced=policy.facts.get("mode") == "enforce",
        )
        if self._left_out:
            unseen.append(f"{self._left_out} more addresses of MX hosts were not visited")
        return CheckResult(
            findings=tuple(findings),
            unobserved=tuple(unseen),
            is_partial=any(visit.is_up for visit in visits),
            facts={"visits": _facts(visits)} if visits else {},
        )

    async def check_dane(self, subject: DomainUnderCheck, ask: Ask) -> CheckResult:
        """TLSA records against the certificates that were presented. Fits `ports.Check`."""
        return await check_dane(subject, ask, await self._visits(subject, ask))

    async def check_mta_sts(self, subject: DomainUnderCheck, ask: Ask) -> CheckResult:
        """The policy, fetched once. Fits `ports.Check`."""
        if self._policy is None:
            self._policy = asyncio.ensure_future(self._check_policy(subject, ask))
        return await self._policy

    async def _visits(self, subject: DomainUnderCheck, ask: Ask) -> list[ExchangerVisit]:
        if self._visiting is None:
            self._visiting = asyncio.create_task(self._visit_all(subject, ask))
        return await self._visiting

    async def _visit_all(self, subject: DomainUnderCheck, ask: Ask) -> list[ExchangerVisit]:
        wanted = [
            (host, str(value))
            for host in subject.mx_hosts
            for kind in ("AAAA", "A")
            for value in (await ask(host, kind)).values
        ]
        wanted = [pair for pair in wanted if special_range(pair[1]) not in _NOT_FOR_TCP]
        wanted = list(dict.fromkeys(wanted))
        self._left_out = max(len(wanted) - _MOST_ADDRESSES, 0)
        return list(await asyncio.gather(*(self._visit(*pair) for pair in wanted[:_MOST_ADDRESSES])))


def _facts(visits: Sequence[ExchangerVisit]) -> dict[str, Any]:
    hidden = unseen_visits(visits)
    return {
        f"{visit.host} {visit.address}": visit_facts(visit, is_seen=(visit.host, visit.address) not in hidden)
        for visit in visits
    }
