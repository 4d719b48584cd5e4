"""`check_host` against cases of our own for every section of RFC 7208, and pyspf over the same names as a second opinion."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import spf

from smtp_probe.model import DnsStatus
from smtp_probe.policy.spf.evaluation import SpfResult, check_host
from tests.policy.scripted import ScriptedDns
from tests.policy.spf.zone import HELO, SENDER, ZONE

DATA = Path(__file__).parents[2] / "data" / "spf_cases.txt"


class Case(NamedTuple):
    section: str
    records: tuple[str, ...]
    ip: str
    result: str
    differs: str
    """Why pyspf says otherwise; empty where it agrees."""


def _read() -> list[Case]:
    cases = []
    for line in DATA.read_text(encoding="ascii").splitlines():
        if not line or line.startswith("#"):
            continue
        section, record, ip, result = (part for part in line.split(" | ", 3))
        result, _, differs = result.partition(" ! ")
        text = record.encode().decode("unicode_escape")
        records = () if text == "-" else tuple(text.split(" && "))
        cases.append(Case(section, records, ip.strip(), result.strip(), differs))
    return cases


CASES = _read()


def _zone(case: Case) -> dict[str, Any]:
    return {**ZONE, "e.test": {**ZONE["e.test"], "TXT": case.records}}


def _name(case: Case) -> str:
    return f"{case.section} {' && '.join(case.records)[:60]} {case.ip}".encode("ascii", "replace").decode()


@pytest.mark.parametrize("case", CASES, ids=_name)
async def test_each_case_has_its_result(case: Case) -> None:
    verdict = await check_host(case.ip, "e.test", SENDER, ScriptedDns(_zone(case)), helo=HELO)
    assert verdict.result == case.result, verdict


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_pyspf_agrees_or_there_is_a_reason(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    dns = ScriptedDns(_zone(case))
    monkeypatch.setattr(spf, "DNSLookup", lambda name, kind, *_: look_up(dns, str(name), kind))
    result, _, explanation = spf.query(case.ip, SENDER, HELO, receiver="unknown", strict=True).check()
    assert (result == case.result) is not bool(case.differs), explanation


def look_up(dns: ScriptedDns, name: str, kind: str) -> list[Any]:
    """The scripted zone in the shape that pyspf asks for."""
    if kind not in ("A", "AAAA", "MX", "PTR", "TXT"):
        return []
    answer = asyncio.run(dns(name, kind))
    if answer.is_failure:
        raise spf.TempError(f"DNS {answer.status}")
    found: list[Any] = []
    owner = name
    for alias in answer.aliases:
        found.append(((owner, "CNAME"), alias))
        owner = alias
    for value in answer.values:
        data: Any = value
        if kind == "MX":
            data = (value.preference, value.host)
        elif kind == "TXT":
            data = [value]
        found.append(((owner, kind), data))
    return found


def test_there_are_enough_cases_and_every_section_has_some() -> None:
    sections = Counter(case.section for case in CASES)
    wanted = {"4.4", "4.5", "4.6", "4.6.1", "4.6.2", "4.6.4", "4.7", "4.8"}
    wanted |= {"5.1", "5.2", "5.3", "5.4", "5.5", "5.6", "5.7", "6", "6.1", "6.2", "7.1", "7.2", "7.3"}
    assert wanted <= set(sections)
    assert len(set(CASES)) >= 150
    assert {case.result for case in CASES} == set(SpfResult)


# What the table cannot say.


@pytest.mark.parametrize("domain", ["", "test", "a..test", f"{'x' * 64}.test", ".test"])
async def test_a_domain_that_is_none_has_no_policy(domain: str) -> None:
    dns = ScriptedDns(ZONE)
    assert (await check_host("192.0.2.1", domain, f"user@{domain}", dns)).result is SpfResult.NONE
    assert not dns.asked


@pytest.mark.parametrize("status", [DnsStatus.SERVER_FAILED, DnsStatus.TIMEOUT, DnsStatus.REFUSED])
async def test_a_domain_that_cannot_be_asked_is_a_temporary_error(status: DnsStatus) -> None:
    verdict = await check_host("192.0.2.1", "e.test", SENDER, ScriptedDns({"e.test": status}))
    assert verdict.result is SpfResult.TEMPERROR


@pytest.mark.parametrize("sender", ["", "@e.test", "e.test"])
async def test_a_sender_without_local_part_is_the_postmaster(sender: str) -> None:
    zone = {
        "e.test": {"TXT": ("v=spf1 exists:%{l}.%{o}.s.test -all",)},
        "postmaster.e.test.s.test": {"A": ("127.0.0.2",)},
    }
    assert (await check_host("192.0.2.1", "e.test", sender, ScriptedDns(zone))).result is SpfResult.PASS


async def test_what_it_took_is_counted() -> None:
    zone = {**ZONE, "e.test": {"TXT": ("v=spf1 include:ip.test a:no1.test mx:m.test exists:a.test -all",)}}
    verdict = await check_host("203.0.113.1", "e.test", SENDER, ScriptedDns(zone))
    assert (verdict.result, verdict.lookups, verdict.void_lookups) == (SpfResult.PASS, 4, 1)
    assert verdict.mechanism == "exists:a.test"


async def test_the_first_that_matches_ends_it() -> None:
    dns = ScriptedDns({**ZONE, "e.test": {"TXT": ("v=spf1 ip4:192.0.2.1 include:pass.test -all",)}})
    await check_host("192.0.2.1", "e.test", SENDER, dns)
    assert set(dns.asked) == {("e.test", "TXT")}


@pytest.mark.parametrize(
    ("record", "explanation"),
    [
        ("v=spf1 -all exp=text.test", "192.0.2.1 is not one of e.test's, says probe.test about 192.0.2.1"),
        ("v=spf1 redirect=explaining.test", "by the one redirected to: explaining.test"),
        ("v=spf1 include:explaining.test -all", ""),
        ("v=spf1 -all exp=two.test", ""),
        ("v=spf1 -all exp=bad.test", ""),
        ("v=spf1 -all exp=accent.test", ""),
        ("v=spf1 -all exp=no1.test", ""),
    ],
)
async def test_a_failure_is_explained_in_the_domain_s_words(record: str, explanation: str) -> None:
    zone = {
        **ZONE,
        "e.test": {"TXT": (record,)},
        "explaining.test": {"TXT": ("v=spf1 -all exp=words.test",)},
        "words.test": {"TXT": ("by the one redirected to: %{d}",)},
        "bad.test": {"TXT": ("%{x}",)},
        "accent.test": {"TXT": ("n\xe9",)},
    }
    verdict = await check_host("192.0.2.1", "e.test", SENDER, ScriptedDns(zone), receiver="probe.test")
    assert (verdict.result, verdict.explanation) == (SpfResult.FAIL, explanation)


async def test_a_name_that_is_too_long_loses_labels_on_the_left() -> None:
    long = "a" * 60
    local = f"{long}.{long}"
    zone = {"e.test": {"TXT": (f"v=spf1 exists:%{{l}}.{long}.{long}.{long}.e.test -all",)}}
    dns = ScriptedDns(zone)
    await check_host("192.0.2.1", "e.test", f"{local}@e.test", dns)
    assert all(len(name) <= 253 for name, _ in dns.asked)
    assert (f"{long}.{long}.{long}.{long}.e.test", "A") in dns.asked
