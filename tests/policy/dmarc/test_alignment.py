"""Alignment, and what DMARC makes of a message."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.model import DnsStatus
from smtp_probe.policy.dmarc.alignment import applied_policy, evaluate, is_aligned
from smtp_probe.policy.dmarc.discovery import walk_up
from tests.policy.scripted import ScriptedDns


def _dmarc(**records: str) -> dict[str, Any]:
    return {f"_dmarc.{name.replace('_', '.')}": {"TXT": (record,)} for name, record in records.items()}


ZONE = _dmarc(e_test="v=DMARC1;p=reject", s_test="v=DMARC1;p=reject;adkim=s;aspf=s")


@pytest.mark.parametrize(
    ("first", "second", "strict", "expected"),
    [
        ("e.test", "E.test.", True, True),
        ("e.test", "m.e.test", True, False),
        ("e.test", "m.e.test", False, True),
        ("a.e.test", "b.e.test", False, True),
        ("e.test", "f.test", False, False),
        ("e.test", "e.example", False, False),
        ("e.test", "ee.test", False, False),
    ],
)
async def test_alignment(first: str, second: str, strict: bool, expected: bool) -> None:
    assert await is_aligned(first, second, ScriptedDns(ZONE), strict=strict) is expected


async def test_alignment_is_not_known_where_dns_fails() -> None:
    dns = ScriptedDns({**ZONE, "_dmarc.m.e.test": DnsStatus.TIMEOUT})
    assert await is_aligned("e.test", "m.e.test", dns, strict=False) is None


@pytest.mark.parametrize(
    ("author", "spf", "dkim", "result"),
    [
        ("e.test", "m.e.test", (), "pass"),
        ("e.test", None, ("m.e.test",), "pass"),
        ("e.test", "x.test", ("y.test", "e.test"), "pass"),
        ("e.test", "x.test", ("y.test",), "fail"),
        ("e.test", None, (), "fail"),
        ("s.test", "m.s.test", ("m.s.test",), "fail"),
        ("s.test", "s.test", (), "pass"),
        ("none.test", "none.test", (), "none"),
    ],
)
async def test_results(author: str, spf: str | None, dkim: tuple[str, ...], result: str) -> None:
    assert (await evaluate(author, spf, dkim, ScriptedDns(ZONE))).result == result


async def test_what_is_not_known_fails_nothing() -> None:
    found = await evaluate("e.test", None, (), ScriptedDns(ZONE), is_complete=False)
    assert (found.result, found.spf_aligned, found.dkim_aligned) == ("temperror", False, False)
    assert (
        await evaluate("e.test", None, ("e.test",), ScriptedDns(ZONE), is_complete=False)
    ).result == "pass"
    dead = ScriptedDns({"_dmarc.e.test": DnsStatus.SERVER_FAILED})
    assert (await evaluate("e.test", "e.test", (), dead)).result == "temperror"


@pytest.mark.parametrize(
    ("name", "record", "policy"),
    [
        ("e.test", "p=reject;sp=none;np=quarantine", "reject"),
        ("sub.e.test", "p=reject;sp=none;np=quarantine", "none"),
        ("gone.e.test", "p=reject;sp=none;np=quarantine", "quarantine"),
        ("gone.e.test", "p=reject;sp=none", "none"),
        ("sub.e.test", "p=reject", "reject"),
    ],
)
async def test_the_policy_for_a_name(name: str, record: str, policy: str) -> None:
    dns = ScriptedDns({**_dmarc(e_test=f"v=DMARC1;{record}"), "sub.e.test": {"A": ("192.0.2.1",)}})
    assert await applied_policy(await walk_up(name, dns), dns) == policy
