"""What a host does with a message that it has taken: keep it a while, hand it on, drop it, or send it back.

In: letters, and the scenario of their recipient. Out: letters for `onward`, which is the next host or a mailbox, and
bounces to the sender. Speaks no protocol; a letter for somebody outside the domain goes nowhere.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable

from smtp_probe.demo.forwarding import Attempt
from smtp_probe.demo.host import Host
from smtp_probe.demo.letter import Letter, decode_xtext
from smtp_probe.demo.notification import FailedDelivery, build_bounce
from smtp_probe.demo.path_log import Happening
from smtp_probe.demo.queue_ids import postfix_long_id
from smtp_probe.demo.scenarios import Behaviour, HopName, Scenario
from smtp_probe.demo.spool import Spool

_LONG_SECONDS = 0.5
_SPOOL_CAPACITY = 200
_MAXIMUM_ATTEMPTS = 5
_FIRST_NOTIFICATION_INODE = 0x40000

Onward = Callable[[Letter], Awaitable[Attempt]]
"""Hands a letter to the next host, or into a mailbox, and says how that ended."""


def vary(seconds: float, dice: random.Random) -> float:
    """Give a resting time around this one. Queues vary; where nothing did, nobody could tell two hops apart.

    Short rests vary by a factor of up to four either way, as a rule by less than two; long ones are up to a tenth longer.
    """
    if seconds >= _LONG_SECONDS:
        return seconds * dice.uniform(1.0, 1.1)
    return seconds * min(max(dice.lognormvariate(0.0, 0.6), 0.25), 4.0)


class Carrier:
    """The keeping of letters at one host. The store keeps none: it files a letter before it answers, as LMTP does."""

    def __init__(
        self, host: Host, onward: Onward, *, on_forge: Callable[[Letter], None] | None = None
    ) -> None:
        self._host = host
        self._onward = onward
        self._on_forge = on_forge
        self._spool = Spool(host.name, _SPOOL_CAPACITY)
        self._inodes = itertools.count(_FIRST_NOTIFICATION_INODE)
        self._random = random.Random()  # noqa: S311 - resting times, no secret

    @property
    def is_full(self) -> bool:
        """Whether no further letter can be taken now."""
        return self._spool.is_full

    async def take(self, letter: Letter) -> str | None:
        """Make a letter ours. Returns the reply that refuses it, or None."""
        resident = self._host.addresses.find(letter.recipient)
        if resident is None:
            return "550 5.7.1 Relay access denied"
        self._report(Happening.RECEIVED, letter)
        if self._host.hop is HopName.STORE:
            return await self._file(letter, resident.scenario)
        if not self._spool.add(self._carry(letter, resident.scenario)):
            return "452 4.3.1 Insufficient system storage"
        return None

    async def close(self) -> None:
        """Drop everything that is on its way, within a second."""
        await self._spool.close()

    def _rest_seconds(self, scenario: Scenario) -> float:
        seconds = scenario.hop(self._host.hop).delay_seconds
        return seconds if scenario.is_steady else vary(seconds, self._random)

    def _report(self, happening: Happening, letter: Letter, detail: str = "") -> None:
        self._host.report(happening, letter.recipient, queue_id=letter.queue_id, detail=detail)

    async def _file(self, letter: Letter, scenario: Scenario) -> str | None:
        await asyncio.sleep(self._rest_seconds(scenario))
        attempt = await self._onward(letter)
        if not attempt.is_accepted:
            return str(attempt.reply)
        self._report(Happening.STORED, letter)
        return None

    async def _carry(self, letter: Letter, scenario: Scenario) -> None:
        """Keep one letter for its delay, then hand it on, drop it, or send it back."""
        await asyncio.sleep(self._rest_seconds(scenario))
        if self._host.hop is HopName.FILTER and scenario.behaviour is Behaviour.DISCARD:
            self._report(Happening.DISCARDED, letter)
            return
        if self._on_forge is not None and scenario.behaviour is Behaviour.FORGE:
            self._on_forge(letter)
        attempt = await self._hand_on(letter, scenario.retry_seconds)
        if attempt.is_accepted:
            self._report(Happening.FORWARDED, letter)
        else:
            await self._bounce(letter, attempt)

    async def _hand_on(self, letter: Letter, retry_seconds: float) -> Attempt:
        """Try until the next host says yes or never, at most five times."""
        attempt = await self._onward(letter)
        for _ in range(_MAXIMUM_ATTEMPTS - 1):
            if not attempt.reply.is_temporary:
                break
            self._report(Happening.DEFERRED, letter, str(attempt.reply))
            await asyncio.sleep(retry_seconds)
            attempt = await self._onward(letter)
        return attempt

    async def _bounce(self, letter: Letter, attempt: Attempt) -> None:
        """Tell the sender, unless there is none or it does not want to know (RFC 3461 section 5.2)."""
        self._report(Happening.BOUNCED, letter, str(attempt.reply))
        if not letter.sender or not letter.dsn.wants_failures:
            return
        now_ns = self._host.clock.now_ns()
        notification_id = postfix_long_id(now_ns, next(self._inodes))
        notification = build_bounce(self._failed(letter, attempt, notification_id, now_ns))
        await self.take(
            Letter(
                sender="",
                recipient=letter.sender,
                content=notification,
                queue_id=notification_id,
                arrived_ns=now_ns,
            )
        )

    def _failed(self, letter: Letter, attempt: Attempt, notification_id: str, now_ns: int) -> FailedDelivery:
        dsn = letter.dsn
        return FailedDelivery(
            reporting_host=self._host.name,
            remote_host=attempt.host,
            queue_id=letter.queue_id,
            notification_id=notification_id,
            sender=letter.sender,
            recipient=letter.recipient,
            content=letter.content,
            reply=attempt.reply,
            stage=attempt.stage,
            arrived_ns=letter.arrived_ns,
            now_ns=now_ns,
            envid=decode_xtext(dsn.envid) if dsn.envid else None,
            original_recipient=decode_xtext(dsn.orcpt) if dsn.orcpt else None,
            return_full=(dsn.ret or "").upper() == "FULL",
        )
