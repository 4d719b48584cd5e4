"""What a header gives away besides its way."""

from __future__ import annotations

import pytest

from smtp_probe.mail.explanation.header_findings import Header, check_header, read_date
from smtp_probe.mail.syntax.fields import split_fields
from tests.mail.lines import line, passages

SOUND = b"From: a@b.test\r\nDate: Tue, 1 Sep 2026 08:00:00 +0000\r\n"


def check(header, *, is_cut=False):
    fields = split_fields(header)
    return list(
        check_header(Header(fields=fields, passages=passages(header), date=read_date(fields), is_cut=is_cut))
    )


def checks(header, **options):
    return [(each.check, each.severity) for each in check(header, **options)]


def test_a_sound_header_is_no_finding():
    assert checks(line() + SOUND) == []


@pytest.mark.parametrize("name", [b"Subject", b"from", b"DATE", b"Message-ID", b"Content-Type"])
def test_what_may_stand_there_once_is_told_when_it_is_double(name):
    same, other = name + b": x\r\n", name + b": y\r\n"

    assert ("duplicate_header", "info") in checks(same + same)
    assert ("duplicate_header", "warning") in checks(same + other)


def test_a_value_that_is_only_folded_otherwise_is_the_same():
    assert checks(SOUND + b"Subject: a b\r\nSubject: a\r\n b\r\n") == [("duplicate_header", "info")]


def test_many_received_and_other_lines_are_as_they_should_be():
    assert checks(line() * 3 + SOUND + b"Delivered-To: x\r\n" * 3 + b"Comments: y\r\n" * 2) == []


def test_what_every_message_must_have_is_missed():
    assert checks(b"Subject: x\r\n") == [("missing_header", "info")] * 2


def test_a_header_that_was_cut_is_told_and_nothing_is_missed_in_it():
    assert checks(b"Subject: x\r\n", is_cut=True) == [("header_cut", "warning")]
    assert ("header_cut", "warning") in checks(SOUND + b"X: y\r\n" * 2000)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("08:00:00", None),
        ("08:10:00", None),
        ("07:59:00", None),
        ("08:30:00", "30 min 0 s before the stamp of hop 1 (mx.example.net)"),
        ("07:50:00", "10 min 0 s after the stamp of hop 1 (mx.example.net)"),
    ],
)
def test_a_date_far_from_the_first_stamp_is_told(at, words):
    found = check(line(at=at) + SOUND)

    assert [each.check for each in found] == (["date_gap"] if words else [])
    assert words is None or words in found[0].message


def test_a_date_that_cannot_be_read_is_told():
    assert checks(b"From: a\r\nDate: gestern\r\n") == [("bad_date", "info")]


def test_a_date_without_a_stamp_beside_it_tells_nothing():
    assert checks(line(at="") + SOUND) == []
