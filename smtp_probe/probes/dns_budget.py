"""A budget of questions and a deadline around `ports.Ask`: names from mail and DNS cannot make us ask without end.

In: an `Ask`, how many questions and how many seconds. Out: an `Ask` that answers OVER_BUDGET when the questions are spent
and TIMEOUT when the time is. The same question is paid for once.
"""

from __future__ import annotations

import asyncio

from smtp_probe.model import DnsAnswer, DnsStatus
from smtp_probe.ports import Ask


class Budget:
    """One budget, for one check. It is an `Ask` itself, and remembers every answer that it gave."""

    def __init__(self, ask: Ask, questions: int, seconds: float) -> None:
        self._ask = ask
        self._questions = questions
        self._ends_at = asyncio.get_running_loop().time() + seconds
        self.answers: dict[tuple[str, str], DnsAnswer] = {}

    async def __call__(self, name: str, kind: str) -> DnsAnswer:
        """Ask, if the budget allows. Never raises for what DNS does."""
        key = name.lower().removesuffix("."), kind
        known = self.answers.get(key)
        if known is not None:
            return known
        if len(self.answers) >= self._questions:
            detail = f"not asked: {self._questions} questions are the most for one check"
            return DnsAnswer(name=name, kind=kind, status=DnsStatus.OVER_BUDGET, detail=detail)
        try:
            async with asyncio.timeout_at(self._ends_at):
                answer = await self._ask(name, kind)
        except TimeoutError:
            answer = DnsAnswer(
                name=name, kind=kind, status=DnsStatus.TIMEOUT, detail="the check's time was over"
            )
        self.answers[key] = answer
        return answer
