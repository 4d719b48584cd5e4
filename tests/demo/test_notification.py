from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes

from smtp_probe.demo.notification import FailedDelivery, build_bounce
from smtp_probe.model import Reply

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
    text, status, returned = message_from_bytes(build_bounce(FAILED)).get_payload()
    assert "in reply to RCPT TO command" in text.get_payload()
    about_message, about_recipient = status.get_payload()
    assert about_message["Reporting-MTA"] == "dns; submission.example.test"
    assert about_message["Arrival-Date"] == "Mon, 23 Nov 2026 19:00:04 +0000"
    assert about_recipient["Final-Recipient"] == "rfc822; bounced@example.test"
    assert about_recipient["Remote-MTA"] == "dns; relay.example.test"
    assert about_recipient["Diagnostic-Code"] == "smtp; 550 5.1.1 user unknown"
    assert returned.get_content_type() == "text/rfc822-headers"
    assert "Subject: hello" in returned.get_payload()
    assert "body" not in returned.get_payload()


def test_what_the_sender_did_not_say_is_not_repeated() -> None:
    _, status, _ = message_from_bytes(build_bounce(FAILED)).get_payload()
    about_message, about_recipient = status.get_payload()
    assert "Original-Envelope-Id" not in about_message
    assert "Original-Recipient" not in about_recipient


def test_the_whole_message_comes_back_to_those_who_asked() -> None:
    *_, returned = message_from_bytes(build_bounce(replace(FAILED, return_full=True))).get_payload()
    assert returned.get_content_type() == "message/rfc822"
    assert returned.get_payload(0).get_payload().strip() == "body"


def test_a_reply_without_an_enhanced_code_has_the_general_status() -> None:
    failed = replace(FAILED, reply=Reply(code=550, text="no"))
    _, status, _ = message_from_bytes(build_bounce(failed)).get_payload()
    assert status.get_payload()[1]["Status"] == "5.0.0"


def test_a_long_header_is_cut_at_a_line_end() -> None:
    content = b"X-Fill: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 2000 + b"\r\nbody"
    bounce = build_bounce(replace(FAILED, content=content))
    assert len(bounce) < 70_000
    *_, returned = message_from_bytes(bounce).get_payload()
    assert set(returned.get_payload().split()) == {"X-Fill:", "a" * 58}
