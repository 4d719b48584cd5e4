"""Headers put together from fields, however wrong they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.syntax.header_fields import has_field, read_date, write_header


@pytest.mark.parametrize("text", [None, 7, "", "yesterday", "2026-11-28T00:00:00", "x" * 99])
def test_what_is_no_date_is_none(text):
    assert read_date(text) is None


def test_a_date_is_read_to_its_second():
    assert read_date("2026-11-28T00:00:01.999Z") == 1_795_824_001_000_000_000
    assert read_date("2026-11-28T01:00:01+01:00") == 1_795_824_001_000_000_000


def test_no_value_of_a_field_begins_another():
    fields = [
        {"name": "A", "value": " 1\r\n 2\nX-SMTP-Probe: evil\rB"},
        {"name": 1},
        "x",
        {"name": "C", "value": " 3"},
    ]
    assert write_header(fields) == b"A: 1\r\n 2 X-SMTP-Probe: evil B\r\nC: 3\r\n\r\n"
    assert write_header([{"name": "A", "value": "1"}], separator=": ") == b"A: 1\r\n\r\n"
    assert write_header(None) == b"\r\n"
    assert len(write_header([{"name": "A", "value": "x" * 100_000}])) < 66_000


def test_a_field_is_found_whatever_its_case():
    fields = [{"name": "Subject", "value": "[smtp-probe x]"}, {"name": "X"}]
    assert has_field(fields, "SUBJECT", "[SMTP-")
    assert has_field(fields, "subject", "")
    assert not has_field(fields, "x", "")
    assert not has_field(None, "x", "")


@given(st.lists(st.tuples(st.sampled_from(["A", "B-C"]), st.text(max_size=40)), max_size=5))
def test_as_many_fields_come_out_as_went_in(pairs):
    written = write_header([{"name": name, "value": value} for name, value in pairs])
    assert [name for name, _ in split_fields(written)] == [name.lower() for name, _ in pairs]
