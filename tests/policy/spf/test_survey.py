"""What a record leads to, and what that costs."""

from __future__ import annotations

import pytest

from smtp_probe.policy.spf.survey import SpfSurvey, survey
from tests.policy.scripted import ScriptedDns
from tests.policy.spf.zone import ZONE


async def _survey(record: str) -> SpfSurvey:
    return await survey("e.test", ScriptedDns({**ZONE, "e.test": {**ZONE["e.test"], "TXT": (record,)}}))


@pytest.mark.parametrize(
    ("record", "lookups", "void"),
    [
        ("v=spf1 ip4:192.0.2.1 -all", 0, 0),
        ("v=spf1 a mx ptr exists:a.test include:ip.test -all", 5, 0),
        ("v=spf1 include:five.test include:five.test -all", 12, 0),
        ("v=spf1 redirect=five.test", 6, 0),
        ("v=spf1 -all redirect=five.test", 0, 0),
        ("v=spf1 -all a mx", 0, 0),
        ("v=spf1 a:no1.test mx:a.test include:no2.test -all", 3, 3),
        ("v=spf1 a:six.test a:four.test -all", 2, 0),
        ("v=spf1 exists:%{i}.list.test -all", 1, 0),
        ("v=spf1 mx:eleven.test -all", 1, 0),
    ],
)
async def test_all_of_it_is_counted(record: str, lookups: int, void: int) -> None:
    found = await _survey(record)
    assert (found.lookups, len(found.void)) == (lookups, void)


async def test_a_loop_and_a_crowd_are_seen() -> None:
    assert (await _survey("v=spf1 include:loop.test -all")).loop == "include:loop.test"
    assert (await _survey("v=spf1 mx:eleven.test -all")).crowded == ["eleven.test"]


async def test_what_cannot_be_seen_is_kept_apart() -> None:
    found = await _survey("v=spf1 a:broken.test include:broken.test -all")
    assert [(answer.name, answer.kind) for answer in found.failed] == [
        ("broken.test", "A"),
        ("broken.test", "TXT"),
    ]
    assert not found.void


async def test_an_endless_tree_is_not_walked() -> None:
    zone = {f"n{number}.test": {"TXT": (f"v=spf1 include:n{number + 1}.test -all",)} for number in range(200)}
    dns = ScriptedDns(zone)
    found = await survey("n0.test", dns)
    assert found.lookups > 10
    assert sum(dns.asked.values()) <= 31
