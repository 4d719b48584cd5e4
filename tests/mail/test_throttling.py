"""Servers that ask us to slow down, in the words that their clients' users have reported."""

import pytest

from smtp_probe.mail.throttling import throttle_seconds


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("NO [ALERT] Too many simultaneous connections. (Failure)", 60),  # Gmail
        ("NO [ALERT] Account exceeded command or bandwidth limits. (Failure)", 60),
        ("BAD Request is throttled. Suggested Backoff Time: 89117 milliseconds", 89.117),  # Microsoft 365
        ("BAD Request is throttled. Suggested Backoff Time: 999999999 milliseconds", 3600),
        ("BAD User is authenticated but not connected.", 60),
        (
            "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
            60,
        ),
        ("NO [LIMIT] LOGIN Rate limit hit.", 60),  # Yahoo
        ("NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", None),
        ("NO [UNAVAILABLE] Temporary authentication failure.", None),
        ("", None),
    ],
)
def test_a_wish_to_be_left_alone_is_understood(words, seconds):
    assert throttle_seconds(words) == seconds
