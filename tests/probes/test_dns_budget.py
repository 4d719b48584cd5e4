"""A check that must not ask too much, and not for too long."""

from __future__ import annotations

import asyncio

from smtp_probe.model import DnsAnswer, DnsStatus
from smtp_probe.probes.dns_budget import Budget


async def _found(name: str, kind: str) -> DnsAnswer:
    return DnsAnswer(name=name, kind=kind, status=DnsStatus.FOUND)


async def test_the_question_too_many_is_not_asked() -> None:
    ask = Budget(_found, questions=2, seconds=1)
    answers = [await ask(f"{number}.test", "A") for number in range(3)]
    assert [answer.status for answer in answers] == [DnsStatus.FOUND, DnsStatus.FOUND, DnsStatus.OVER_BUDGET]


async def test_the_same_question_is_paid_for_once() -> None:
    ask = Budget(_found, questions=1, seconds=1)
    for name in ("a.test", "A.test."):
        assert (await ask(name, "A")).status is DnsStatus.FOUND


async def test_the_time_is_for_all_questions_together() -> None:
    async def slow(name: str, kind: str) -> DnsAnswer:
        await asyncio.sleep(0.06)
        return await _found(name, kind)

    ask = Budget(slow, questions=9, seconds=0.1)
    answers = [await ask(f"{number}.test", "A") for number in range(3)]
    assert [answer.status for answer in answers] == [DnsStatus.FOUND, DnsStatus.TIMEOUT, DnsStatus.TIMEOUT]
