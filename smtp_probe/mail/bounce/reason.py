"""Why a message came back, as one of a short list of categories, and whether it may get through later.

In: what a bounce says (`report.BounceReport`). Out: one word of `REASONS`: by the enhanced status code where that is
telling (RFC 3463 and the IANA registry of RFC 5248), else by the words of the server, which its administrators see
too; and whether the failure is of the temporary class.
"""

from __future__ import annotations

import re

from smtp_probe.mail.bounce.report import BounceReport

NO_SUCH_USER = "no_such_user"
MAILBOX_FULL = "mailbox_full"
POLICY = "policy"
AUTHENTICATION = "authentication"
REPUTATION = "reputation"
GREYLISTED = "greylisted"
NETWORK = "network"
EXPIRED = "expired"
TOO_LARGE = "too_large"
CONTENT = "content"
OTHER = "other"
REASONS = (
    NO_SUCH_USER,
    MAILBOX_FULL,
    POLICY,
    AUTHENTICATION,
    REPUTATION,
    GREYLISTED,
    NETWORK,
    EXPIRED,
    TOO_LARGE,
    CONTENT,
    OTHER,
)
"""The categories; the values of a metric's label."""

_BY_STATUS = {
    "1.0": NO_SUCH_USER,
    "1.1": NO_SUCH_USER,
    "1.2": NO_SUCH_USER,
    "1.3": NO_SUCH_USER,
    "1.4": NO_SUCH_USER,
    "1.6": NO_SUCH_USER,
    "1.10": NO_SUCH_USER,
    "2.0": NO_SUCH_USER,
    "2.1": NO_SUCH_USER,
    "2.2": MAILBOX_FULL,
    "2.3": TOO_LARGE,
    "3.1": MAILBOX_FULL,
    "3.4": TOO_LARGE,
    "4.1": NETWORK,
    "4.2": NETWORK,
    "4.3": NETWORK,
    "4.4": NETWORK,
    "4.5": NETWORK,
    "4.6": NETWORK,
    "4.7": EXPIRED,
    "7.8": AUTHENTICATION,
    "7.9": AUTHENTICATION,
    **{f"7.{detail}": AUTHENTICATION for detail in range(20, 31)},
}
"""By subject and detail: RFC 3463, RFC 7372 (7.20 to 7.25), RFC 7489 and its likes (7.26 and on)."""
_BY_SUBJECT = {"4": NETWORK, "6": CONTENT, "7": POLICY}
_BY_WORDS = (
    (
        GREYLISTED,
        r"gr[ea]y[- ]?list|try again (?:in|after) \d+ (?:second|minute)|temporarily deferred.{0,40}unknown",
    ),
    (
        AUTHENTICATION,
        (
            r"\b(?:spf|dkim|dmarc|arc)\b|sender policy framework|authentication (?:required|failed|check)|not authenticated"
            r"|unauthenticated|sender id"
        ),
    ),
    (
        REPUTATION,
        (
            r"black[- ]?list|block[- ]?list|\b(?:rbl|dnsbl|sbl|xbl|pbl)\b|spamhaus|spamcop|barracuda|sorbs|uceprotect|reputation"
            r"|blocked using|banned (?:sending )?ip|poor|too many (?:complaints|bad)"
        ),
    ),
    (
        MAILBOX_FULL,
        (
            r"over ?quota|quota (?:is )?exceed|exceed(?:s|ed|ing)? .{0,30}quota|mail(?:box|folder) (?:is )?full"
            r"|(?:insufficient|not enough) (?:system )?storage|disk quota|full mailbox|out of storage|postfach .{0,20}voll"
        ),
    ),
    (TOO_LARGE, r"too (?:large|big)|size (?:limit|exceed)|exceeds .{0,30}(?:size|limit)|message size"),
    (
        NO_SUCH_USER,
        (
            r"(?:no such|unknown|invalid|non-?existent|bad) (?:user|recipient|mailbox|address|account|local part)|(?:user|recipient"
            r"|mailbox|address|account)(?: \S{1,80})? (?:is )?(?:unknown|not (?:found|known|exist)|unavailable|disabled|inactive|rejected)"
            r"|does(?:n't| not) (?:exist|have an?)|no mailbox|not listed in|not our customer|mailbox not found|recipient name is not"
            r"|host (?:or domain name )?not found|unrouteable|domain .{0,40}not (?:found|exist)|unbekannt|existiert nicht|n'existe pas"
        ),
    ),
    (
        EXPIRED,
        r"(?:queue|delivery|message) (?:time|lifetime)?.{0,20}(?:expired|too long)|retry time(?:out)? exceeded|giving up|timeout exceeded",
    ),
    (
        NETWORK,
        (
            r"connection (?:refused|timed out|reset|dropped|failed)|timed out|no route|unreachable|could ?n[o']t (?:connect|establish)"
            r"|wasn't able to establish|did not respond|too many hops|loop(?:ing|s back)?|name ?server|lost connection|dns"
        ),
    ),
    (CONTENT, r"spam|virus|malware|banned|attachment|content|phish|prohibited file|infected"),
    (
        POLICY,
        r"policy|denied|not allowed|not permitted|prohibited|refused|rejected|relay|blocked|administrative",
    ),
)
_PATTERNS = tuple((reason, re.compile(pattern)) for reason, pattern in _BY_WORDS)
_VAGUE = frozenset({"0.0", "3.0", "5.0", "7.0", "7.1", "2.0", "1.0", "4.0", "6.0", "7.7"})
"""Codes that servers give when they have no better one: their words say more."""


def find_reason(report: BounceReport) -> str:
    """Give one of `REASONS`; `other` where neither the status nor the words tell."""
    _, _, detail = (report.status or "").partition(".")
    words = (report.diagnostic or "").lower()
    told = _BY_STATUS.get(detail) or _BY_SUBJECT.get(detail.partition(".")[0])
    if told is None or detail in _VAGUE:
        said = next((reason for reason, pattern in _PATTERNS if pattern.search(words)), None)
        return said or told or OTHER
    if (report.status or "").startswith("4") and _PATTERNS[0][1].search(words):
        return GREYLISTED
    return told


def is_temporary(report: BounceReport) -> bool | None:
    """Whether the failure is temporary: the same message may get through later (RFC 3463 section 2).

    By the status; without one by the action, since a delayed message is still being tried, and then by the reply code
    in the server's words. None where nothing says it.
    """
    if report.status:
        return report.status.startswith("4")
    if report.action == "delayed":
        return True
    code = re.search(r"(?<![\d.])([45])\d\d(?=[ -])", report.diagnostic or "")
    return None if code is None else code[1] == "4"
