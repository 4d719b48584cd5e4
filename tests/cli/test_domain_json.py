"""A report as JSON: its keys and its shapes."""

from __future__ import annotations

import json

import pytest

from smtp_probe.cli.domain_json import report_to_json, value_to_text
from smtp_probe.model import CaaRecord, DnsValue, MxRecord, SoaRecord, SrvRecord, TlsaRecord
from tests.cli.domain_reports import make_finding, make_report


def test_the_keys_are_those_of_the_page() -> None:
    facts = json.loads(report_to_json(make_report(make_finding()), 1))
    assert (facts["domain"], facts["exit_code"]) == ("e.test", 1)
    (finding,) = facts["findings"]
    assert list(finding) == ["check", "severity", "subject", "message", "advice", "source"]
    assert facts["spf"] == {"result": "pass", "lookups": 3, "void_lookups": 0, "record": "v=spf1 -all"}
    assert facts["dkim"] is None
    assert facts["dmarc"] is None
    assert facts["records"][0]["values"] == ["10 mx1.e.test"]


def test_each_address_of_a_host_has_its_result() -> None:
    (host,) = json.loads(report_to_json(make_report(), 0))["mx"]
    assert (host["host"], host["preference"]) == ("mx1.e.test", 10)
    assert host["addresses"] == [{"address": "192.0.2.1", "up": True}, {"address": "192.0.2.2", "up": None}]


def test_no_control_character_gets_out() -> None:
    text = report_to_json(make_report(unobserved=("dark",)), 3)
    assert "\\u001b" not in text
    assert json.loads(text)["unobserved"] == ["dark"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (MxRecord(0, ""), "0 ."),
        (TlsaRecord(3, 1, 1, b"\xab"), "3 1 1 ab"),
        (CaaRecord(0, "issue", "ca.test"), '0 issue "ca.test"'),
        (SrvRecord(1, 2, 3, ""), "1 2 3 ."),
        (SoaRecord("a.test", "b.test", 1, 2, 3, 4, 5), "a.test b.test 1 2 3 4 5"),
        ("192.0.2.1", "192.0.2.1"),
        (b"\xff", "\ufffd"),
    ],
)
def test_records_are_written_as_in_a_zone(value: DnsValue, text: str) -> None:
    assert value_to_text(value) == text
