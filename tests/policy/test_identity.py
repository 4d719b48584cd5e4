"""Rules of the identity that a zone cannot show; the faults themselves stand in `tests/zones`."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.model import DnsStatus, DomainUnderCheck
from smtp_probe.policy.identity import check_identity, looks_generic
from tests.policy.scripted import ScriptedDns


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("192-0-2-7.isp.test", "192.0.2.7"),
        ("7.2.0.192.isp.test", "192.0.2.7"),
        ("host192002007.isp.test", "192.0.2.7"),
        ("c0000207.isp.test", "192.0.2.7"),
        ("dynamic-12.isp.test", "192.0.2.7"),
        ("pool1.isp.test", "192.0.2.7"),
        ("dsl-41.isp.test", "192.0.2.7"),
        ("host-1234.isp.test", "192.0.2.7"),
        ("static-81-2.isp.test", "192.0.2.7"),
        ("2001-db8-0-0-19-0-0-7.ip6.isp.test", "2001:db8:0:0:19::7"),
        ("2001-0db8-0000-0000-0019-0000-0000-0007.isp.test", "2001:db8:0:0:19::7"),
    ],
)
def test_a_name_that_any_customer_has_looks_generic(name: str, address: str) -> None:
    assert looks_generic(name, address)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("mail.example.test", "192.0.2.7"),
        ("mx1.example.test", "192.0.2.7"),
        ("host1.example.test", "192.0.2.7"),
        ("static2.example.test", "192.0.2.7"),
        ("mail2.home.example.test", "192.0.2.7"),
        ("mail-out-12.eu.example.test", "192.0.2.7"),
        ("smtp2.home.test", "192.0.2.7"),
        ("mail6.example.test", "2001:db8::1"),
        ("o1.ptr42.sendmail.test", "192.0.2.1"),
    ],
)
def test_a_name_of_a_mail_server_does_not(name: str, address: str) -> None:
    assert not looks_generic(name, address)


async def test_what_cannot_be_asked_is_unobserved() -> None:
    zone = {"1.2.0.192.in-addr.arpa": DnsStatus.SERVER_FAILED, "mail.test": DnsStatus.TIMEOUT}
    subject = DomainUnderCheck(domain="e.test", egress=("192.0.2.1",), ehlo_name="mail.test")
    result = await check_identity(subject, ScriptedDns(zone))
    assert not result.findings
    assert len(result.unobserved) == 3


async def test_nothing_is_said_where_nothing_is_known() -> None:
    dns = ScriptedDns({})
    result = await check_identity(DomainUnderCheck(domain="e.test"), dns)
    assert (result.findings, result.facts, dict(dns.asked)) == ((), {}, {})


async def test_only_ten_names_of_an_address_are_asked_for() -> None:
    zone = {"1.2.0.192.in-addr.arpa": {"PTR": tuple(f"n{number}.test" for number in range(50))}}
    dns = ScriptedDns(zone)
    await check_identity(DomainUnderCheck(domain="e.test", egress=("192.0.2.1",)), dns)
    assert sum(dns.asked.values()) == 11


async def test_each_egress_address_is_judged_by_its_own_name() -> None:
    zone = {
        "out1.e.test": {"A": ("203.0.113.1",)},
        "out2.e.test": {"A": ("203.0.113.2",)},
        "1.113.0.203.in-addr.arpa": {"PTR": ("out1.e.test",)},
        "2.113.0.203.in-addr.arpa": {"PTR": ("out2.e.test",)},
    }
    subject = DomainUnderCheck(
        domain="e.test",
        egress=("203.0.113.1", "203.0.113.2"),
        egress_names={"203.0.113.1": "out1.e.test", "203.0.113.2": "out2.e.test"},
    )
    assert not (await check_identity(subject, ScriptedDns(zone))).findings
    swapped = DomainUnderCheck(
        domain="e.test", egress=("203.0.113.1",), egress_names={"203.0.113.1": "out2.e.test"}
    )
    checks = {finding.check for finding in (await check_identity(swapped, ScriptedDns(zone))).findings}
    assert checks == {"ptr_not_ehlo", "ehlo_not_egress"}


async def test_our_own_senders_name_is_to_lead_back_to_itself() -> None:
    zone: dict[str, Any] = {
        "probe.e.test": {"A": ("203.0.113.1",)},
        "other.e.test": {"A": ("203.0.113.1",)},
        "1.113.0.203.in-addr.arpa": {"PTR": ("probe.e.test",)},
        "dark.e.test": DnsStatus.TIMEOUT,
    }
    names = ("probe.e.test", "other.e.test", "missing.e.test", "[203.0.113.1]", "localhost", "dark.e.test")
    subject = DomainUnderCheck(domain="e.test", own_ehlo_names=names)
    result = await check_identity(subject, ScriptedDns(zone))
    assert [finding.subject for finding in result.findings] == ["other.e.test", "missing.e.test"]
    assert {finding.check for finding in result.findings} == {"ehlo_own_unconfirmed"}
    assert len(result.unobserved) == 2
