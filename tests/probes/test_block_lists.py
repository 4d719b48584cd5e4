"""Block lists are asked at most every 15 minutes."""

from __future__ import annotations

from typing import Any

from smtp_probe.model import DomainUnderCheck
from smtp_probe.policy.dnsbl import BlockLists
from smtp_probe.probes.block_lists import LEAST_SECONDS, BlockListLook
from tests.policy.scripted import ScriptedDns

ZONE: dict[str, Any] = {
    "2.0.0.127.bl.test": {"A": ("127.0.0.2",)},
    "9.2.0.192.bl.test": {"A": ("127.0.0.4",)},
}
LISTS = BlockLists(addresses=("bl.test",))


class Clock:
    seconds = 0.0

    def now_ns(self) -> int:
        return round(self.seconds * 1e9)

    def wall_step_seconds(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError


async def test_the_same_subject_is_asked_about_no_sooner() -> None:
    clock, dns = Clock(), ScriptedDns(ZONE)
    look = BlockListLook(clock)
    subject = DomainUnderCheck(domain="e.test", egress=("192.0.2.9",))
    first = await look.check(subject, dns, lists=LISTS)
    asked = sum(dns.asked.values())
    clock.seconds = LEAST_SECONDS - 1
    again = DomainUnderCheck(
        domain="other.test", egress=("192.0.2.9",)
    )  # another domain, and the same address
    assert (await look.check(again, dns, lists=LISTS)).findings == first.findings
    assert sum(dns.asked.values()) == asked
    assert [finding.check for finding in first.findings] == ["dnsbl_listed"]

    clock.seconds = LEAST_SECONDS + 1
    await look.check(subject, dns, lists=LISTS)
    assert sum(dns.asked.values()) == 2 * asked


async def test_another_egress_is_asked_about_at_once() -> None:
    clock, dns = Clock(), ScriptedDns(ZONE)
    look = BlockListLook(clock)
    await look.check(DomainUnderCheck(domain="e.test", egress=("192.0.2.9",)), dns, lists=LISTS)
    found = await look.check(DomainUnderCheck(domain="e.test", egress=("192.0.2.8",)), dns, lists=LISTS)
    assert not found.findings
    assert dns.asked["8.2.0.192.bl.test", "A"] == 1
    assert dns.asked["2.0.0.127.bl.test", "A"] == 1  # the list itself was found to work just now
