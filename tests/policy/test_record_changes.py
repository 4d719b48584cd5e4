"""What counts as a change of a domain's records."""

from __future__ import annotations

import pytest

from smtp_probe.model import DnsAnswer, DnsStatus, DnsValue
from smtp_probe.policy.record_changes import RECORDS, RecordMemory, record_word


def _answer(
    *values: DnsValue, name: str = "e.test", kind: str = "TXT", status: DnsStatus | None = None
) -> DnsAnswer:
    found = DnsStatus.FOUND if values else DnsStatus.NO_DATA
    return DnsAnswer(name=name, kind=kind, status=status or found, values=values)


@pytest.mark.parametrize(
    ("name", "kind", "word"),
    [
        ("e.test", "TXT", "spf"),
        ("_dmarc.e.test", "TXT", "dmarc"),
        ("_mta-sts.e.test", "TXT", "mta_sts"),
        ("_smtp._tls.e.test", "TXT", "tls_rpt"),
        ("s1._domainkey.e.test", "TXT", "dkim"),
        ("default._bimi.e.test", "TXT", "bimi"),
        ("e.test", "MX", "mx"),
        ("mx.e.test", "AAAA", "address"),
        ("_25._tcp.mx.e.test", "TLSA", "tlsa"),
        ("e.test", "DS", "dnssec"),
        ("e.test", "SRV", "other"),
    ],
)
def test_each_record_has_a_word(name: str, kind: str, word: str) -> None:
    assert record_word(_answer(name=name, kind=kind)) == word
    assert word in RECORDS


def test_only_what_was_seen_and_is_other_now_has_changed() -> None:
    memory = RecordMemory()
    one, two = _answer(b"v=spf1 -all"), _answer(b"v=spf1 ~all")
    assert memory.note([one]) == []
    assert memory.note([one]) == []
    assert memory.note([two]) == ["spf"]
    assert memory.note([_answer()]) == ["spf"]
    assert memory.note([one]) == ["spf"]


def test_a_failure_is_no_change_and_forgets_nothing() -> None:
    memory = RecordMemory()
    memory.note([_answer("192.0.2.1", kind="A")])
    assert memory.note([_answer(kind="A", status=DnsStatus.TIMEOUT)]) == []
    assert memory.note([_answer("192.0.2.2", kind="A")]) == ["address"]


def test_the_order_and_other_texts_do_not_count() -> None:
    memory = RecordMemory()
    memory.note([_answer(b"v=spf1 -all", b"site=1"), _answer("a", "b", kind="NS")])
    assert memory.note([_answer(b"site=2", b"v=spf1 -all"), _answer("b", "a", kind="NS")]) == []
