"""The parts of a record; that every fault is found is told by the cases in `test_evaluation`."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from smtp_probe.policy.spf.record import SpfSyntaxError, parse_record, select_records


def test_a_record_is_its_terms() -> None:
    record = parse_record(b"v=spf1 a:a.test/24//64 -mx ~ip4:192.0.2.7/24 exp=x.test ?all redirect=y.test")
    first, second, third, last = record.mechanisms
    assert (first.name, first.domain, first.prefix4, first.prefix6) == ("a", "a.test", 24, 64)
    assert (second.qualifier, second.domain, second.prefix4) == ("-", "", 32)
    assert third.network == ip_network("192.0.2.0/24")
    assert (last.text, record.all_at) == ("?all", 3)
    assert (record.explanation, record.redirect) == ("x.test", "y.test")
    assert [term.asks for term in record.mechanisms] == [True, True, False, False]


def test_only_the_version_makes_a_record() -> None:
    values = (b"v=spf1", b"V=SPF1 -all", b"v=spf1\t-all", b"v=spf10", b"x", "v=spf1")
    assert select_records(values) == (b"v=spf1", b"V=SPF1 -all")


@pytest.mark.parametrize(
    ("record", "term"),
    [
        (b"v=spf1 a foo:x -all", "foo:x"),
        (b"v=spf1 redirect=a", "redirect=a"),
        (b"v=spf1 \xe9", "v=spf1 \\xe9"),
    ],
)
def test_a_fault_names_its_term(record: bytes, term: str) -> None:
    with pytest.raises(SpfSyntaxError) as caught:
        parse_record(record)
    assert caught.value.term == term
    assert caught.value.reason
