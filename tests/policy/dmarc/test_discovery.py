"""The walk up the tree, by RFC 9989 section 4.10 and its appendix B."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.model import DnsStatus
from smtp_probe.policy.dmarc.discovery import targets, walk_up
from tests.policy.scripted import ScriptedDns


def _zone(**records: str) -> ScriptedDns:
    zone: dict[str, Any] = {"test": {}}
    for name, record in records.items():
        zone[f"_dmarc.{name.replace('_', '.')}"] = {"TXT": tuple(record.split("|"))}
    return ScriptedDns(zone)


async def test_a_top_level_domain_that_cannot_be_asked_changes_nothing_above_a_record() -> None:
    zone: dict[str, Any] = {
        "_dmarc.example.test": {"TXT": ("v=DMARC1; p=reject",)},
        "_dmarc.test": DnsStatus.REFUSED,
    }
    walk = await walk_up("mail.example.test", ScriptedDns(zone))
    assert (walk.failed, walk.organisational_domain) == ((), "example.test")
    other = await walk_up("mail.other.test", ScriptedDns(zone))
    assert [answer.name for answer in other.failed] == ["_dmarc.test"]


def test_names_of_the_walk() -> None:
    assert list(targets("A.mail.example.com.")) == [
        "a.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    ]
    assert list(targets("com")) == ["com"]


def test_a_deep_name_costs_eight_questions() -> None:
    deep = list(targets("a.b.c.d.e.f.g.h.i.j.mail.example.com"))
    assert len(deep) == 8
    assert deep[1] == "g.h.i.j.mail.example.com"
    assert len(list(targets("b.c.d.e.f.mail.example.com"))) == 8
    assert len(list(targets("c.d.e.f.mail.example.com"))) == 7


@pytest.mark.parametrize(
    ("records", "organisational", "policy"),
    [
        ({}, "a.b.example.test", None),
        ({"example_test": "v=DMARC1;p=reject"}, "example.test", "example.test"),
        (
            {"a_b_example_test": "v=DMARC1;p=none", "example_test": "v=DMARC1;p=reject"},
            "example.test",
            "a.b.example.test",
        ),
        (
            {"b_example_test": "v=DMARC1;p=none;psd=n", "example_test": "v=DMARC1;p=reject"},
            "b.example.test",
            "b.example.test",
        ),
        (
            {"a_b_example_test": "v=DMARC1;p=none;psd=n", "example_test": "v=DMARC1;p=reject"},
            "a.b.example.test",
            "a.b.example.test",
        ),
        ({"test": "v=DMARC1;p=reject;psd=y"}, "example.test", "test"),
        (
            {"test": "v=DMARC1;p=reject;psd=y", "example_test": "v=DMARC1;p=none"},
            "example.test",
            "example.test",
        ),
        (
            {"example_test": "v=DMARC1;p=none;psd=y", "test": "v=DMARC1;p=reject"},
            "b.example.test",
            "example.test",
        ),
        (
            {"b_example_test": "v=DMARC1;p=none", "example_test": "v=DMARC1;p=reject"},
            "example.test",
            "example.test",
        ),
        ({"example_test": "v=DMARC1;p=none|v=DMARC1;p=reject"}, "a.b.example.test", None),
        ({"example_test": "v=DMARC1;p=none|other text"}, "example.test", "example.test"),
        (
            {"a_b_example_test": "v=DMARC1;p=none;psd=y", "example_test": "v=DMARC1;p=reject"},
            "example.test",
            "a.b.example.test",
        ),
    ],
)
async def test_organisational_domain_and_policy(
    records: dict[str, str], organisational: str, policy: str | None
) -> None:
    walk = await walk_up("a.b.example.test", _zone(**records))
    assert walk.organisational_domain == organisational
    assert (walk.policy_step.domain if walk.policy_step else None) == policy


async def test_the_walk_stops_where_it_is_told_to() -> None:
    dns = _zone(b_example_test="v=DMARC1;p=none;psd=n")
    assert len((await walk_up("a.b.example.test", dns)).steps) == 2


async def test_a_failure_is_remembered() -> None:
    walk = await walk_up("e.test", ScriptedDns({"_dmarc.e.test": DnsStatus.TIMEOUT}))
    assert len(walk.failed) == 1
