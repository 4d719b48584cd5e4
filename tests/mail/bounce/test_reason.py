"""Why a message came back, in one word of a short list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.bounce.reason import REASONS, find_reason, is_temporary
from smtp_probe.mail.bounce.report import BounceReport


@pytest.mark.parametrize(
    ("status", "words", "reason", "temporary"),
    [
        ("5.1.1", "550 5.1.1 User unknown", "no_such_user", False),
        ("5.1.2", None, "no_such_user", False),
        ("5.1.10", None, "no_such_user", False),
        ("4.2.2", None, "mailbox_full", True),
        ("5.2.3", None, "too_large", False),
        ("5.3.4", None, "too_large", False),
        ("4.4.1", "connect to mx.example.net[192.0.2.1]:25: Connection timed out", "network", True),
        ("4.4.7", None, "expired", True),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied", "no_such_user", False),
        ("5.4.1", None, "network", False),
        ("4.3.0", "451 4.3.0 <a@b>: Recipient address rejected: Temporary failure, for ever", "other", True),
        ("4.7.1", "450 4.7.1 <a@b>: Recipient address rejected: Greylisted", "greylisted", True),
        ("4.1.1", "450 4.1.1 <a@b>: Recipient address rejected: unverified address", "no_such_user", True),
        ("5.4.5", "550 5.4.5 Daily user sending limit exceeded", "policy", False),
        (None, "TLS is required, but was not offered by host mx.example.net[192.0.2.1]", "policy", None),
        ("5.4.6", "loops back to myself", "network", False),
        ("5.6.0", None, "content", False),
        (
            "5.7.26",
            "This mail has been blocked because the sender is unauthenticated",
            "authentication",
            False,
        ),
        ("5.7.23", "SPF validation failed", "authentication", False),
        (
            "5.7.515",
            "the sending domain does not meet the required authentication level",
            "authentication",
            False,
        ),
        ("5.7.515", None, "authentication", False),
        (
            "4.7.1",
            "450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.1]",
            "authentication",
            True,
        ),
        ("5.0.0", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "policy", False),
        ("4.2.1", "450-4.2.1 The user is receiving mail at a rate that prevents more", "policy", True),
        ("5.7.28", "550 5.7.28 too much mail at once", "reputation", False),
        (
            "5.7.1",
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            "reputation",
            False,
        ),
        ("5.7.1", "Message rejected as spam", "content", False),
        ("5.7.1", "Relay access denied", "policy", False),
        ("5.7.0", None, "policy", False),
        ("4.7.1", "450 4.7.1 Recipient address rejected: Greylisted, see help", "greylisted", True),
        ("4.2.0", "450 4.2.0 <a@example.net>: Recipient address rejected: Greylisted", "greylisted", True),
        ("5.0.0", "550 Mailbox not found", "no_such_user", False),
        ("5.0.0", None, "other", False),
        ("5.9.9", None, "other", False),
        (
            None,
            "552 Requested mail action aborted: exceeded storage allocation, over quota",
            "mailbox_full",
            False,
        ),
        (None, "550 unknown user", "no_such_user", False),
        (None, "451 Temporary failure, greylisted for 300 seconds", "greylisted", True),
        (None, "421 Connection refused", "network", True),
        (None, None, "other", None),
    ],
)
def test_the_reason_is_read_from_the_status_and_the_words(status, words, reason, temporary):
    report = BounceReport(kind="dsn", action="failed", status=status, diagnostic=words)

    assert (find_reason(report), is_temporary(report)) == (reason, temporary)


def test_postfix_begins_every_refusal_alike_also_in_its_prose():
    prose = "host mx1[192.0.2.1] said: 451 4.3.0 <a@b>: Recipient address rejected: Temporary failure"

    assert find_reason(BounceReport(kind="dsn", status="4.3.0", words=prose)) == "other"
    assert find_reason(BounceReport(kind="dsn", status="5.3.0", words=prose)) == "no_such_user"


def test_without_a_status_a_delay_is_temporary_and_a_failure_may_be_either():
    assert is_temporary(BounceReport(kind="dsn", action="delayed")) is True
    assert is_temporary(BounceReport(kind="qmail", action="failed")) is None


@given(st.from_regex(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True), st.text())
def test_the_words_are_bounded(status, words):
    assert find_reason(BounceReport(kind="dsn", status=status, diagnostic=words)) in REASONS
