"""Block lists, with a list from a table."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.model import CheckResult, DnsStatus, DomainUnderCheck
from smtp_probe.policy.dnsbl import BlockLists, check_dnsbl, reverse
from tests.policy.scripted import ScriptedDns

SUBJECT = DomainUnderCheck(domain="e.test", egress=("192.0.2.9",), ehlo_name="mail.e.test", sender="a@e.test")
LISTS = BlockLists(addresses=("bl.test",), domains=("dbl.test",))
WORKING: dict[str, Any] = {
    "2.0.0.127.bl.test": {"A": ("127.0.0.2",)},
    "test.dbl.test": {"A": ("127.0.1.2",)},
}


async def _check(
    zone: dict[str, Any], subject: DomainUnderCheck = SUBJECT, lists: BlockLists = LISTS
) -> CheckResult:
    return await check_dnsbl(subject, ScriptedDns({**WORKING, **zone}), lists=lists)


def _states(result: CheckResult) -> dict[str, str]:
    return {fact["subject"]: fact["state"] for fact in result.facts["listings"]}


async def test_nothing_is_listed() -> None:
    result = await _check({})
    assert (result.findings, result.unobserved) == ((), ())
    assert _states(result) == {"192.0.2.9": "clean", "e.test": "clean", "mail.e.test": "clean"}


async def test_a_listed_address_with_its_reason() -> None:
    result = await _check({"9.2.0.192.bl.test": {"A": ("127.0.0.4",), "TXT": ("see https://bl.test/9",)}})
    (finding,) = result.findings
    assert (finding.check, finding.subject) == ("dnsbl_listed", "192.0.2.9")
    assert "127.0.0.4" in finding.message
    assert "see https://bl.test/9" in finding.message


async def test_a_listed_domain() -> None:
    result = await _check({"mail.e.test.dbl.test": {"A": ("127.0.1.5",)}})
    assert [finding.subject for finding in result.findings] == ["mail.e.test"]


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ({"9.2.0.192.bl.test": {"A": ("127.255.255.254",)}}, "refuses"),
        ({"2.0.0.127.bl.test": {"A": ("127.255.255.252",)}}, "refuses"),
        ({"9.2.0.192.bl.test": {"A": ("203.0.113.80",)}}, "no answer of a list"),
        (
            {"1.0.0.127.bl.test": {"A": ("127.0.0.2",)}, "9.2.0.192.bl.test": {"A": ("127.0.0.2",)}},
            "lists everything",
        ),
        ({"2.0.0.127.bl.test": {}}, "has ended"),
        ({"9.2.0.192.bl.test": DnsStatus.TIMEOUT}, "could not be looked up"),
        ({"2.0.0.127.bl.test": DnsStatus.REFUSED}, "could not be looked up"),
    ],
)
async def test_what_is_no_listing_is_an_error(zone: dict[str, Any], words: str) -> None:
    result = await _check(zone)
    assert not result.findings
    assert words in result.unobserved[0]
    assert _states(result)["192.0.2.9"] == "unknown"
    assert _states(result)["e.test"] == "clean"


async def test_without_lists_or_subjects_nothing_is_asked() -> None:
    dns = ScriptedDns(WORKING)
    assert await check_dnsbl(SUBJECT, dns, lists=BlockLists()) == CheckResult()
    only_addresses = BlockLists(addresses=("bl.test",))
    assert await check_dnsbl(DomainUnderCheck(domain="e.test"), dns, lists=only_addresses) == CheckResult()
    assert not dns.asked


def test_names_below_a_list() -> None:
    assert reverse("192.0.2.9") == "9.2.0.192"
    assert reverse("2001:db8::1") == "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
