"""One host of the demo, set up alone: what it hands on is kept, and nothing is waited for longer than needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from smtp_probe.demo.addresses import AddressBook
from smtp_probe.demo.dialects import POSTFIX, Dialect
from smtp_probe.demo.forwarding import Attempt
from smtp_probe.demo.hop_clock import HopClock
from smtp_probe.demo.host import Host
from smtp_probe.demo.letter import Letter
from smtp_probe.demo.path_log import PathLog
from smtp_probe.demo.scenarios import SCENARIOS, HopName, HopSettings, Scenario
from smtp_probe.model import Reply
from smtp_probe.network.clock import ReferenceClock

TAKEN = Reply(code=250, enhanced="2.0.0", text="Ok")
NOW = HopSettings(delay_seconds=0.0)


def at_once(name: str) -> Scenario:
    """A scenario without any delay."""
    return replace(SCENARIOS[name], hops=(NOW, NOW, NOW, NOW), retry_seconds=0.01)


@dataclass
class Onward:
    """The next host: gives the next of its answers, then says yes; keeps every letter."""

    answers: list[Reply] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)

    async def __call__(self, letter: Letter) -> Attempt:
        self.letters.append(letter)
        reply = self.answers.pop(0) if self.answers else TAKEN
        return Attempt(host="next.example.test", reply=reply, stage="RCPT TO command")


def make_host(
    hop: HopName,
    scenarios: Sequence[Scenario],
    *,
    dialect: Dialect = POSTFIX,
    login: tuple[str, str] | None = None,
) -> Host:
    clock = ReferenceClock()
    return Host(
        hop=hop,
        name=f"{hop}.example.test",
        dialect=dialect,
        clock=HopClock(clock, scenarios[0].hop(hop)),
        addresses=AddressBook(scenarios),
        log=PathLog(clock),
        login=login,
    )
