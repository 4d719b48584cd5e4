"""The machine-readable part of a bounce is read, however badly it is written."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.bounce.delivery_status import decode_xtext, find_status, parse_delivery_status

WHOLE = b"""\
Reporting-MTA: dns; mx1.example.org
Original-Envelope-Id: spt1+2Dabc+3D
X-Postfix-Queue-ID: 4SZ1fK2Nkpz9rxx

Final-Recipient: rfc822; probe@example.net
Original-Recipient: rfc822;alias@example.net
Action: delayed (still trying)
Status: 4.4.1 (no route)
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 451 4.4.1
    no route; try later
Will-Retry-Until: Sat, 28 Nov 2026 19:01:09 +0200 (CEST)
"""


def read(body):
    return parse_delivery_status(body)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_all_fields_are_read(line_end):
    said = read(WHOLE.replace(b"\n", line_end))
    assert (said.action, said.status) == ("delayed", "4.4.1")
    assert said.recipient == "probe@example.net"
    assert (said.reporting_mta, said.remote_mta) == ("mx1.example.org", "mx.example.net")
    assert said.diagnostic == "451 4.4.1 no route; try later"
    assert said.will_retry_until == datetime(2026, 11, 28, 19, 1, 9, tzinfo=timezone(timedelta(hours=2)))
    assert said.will_retry_until.tzinfo is UTC
    assert said.queue_id == "4SZ1fK2Nkpz9rxx"
    assert said.envelope_id == b"spt1-abc="
    assert b"alias@example.net" in said.addresses


def test_one_that_failed_speaks_for_all():
    body = b"Reporting-MTA: dns; a\n\nAction: delivered\nStatus: 2.0.0\n\nAction: FAILED\nStatus: 5.2.2\n"
    said = read(body)
    assert (said.action, said.status, said.reporting_mta) == ("failed", "5.2.2", "a")


def test_blocks_that_are_not_separated_are_read():
    said = read(b"Reporting-MTA: dns; a\nFinal-Recipient: rfc822; x@y\nAction: failed\n")
    assert (said.reporting_mta, said.recipient, said.action) == ("a", "x@y", "failed")


def test_blocks_that_are_separated_too_well_are_read():
    said = read(b"\n\nReporting-MTA: dns; a\n\n\n\nAction: failed\n\n")
    assert (said.reporting_mta, said.action) == ("a", "failed")


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        (b"Status: 5.1.1", "failed"),
        (b"Status: 4.1.1", None),
        (b"Action: exploded\nStatus: 5.1.1", None),
        (b"Action: relayed", "relayed"),
        (b"Action: failed;", "failed"),
    ],
)
def test_an_action_is_one_of_five_or_unknown(fields, action):
    assert read(fields).action == action


@pytest.mark.parametrize("date", [b"", b"tomorrow", b"Sat, 99 Nov 2026 19:01:09 +0000", b"\xff"])
def test_a_date_that_is_none_is_unknown(date):
    assert read(b"Action: delayed\nWill-Retry-Until: " + date + b"\n").will_retry_until is None


def test_a_value_without_type_stands_as_it_is():
    said = read(b"Final-Recipient: probe@example.net\nDiagnostic-Code: no; really: not a type here\n")
    assert said.recipient == "probe@example.net"
    assert said.diagnostic == "really: not a type here"
    assert read(b"Diagnostic-Code: a b; c\nAction: failed\n").diagnostic == "a b; c"


def test_texts_are_safe_and_bounded():
    said = read(b"Action: failed\nDiagnostic-Code: smtp; \x1b[31m\xe2\x80\xae" + b"x" * 5000)
    assert said.diagnostic.isprintable()
    assert len(said.diagnostic) == 300


@pytest.mark.parametrize("body", [b"", b"\n\n", b"Reporting-MTA: dns; a\n", b"no fields at all"])
def test_without_a_recipient_there_is_no_report(body):
    assert read(body) is None


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("5.1.1", "5.1.1"),
        ("550 5.1.1 <x>", "5.1.1"),
        ("(#5.1.1)", "5.1.1"),
        ("4.4.7.", "4.4.7"),
        ("192.5.1.1 said", None),
        ("5.1.1.1 said", None),
        ("15.1.1", None),
        ("3.1.1", None),
        ("5.1.1234", None),
    ],
)
def test_a_status_is_no_part_of_something_else(text, status):
    assert find_status(text) == status


def test_xtext_is_undone():
    assert decode_xtext(b"a+2Bb+3D+zz+") == b"a+b=+zz+"


@given(st.binary())
def test_nothing_raises(body):
    read(body)
    for name in (b"Action", b"Status", b"Will-Retry-Until", b"Final-Recipient", b"Diagnostic-Code"):
        read(name + b": " + body)


def test_hostile_reports_are_linear():
    started = time.process_time()
    for piece in (b"\n", b"\r\n", b"Action: failed\n\n", b"Action: failed\n", b"Status: 5.1.", b" ", b"+2"):
        read(b"Status: 5.0.0\nOriginal-Envelope-Id: " + piece * (250_000 // len(piece)))
    assert time.process_time() - started < 2
