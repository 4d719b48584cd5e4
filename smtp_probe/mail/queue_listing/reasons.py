"""Why a message waits, in one bounded word.

In: the text that a listing gives for a recipient. Out: one of `DelayReason`. Words that servers and operators use come
first, since a status code such as 4.7.1 stands for many things; the enhanced code (RFC 3463) decides where no word does.
"""

from __future__ import annotations

import re
from functools import lru_cache

from smtp_probe.model import DelayReason

_READ_CHARACTERS = 1000
_BY_WORD = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"gr[ae]y-?list", DelayReason.GREYLISTED),
        (
            r"host or domain name not found|name service error|host lookup|domain lookup|dns (?:error|lookup)|no mx|unable to look ?up host",
            DelayReason.DNS,
        ),
        (r"\btls\b|\bssl\b|certificate|starttls|\bdane\b|mta-sts", DelayReason.TLS),
        (
            r"mailbox (?:is )?full|over ?quota|quota exceeded|insufficient (?:disk|storage)",
            DelayReason.MAILBOX_FULL,
        ),
        (
            r"rate.?limit|too many|throttl|try again later.{0,40}(?:limit|rate)|exceeded.{0,30}(?:rate|limit)|unusual rate",
            DelayReason.RATE_LIMITED,
        ),
        (
            r"reputation|blacklist|blocklist|block list|black list|dnsbl|spamhaus|listed (?:at|in|by)|temporarily deferred due to",
            DelayReason.REPUTATION,
        ),
        (
            r"authenticat|\bsasl\b|\bspf\b|\bdkim\b|\bdmarc\b|password|cannot find your (?:reverse )?host",
            DelayReason.AUTHENTICATION,
        ),
        (
            (
                r"connection (?:refused|timed out|reset)|no route to host|network is unreachable"
                r"|lost connection|connection lost|timed? ?out|timeout|server dropped connection|retry time not reached|broken pipe"
            ),
            DelayReason.NETWORK,
        ),
        (r"virus|spam|content (?:filter|scan|reject)", DelayReason.CONTENT),
        (
            (
                r"mail transport unavailable|transport is (?:suspended|unavailable)|local configuration|alias database"
                r"|unable to (?:open|create|run)|permission denied|delivery temporarily suspended|user lookup"
            ),
            DelayReason.LOCAL,
        ),
    )
)
_HOST = re.compile(
    r"\b(connect to|conversation with|connection with|host) (?=[^ ]{0,255}[.:\[])[A-Za-z0-9_.:-]{1,255}(?:\[[^\]]{1,64}\])?"
)
"""What is called like a category, such as tls.example.org, is not one."""
_STATUS = re.compile(r"(?<![0-9.])4\.([0-7])\.([0-9]{1,3})(?![0-9])")
_BY_STATUS = {
    ("2", "2"): DelayReason.MAILBOX_FULL,
    ("4", "3"): DelayReason.DNS,
    ("7", "5"): DelayReason.TLS,
    ("7", "8"): DelayReason.AUTHENTICATION,
    ("7", "10"): DelayReason.TLS,
}
_BY_SUBJECT = {"4": DelayReason.NETWORK, "6": DelayReason.CONTENT}


def categorise(reason: str) -> DelayReason:
    """Give the word for one text. A text that says why a delivery is suspended is judged by that why."""
    text = reason[:_READ_CHARACTERS]
    _, suspended, why = text.partition("delivery temporarily suspended: ")
    return _categorise(_HOST.sub(r"\1", why if suspended else text))


@lru_cache(maxsize=1024)
def _categorise(text: str) -> DelayReason:
    """The same of a text without its host: a queue has many that differ in nothing else."""
    if not text.strip():
        return DelayReason.UNKNOWN
    for pattern, word in _BY_WORD:
        if pattern.search(text):
            return word
    status = _STATUS.search(text)
    if status is None:
        return DelayReason.OTHER
    return _BY_STATUS.get((status[1], status[2])) or _BY_SUBJECT.get(status[1], DelayReason.OTHER)
