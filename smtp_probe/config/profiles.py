"""What is known of the large providers, as defaults of the settings of a mailbox or a sender: whatever is set wins over them.

In: a section as plain data. Out: the same with what its `profile` knows and it does not say. Where a value is from stands
beside it; where nothing is known for sure, the general default stays. Reads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Profile(StrEnum):
    """A provider or server whose habits are known."""

    GMAIL = "gmail"
    MICROSOFT365 = "microsoft365"
    YAHOO = "yahoo"
    DOVECOT = "dovecot"


MAILBOXES: Mapping[Profile, Mapping[str, Any]] = {
    Profile.GMAIL: {
        # Expunged mail goes to "All Mail" unless the account says otherwise (developers.google.com/gmail/api,
        # ImapSettings.expungeBehavior): by a move to the trash it is gone from everywhere.
        "after_judgement": "trash",
        # Its Received lines name hosts by private addresses; its results bear this name.
        "authserv_ids": ("mx.google.com",),
        # "Too many simultaneous connections": 15 (wildduck#35, Gmail help).
        "max_connections": 15,
        # It says "[THROTTLED]" in its answers and slows down (MailKit#1396): fewer looks, IDLE tells of news.
        "poll_minimum": 1.0,
        "poll_maximum": 10.0,
        "timeouts": {"reconnect_minimum": 5.0},
    },
    Profile.MICROSOFT365: {
        # 20 a user (node-imap#523).
        "max_connections": 20,
        # "Request is throttled. Suggested Backoff Time: N milliseconds" (imapsync FAQ Office365, imap_tools#135).
        "poll_minimum": 1.0,
        "poll_maximum": 10.0,
        # Many new connections in a short time end in "User is authenticated but not connected" (php-imap#464). A quiet
        # connection is closed after 30 minutes (AuthenticatedConnectionTimeout, learn.microsoft.com).
        "timeouts": {"reconnect_minimum": 10.0, "idle": 540.0},
    },
    Profile.YAHOO: {
        "authserv_ids": ("yahoo.com",),
        # It answers too many logins in a row with a refusal for a while (imapflow#75).
        "poll_minimum": 1.0,
        "poll_maximum": 10.0,
        "timeouts": {"reconnect_minimum": 10.0},
    },
    Profile.DOVECOT: {
        # mail_max_userip_connections (doc.dovecot.org): 10 by default.
        "max_connections": 10,
    },
}
PROTOCOLS: Mapping[str, Mapping[str, Any]] = {
    # One folder, and each look is a login.
    "pop3": {"junk": None, "poll_minimum": 1.0, "poll_maximum": 15.0},
    # Each look is a request over HTTP.
    "jmap": {"poll_minimum": 0.25, "poll_maximum": 5.0},
    "graph": {"host": "graph.microsoft.com", "tls": "implicit", "poll_minimum": 2.0, "poll_maximum": 15.0},
    "maildir": {"host": "localhost", "tls": "none"},
}
"""What follows from a protocol by itself, whoever the provider is."""
SENDERS: Mapping[Profile, Mapping[str, Any]] = {
    # "Message rate limit (SMTP client submission only): 30 messages per minute" (learn.microsoft.com, Exchange Online limits).
    Profile.MICROSOFT365: {"max_per_minute": 30},
}


def with_profile(data: Any, known: Mapping[Profile, Mapping[str, Any]]) -> Any:
    """Add what the profile of a section knows, where the section does not say it. What is no section stays as it is."""
    if not isinstance(data, dict) or data.get("profile") not in list(Profile):
        return data
    defaults = known.get(Profile(data["profile"]), {})
    merged = {**defaults, **data}
    for key, value in defaults.items():
        if isinstance(value, Mapping) and isinstance(data.get(key), dict):
            merged[key] = {**value, **data[key]}
    return merged
