"""A server that asks us to slow down: recognised by what it says, since no response code of RFC 5530 is for that alone.

In: the words of a refusal or a farewell. Out: how long to leave the server alone, or None. The words are those of Gmail,
Microsoft 365, Dovecot and Yahoo, as reported by their clients' authors.
"""

from __future__ import annotations

import re

_DEFAULT_SECONDS = 60.0
_LONGEST_SECONDS = 3600.0
_SUGGESTED = re.compile(r"suggested backoff time: (\d{1,9}) milliseconds", re.IGNORECASE)
_WORDS = re.compile(
    r"too many (?:simultaneous|concurrent) connections|request is throttled|\[(?:THROTTLED|LIMIT)\]"
    r"|maximum number of connections|mail_max_userip_connections|authenticated but not connected"
    r"|rate limit (?:hit|exceeded)|account exceeded (?:command or )?bandwidth limits",
    re.IGNORECASE,
)


def throttle_seconds(words: str) -> float | None:
    """Give how long the server wants to be left alone; None where it does not say so."""
    suggested = _SUGGESTED.search(words)
    if suggested is not None:
        return min(int(suggested[1]) / 1000, _LONGEST_SECONDS)
    return _DEFAULT_SECONDS if _WORDS.search(words) is not None else None
