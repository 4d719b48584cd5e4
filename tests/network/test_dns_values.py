"""Records of each kind as values."""

from __future__ import annotations

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from smtp_probe.model import CaaRecord, DnsValue, MxRecord, SoaRecord, SrvRecord, TlsaRecord
from smtp_probe.network.dns_values import KINDS, MOST_VALUES, read_values

CASES: list[tuple[str, str, DnsValue]] = [
    ("A", "192.0.2.1", "192.0.2.1"),
    ("AAAA", "2001:DB8:0::1", "2001:db8::1"),
    ("MX", "10 Mail.Example.test.", MxRecord(10, "mail.example.test")),
    ("MX", "0 .", MxRecord(0, "")),
    ("TXT", '"v=spf1 " "-all" "\\233"', b"v=spf1 -all\xe9"),
    ("PTR", "Host.test.", "host.test"),
    ("CNAME", "Host.test.", "host.test"),
    ("NS", "Host.test.", "host.test"),
    ("SOA", "ns.test. admin.test. 7 6 5 4 3", SoaRecord("ns.test", "admin.test", 7, 6, 5, 4, 3)),
    ("TLSA", "3 1 1 " + "ab" * 32, TlsaRecord(3, 1, 1, b"\xab" * 32)),
    ("CAA", '128 Issue "ca.test"', CaaRecord(128, "issue", "ca.test")),
    ("SRV", "1 2 25 .", SrvRecord(1, 2, 25, "")),
    ("DS", "1 8 2 " + "ab" * 32, "1 8 2 " + "ab" * 32),
]


def _record(kind: str, text: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), text)


@pytest.mark.parametrize(("kind", "text", "value"), CASES)
def test_each_kind_has_its_value(kind: str, text: str, value: DnsValue) -> None:
    assert read_values([_record(kind, text)], kind) == (value,)


def test_no_kind_is_forgotten_here() -> None:
    assert {kind for kind, _, _ in CASES} | {"DNSKEY"} == set(KINDS)


def test_a_record_that_cannot_be_read_is_passed_over() -> None:
    assert read_values([object(), _record("A", "192.0.2.1")], "A") == ("192.0.2.1",)


def test_an_endless_set_is_cut() -> None:
    assert len(read_values([_record("A", "192.0.2.1")] * 300, "A")) == MOST_VALUES
