"""Bounces of the usual kinds are tied to their probe and give their reason."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.bounce.report import BounceReport, read_bounce
from smtp_probe.mail.recognition import Candidate, is_automatic_answer
from smtp_probe.mail.tag import TagKey, make_tag, verify

SAMPLES = Path(__file__).parents[2] / "data" / "bounces"
KEYS = [TagKey(b"k" * 32)]
REPORT = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"


def load(name, line_end=b"\n"):
    header, _, text = (SAMPLES / name).read_bytes().partition(b"\n\n")
    return header.replace(b"\n", line_end), text.replace(b"\n", line_end)


def token(sequence, recipient="nobody@example.net"):
    return make_tag(KEYS, "lab", sequence, 1_795_000_000_000, recipient).token


def read(header, text):
    return read_bounce(header, text)


def report_with(status=b"Action: failed\r\nStatus: 5.1.1\r\n", returned=b"", header=b""):
    """A bare delivery status notification, around the parts that a test is about."""
    text = b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\n" + status
    text += b"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n" + returned + b"\r\n--b--\r\n"
    return read(header + REPORT, text)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_failure_that_postfix_reported(line_end):
    """The sample was made by Postfix 3.7.11 from a message of ours that a server refused."""
    assert read(*load("postfix_failed.eml", line_end)) == BounceReport(
        kind="dsn",
        action="failed",
        status="5.1.1",
        recipient="nobody@example.net",
        reporting_mta="mx1.example.org",
        remote_mta="127.0.0.1",
        diagnostic="550 5.1.1 <nobody@example.net>: Recipient address rejected: User unknown",
        queue_id="4jYFdx004FzJYft",
        candidates=(Candidate(token(1), "envid"),),
    )


def test_a_delay_that_postfix_reported():
    report = read(*load("postfix_delayed.eml"))
    assert (report.kind, report.action, report.status) == ("dsn", "delayed", "4.7.1")
    assert report.will_retry_until == datetime(2026, 11, 28, 19, 1, 9, tzinfo=UTC)
    assert report.candidates == (Candidate(token(2, "probe@later.example"), "envid"),)


def test_a_failure_in_the_form_of_opensmtpd():
    assert read(*load("opensmtpd_failed.eml")) == BounceReport(
        kind="mixed",
        action="failed",
        status="5.1.1",
        recipient="nobody@example.net",
        reporting_mta="relay.example.org",
        diagnostic="550 5.1.1 <nobody@example.net>: Recipient address rejected",
        candidates=(Candidate(token(3), "header"),),
    )


def test_a_failure_in_the_form_of_old_exim():
    assert read(*load("exim_failed.eml")) == BounceReport(
        kind="exim",
        action="failed",
        status="5.1.1",
        recipient="nobody@example.net",
        remote_mta="mx1.example.net",
        diagnostic="host mx1.example.net [192.0.2.25] SMTP error from remote mail server after "
        "RCPT TO:<nobody@example.net>: 550 5.1.1 <nobody@example.net>: no such user",
        candidates=(Candidate(token(4), "body"),),
    )


def test_a_failure_in_the_form_of_qmail():
    assert read(*load("qmail_failed.eml")) == BounceReport(
        kind="qmail",
        action="failed",
        status="5.1.1",
        recipient="nobody@example.net",
        reporting_mta="relay.example.org",
        diagnostic="192.0.2.25 does not like recipient. Remote host said: 550 5.1.1 no such user "
        "Giving up on 192.0.2.25.",
        candidates=(Candidate(token(5), "body"),),
    )


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.iterdir()))
def test_every_sample_is_an_answer_and_names_a_token_that_verifies(name):
    header, text = load(name)
    assert is_automatic_answer(header)
    (candidate,) = read(header, text).candidates
    recipient = "probe@later.example" if "delayed" in name else "nobody@example.net"
    assert verify(candidate.token, KEYS, "lab", recipient) is not None


@pytest.mark.parametrize(
    ("returned", "carrier"),
    [
        ("X-SMTP-Probe: v=1; t={}", "header"),
        ("Message-ID: <{}@example.org>", "message-id"),
        ("Subject: [smtp-probe {}] delivery test", "subject"),
        ("X-Unknown: {}", "body"),
    ],
)
def test_a_token_is_found_in_what_was_returned(returned, carrier):
    report = report_with(returned=returned.format(token(1)).encode() + b"\r\n")
    assert report.candidates == (Candidate(token(1), carrier),)


def test_a_token_is_found_in_the_addresses():
    tagged = f"probe+{token(1)[5:]}@example.net".encode()
    assert report_with(header=b"To: <" + tagged + b">\r\n").candidates == (Candidate(token(1), "address"),)
    report = report_with(status=b"Final-Recipient: rfc822; " + tagged + b"\r\nAction: failed\r\n")
    assert report.candidates == (Candidate(token(1), "address"),)


def test_no_token_is_shown_by_a_report():
    tagged = f"probe+{token(1)[5:]}@example.net"
    status = (
        f"Action: failed\r\nFinal-Recipient: rfc822; {tagged}\r\nDiagnostic-Code: smtp; 550 <{tagged}>\r\n"
    )
    report = report_with(status=status.encode())
    assert report.recipient == "probe+TAG@example.net"
    assert report.diagnostic == "550 <probe+TAG@example.net>"
    assert report.candidates
    assert token(1)[5:] not in repr(report)


def test_a_reason_in_prose_is_found_for_a_tagged_recipient():
    tagged = f"probe+{token(1)[5:]}@example.net"
    text = f"Hi. This is the qmail-send program at x.\n\n<{tagged}>:\nNo such user (#5.1.1)\n"
    report = read(b"Return-Path: <>\r\n", text.encode())
    assert (report.recipient, report.diagnostic) == ("probe+TAG@example.net", "No such user (#5.1.1)")
    assert report.candidates == (Candidate(token(1), "body"),)


def test_a_tagged_recipient_in_the_header_of_exim_is_a_carrier():
    report = read(f"X-Failed-Recipients: probe+{token(1)[5:]}@example.net\r\n".encode(), b"")
    assert (report.recipient, report.diagnostic) == ("probe+TAG@example.net", None)
    assert report.candidates == (Candidate(token(1), "address"),)


def test_a_token_is_found_in_the_references():
    reference = f"In-Reply-To: <{token(1)}@example.org>\r\n".encode()
    assert report_with(header=reference).candidates == (Candidate(token(1), "references"),)


def test_the_better_carriers_come_first():
    report = report_with(
        status=f"Action: failed\r\nFinal-Recipient: rfc822; u+{token(3)[5:]}@x\r\n".encode(),
        returned=f"Subject: {token(2)}\r\nX-SMTP-Probe: t={token(1)}\r\n".encode(),
        header=f"References: <{token(4)}@x>\r\n".encode(),
    )
    assert [candidate.token for candidate in report.candidates] == [token(n) for n in (1, 2, 3, 4)]


def test_a_text_in_base64_is_looked_into():
    text = b"--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n\r\n--b\r\n"
    text += b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(token(1).encode()) + b"--b--"
    assert read(REPORT, text).candidates == (Candidate(token(1), "body"),)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (b"Subject: hello\r\n", b"Hi. This is the qmail-send program at x.\r\n"),
        (b"Auto-Submitted: auto-replied (vacation)\r\nSubject: Re: x\r\n", b"I am away."),
        (
            b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n",
            b"--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: x/y; displayed\r\n--b--",
        ),
        (
            b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n",
            b"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n--b--",
        ),
        (REPORT, b""),
        (REPORT, b"--b\r\nContent-Type: message/delivery-status\r\n\r\n\r\n--b--"),
        (b"", b""),
    ],
    ids=["quotes-qmail", "vacation", "receipt", "complaint", "empty", "no-recipient", "nothing"],
)
def test_what_is_no_bounce_is_none(header, text):
    assert read(header, text) is None


def test_a_forwarded_bounce_inside_a_message_is_not_opened():
    header, text = load("postfix_failed.eml")
    wrapped = b"--w\nContent-Type: message/rfc822\n\n" + header + b"\n\n" + text + b"\n--w--\n"
    assert read(b"Return-Path: <>\nContent-Type: multipart/mixed; boundary=w\n", wrapped) is None


def test_only_the_beginning_of_a_large_bounce_is_read():
    header, text = load("postfix_failed.eml")
    assert read(header, text + b"x" * 1_000_000).action == "failed"
    beyond = read(header, b"x\n" * 200_000 + text)
    assert (beyond.kind, beyond.recipient, beyond.candidates) == ("dsn", None, ())


@given(st.binary(), st.binary())
def test_nothing_raises(header, text):
    read(b"Return-Path: <>\r\n" + header, text)
    read(b"X-Failed-Recipients: " + header, text)
    read(REPORT, b"--b\r\nContent-Type: message/delivery-status\r\n\r\n" + text)
    read(b"Return-Path: <>\r\n", b"Hi. This is the qmail-send program at x.\n" + text)


@given(st.integers(0, 4000), st.binary(min_size=1, max_size=8))
def test_a_bounce_with_a_hole_in_it_never_raises_and_never_makes_up_a_token(place, noise):
    header, text = load("postfix_failed.eml")
    whole = header + b"\n\n" + text
    damaged = whole[:place] + noise + whole[place + len(noise) :]
    header, _, text = damaged.partition(b"\n\n")
    report = read(header, text)
    for candidate in report.candidates if report else ():
        verified = verify(candidate.token, KEYS, "lab", "nobody@example.net")
        assert verified is None or candidate.token == token(1)


@pytest.mark.parametrize(
    "piece",
    [
        b"--b\r\n",
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n\r\n",
        b"<x@y>:\n",
        b"Action: failed\n\n",
    ],
)
def test_hostile_bounces_are_linear(piece):
    started = time.process_time()
    body = b"Hi. This is the qmail-send program at x.\n" + piece * (260_000 // len(piece))
    read(REPORT, body)
    read(b"Return-Path: <>\r\n", body)
    read(b"X-Failed-Recipients: x@y\r\n", body)
    assert time.process_time() - started < 2
