from __future__ import annotations

from dataclasses import replace

from smtp_probe.demo.notification import FailedDelivery, build_bounce
from smtp_probe.model import Reply
from tests.demo.reports import read_report

FAILED = FailedDelivery(
    reporting_host="submission.example.test",
    remote_host="relay.example.test",
    queue_id="4jYFch5YShzyN4",
    notification_id="4jYFch5j0Dz1xm4",
    sender="prober@example.test",
    recipient="bounced@example.test",
    content=b"Subject: hello\r\nX-Raw: \xff\r\n\r\nbody\r\n",
    reply=Reply(code=550, enhanced="5.1.1", text="user unknown"),
    stage="RCPT TO command",
    arrived_ns=1_795_460_404 * 10**9,
    now_ns=1_795_460_405 * 10**9,
)


def test_the_report_has_its_three_parts() -> None:
    report = read_report(build_bounce(FAILED))
    assert "in reply to RCPT TO command" in report.text
    assert report.about_message["Reporting-MTA"] == "dns; submission.example.test"
    assert report.about_message["X-Postfix-Queue-ID"] == "4jYFch5YShzyN4"
    assert report.about_message["Arrival-Date"] == "Mon, 23 Nov 2026 19:00:04 +0000"
    assert report.about_recipient["Final-Recipient"] == "rfc822; bounced@example.test"
    assert report.about_recipient["Remote-MTA"] == "dns; relay.example.test"
    assert report.about_recipient["Diagnostic-Code"] == "smtp; 550 5.1.1 user unknown"
    assert report.returned.get_content_type() == "text/rfc822-headers"
    assert "Subject: hello" in report.returned_text
    assert "body" not in report.returned_text


def test_what_the_sender_did_not_say_is_not_repeated() -> None:
    report = read_report(build_bounce(FAILED))
    assert "Original-Envelope-Id" not in report.about_message
    assert "Original-Recipient" not in report.about_recipient


def test_the_whole_message_comes_back_to_those_who_asked() -> None:
    report = read_report(build_bounce(replace(FAILED, return_full=True)))
    assert report.returned.get_content_type() == "message/rfc822"
    assert report.returned.as_string().rstrip().endswith("body")


def test_a_reply_without_an_enhanced_code_has_the_general_status() -> None:
    report = read_report(build_bounce(replace(FAILED, reply=Reply(code=550, text="no"))))
    assert report.about_recipient["Status"] == "5.0.0"


def test_a_long_header_is_cut_at_a_line_end() -> None:
    content = b"X-Fill: " + b"a" * 58 + b"\r\n"
    bounce = build_bounce(replace(FAILED, content=content * 2000 + b"\r\nbody"))
    assert len(bounce) < 70_000
    assert set(read_report(bounce).returned_text.split()) == {"X-Fill:", "a" * 58}
