"""Why a message came back, in one word of a short list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.bounce.reason import REASONS, find_reason, is_temporary
from smtp_probe.mail.bounce.report import BounceReport


@pytest.mark.parametrize(
    ("status", "reason", "temporary"),
    [
        ("5.1.1", "no_such_mailbox", False),
        ("5.1.2", "no_such_domain", False),
        ("5.1.10", "null_mx", False),
        ("5.1.8", "address", False),
        ("4.2.2", "mailbox_full", True),
        ("5.2.3", "too_large", False),
        ("4.4.1", "network", True),
        ("4.4.7", "expired", True),
        ("5.4.6", "loop", False),
        ("5.7.26", "policy", False),
        ("4.7.1", "policy", True),
        ("5.0.0", "other", False),
        ("5.9.9", "unknown", False),
        (None, "unknown", None),
    ],
)
def test_the_reason_is_read_from_the_status(status, reason, temporary):
    report = BounceReport(kind="dsn", action="failed", status=status)

    assert (find_reason(report), is_temporary(report)) == (reason, temporary)


def test_without_a_status_a_delay_is_temporary_and_a_failure_may_be_either():
    assert is_temporary(BounceReport(kind="dsn", action="delayed")) is True
    assert is_temporary(BounceReport(kind="qmail", action="failed")) is None


@given(st.from_regex(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True))
def test_the_words_are_bounded(status):
    assert find_reason(BounceReport(kind="dsn", status=status)) in REASONS
