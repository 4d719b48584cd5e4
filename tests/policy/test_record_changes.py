"""What counts as a change of a domain's records."""

from __future__ import annotations

import json

import pytest

from smtp_probe.model import (
    CaaRecord,
    DnsAnswer,
    DnsStatus,
    DnsValue,
    MxRecord,
    Severity,
    SoaRecord,
    TlsaRecord,
)
from smtp_probe.policy.record_changes import RECORDS, RecordMemory, read_record_memory, record_word

HOUR_NS = 3600 * 10**9


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


def _words(memory: RecordMemory, *answers: DnsAnswer, now_ns: int = 0) -> tuple[RecordMemory, list[str]]:
    memory, changes = memory.after(answers, now_ns)
    return memory, [change.word for change in changes]


def test_only_what_was_seen_and_is_other_now_has_changed() -> None:
    memory = RecordMemory()
    one, two = _answer(b"v=spf1 -all"), _answer(b"v=spf1 ~all")
    found = []
    for answer in (one, one, two, _answer(), one):
        memory, words = _words(memory, answer)
        found.append(words)
    assert found == [[], [], ["spf"], ["spf"], ["spf"]]


def test_a_failure_is_no_change_and_forgets_nothing() -> None:
    memory, _ = _words(RecordMemory(), _answer("192.0.2.1", kind="A"))
    memory, words = _words(memory, _answer(kind="A", status=DnsStatus.TIMEOUT))
    assert words == []
    assert _words(memory, _answer("192.0.2.2", kind="A"))[1] == ["address"]


def test_what_is_not_asked_for_a_while_is_not_forgotten() -> None:
    memory, _ = _words(RecordMemory(), _answer(b"v=DKIM1; p=AA", name="s._domainkey.e.test"))
    memory, _ = _words(memory)
    assert _words(memory, _answer(b"v=DKIM1; p=BB", name="s._domainkey.e.test"))[1] == ["dkim"]


def test_what_is_remembered_is_bounded() -> None:
    memory = RecordMemory()
    for number in range(500):
        memory, _ = _words(memory, _answer(f"192.0.2.{number}", name=f"h{number}.e.test", kind="A"))
    assert len(memory.standing) == 400
    assert "h499.e.test A" in memory.standing


def test_the_order_and_other_texts_do_not_count() -> None:
    memory, _ = _words(RecordMemory(), _answer(b"v=spf1 -all", b"site=1"), _answer("a", "b", kind="NS"))
    assert _words(memory, _answer(b"site=2", b"v=spf1 -all"), _answer("b", "a", kind="NS"))[1] == []


def test_a_change_is_told_for_a_day_with_what_was_and_what_is() -> None:
    before, after = MxRecord(10, "a.e.test"), MxRecord(10, "b.e.test")
    memory, _ = _words(RecordMemory(), _answer(before, kind="MX"))
    memory, _ = _words(memory, _answer(after, kind="MX"), now_ns=5 * HOUR_NS)
    [finding] = memory.findings(28 * HOUR_NS, (), "e.test")
    assert (finding.check, finding.severity) == ("mx_changed", Severity.INFO)
    assert "Before: 10 a.e.test. Now: 10 b.e.test." in finding.message
    assert list(memory.findings(30 * HOUR_NS, (), "e.test")) == []
    memory, _ = _words(memory, now_ns=30 * HOUR_NS)
    assert memory.changes == ()


@pytest.mark.parametrize(
    ("name", "kind", "check"),
    [
        ("e.test", "TXT", "spf_changed"),
        ("_dmarc.e.test", "TXT", "dmarc_changed"),
        ("_smtp._tls.e.test", "TXT", "tls_rpt_changed"),
        ("s1._domainkey.e.test", "TXT", "dkim_key_changed"),
        ("default._bimi.e.test", "TXT", "bimi_changed"),
        ("_25._tcp.mx.e.test", "TLSA", "dane_changed"),
        ("e.test", "CAA", "caa_changed"),
        ("1.2.0.192.in-addr.arpa", "PTR", "ptr_changed"),
        ("e.test", "NS", "authority_changed"),
        ("e.test", "DNSKEY", "dnssec_changed"),
        ("mx.e.test", "A", None),
        ("e.test", "SOA", None),
    ],
)
def test_each_kind_of_change_has_its_finding(name: str, kind: str, check: str | None) -> None:
    values: dict[str, tuple[DnsValue, DnsValue]] = {
        "TXT": (b"v=spf1 -all", b"v=spf1 ~all"),
        "TLSA": (TlsaRecord(3, 1, 1, b"a"), TlsaRecord(3, 1, 1, b"b")),
        "CAA": (CaaRecord(0, "issue", "a.test"), CaaRecord(0, "issue", "b.test")),
        "SOA": (SoaRecord("a", "b", 1, 1, 1, 1, 1), SoaRecord("a", "b", 2, 1, 1, 1, 1)),
    }
    before, after = values.get(kind, ("a.test", "b.test"))
    memory, _ = _words(RecordMemory(), _answer(before, name=name, kind=kind))
    memory, words = _words(memory, _answer(after, name=name, kind=kind))
    assert len(words) == 1
    findings = list(memory.findings(1, (), "e.test"))
    assert [finding.check for finding in findings] == ([] if check is None else [check])
    assert all(finding.advice and finding.source and finding.subject == name for finding in findings)


def test_a_new_id_of_mta_sts_is_told() -> None:
    name = "_mta-sts.e.test"
    memory, _ = _words(RecordMemory(), _answer(b"v=STSv1; id=1;", name=name))
    memory, _ = _words(memory, _answer(b"v=STSv1; id=2;", name=name))
    [finding] = memory.findings(1, (), "e.test")
    assert finding.check == "mta_sts_changed"
    assert "id=1" in finding.message
    assert "id=2" in finding.message


def test_a_key_that_has_not_changed_for_more_than_a_year_is_told() -> None:
    name = "S1._domainkey.e.test"
    memory, _ = _words(RecordMemory(), _answer(b"v=DKIM1; p=AA", name=name))
    days = 24 * HOUR_NS
    assert list(memory.findings(399 * days, ("s1",), "e.test")) == []
    assert [finding.check for finding in memory.findings(401 * days, ("s1",), "e.test")] == [
        "dkim_selector_old"
    ]
    assert list(memory.findings(401 * days, ("other",), "e.test")) == []


def test_what_is_written_is_read_and_what_is_damaged_is_not() -> None:
    memory, _ = _words(RecordMemory(), _answer(MxRecord(10, "a.e.test"), kind="MX"))
    memory, _ = _words(memory, _answer(MxRecord(10, "b.e.test"), kind="MX"))
    data = json.loads(json.dumps(memory.write()))
    assert read_record_memory(data) == memory
    for damaged in (None, [], {}, {"version": 2}, {**data, "standing": [1]}, {**data, "changes": [["mx"]]}):
        assert read_record_memory(damaged) is None
