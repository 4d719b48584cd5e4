"""Why a message came back, as one of a short list of categories, and whether it may get through later.

In: what a bounce says (`report.BounceReport`). Out: one word of `REASONS`: by the enhanced status code where that is
telling (RFC 3463 and the IANA registry of RFC 5248), else by the words of the server, which its administrators see
too; and whether the failure is of the temporary class.
"""

from __future__ import annotations

import re

from smtp_probe.mail.bounce import reason_words
from smtp_probe.mail.bounce.delivery_status import find_status
from smtp_probe.mail.bounce.phrases import fold
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
    "1.7": POLICY,
    "1.8": POLICY,
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
    **{f"7.{detail}": AUTHENTICATION for detail in (*range(20, 27), 29, 509, 515)},
    "7.28": REPUTATION,
}
"""By subject and detail: RFC 3463, RFC 7372 (7.20 to 7.25), 7489 (7.26), 8617 (7.29), and 7.28: a flood of mail.

Microsoft's own: 7.509, DMARC says to refuse; 7.515, a domain that sends much without the authentication that is required.
"""
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
            r"|unauthenticated|sender id|\bptr\b|\brdns\b|reverse (?:dns|host)|cannot find your"
        ),
    ),
    (
        REPUTATION,
        (
            r"black[- ]?list|block[- ]?list|\b(?:rbl|dnsbl|sbl|xbl|pbl)\b|spamhaus|spamcop|barracuda|sorbs|uceprotect|reputation"
            r"|blocked using|banned send|poor|too many (?:complaints|bad)|(?:user|spam) complaints|unexpected volume"
            r"|bad outbound sender|unusual rate|ipcheck\.|tosa@"
        ),
    ),
    (
        POLICY,
        (
            r"sender (?:address )?(?:\S{1,80} )?(?:rejected|denied|blocked|verify failed|verification)|rejected sender"
            r"|will not accept|rate that prevents|limit from .{0,40}exceeded|too many (?:messages|connections|recipients)"
        ),
    ),
    (
        MAILBOX_FULL,
        (
            r"over (?:the |disk )?quota|overquota|quota (?:is )?(?:exceed|violat|full)|exceed(?:s|ed|ing)? .{0,30}quota"
            r"|mail(?:box|folder) (?:is |was )?full|(?:insufficient|not enough) (?:system )?(?:storage|disk)|dis[ck] ?quota"
            r"|full mailbox|out of storage|mailbox .{0,30}(?:exceeds?|exceeded|size limit)|dis[ck] space limit|inbox is full"
            + "".join(f"|{words}" for words in reason_words.MAILBOX_FULL)
        ),
    ),
    (TOO_LARGE, r"too (?:large|big)|size (?:limit|exceed)|exceeds .{0,30}(?:size|limit)|message size"),
    (
        NO_SUCH_USER,
        (
            r"(?:no such|unknown|invalid|non-?existent|bad|deactivated)[ _](?:final delivery )?(?:user|recipient|mailbox|address|account|local"
            r"[- ]part|host|domain)|(?:user|recipient|mailbox|address|account|host)(?: \S{1,80})? (?:is |was |has been )?(?:unknown|not"
            r" (?:found|known|exist|available|recogni)|unavailable|disabled|inactive|deactivated|suspended|terminated|rejected)"
            r"|does(?:n't| not) (?:exist|have an?)|no mail ?box|not listed in|not our customer|recipient name is not|badrcptto"
            r"|not an? (?:active|known|valid) (?:user|address|recipient|mailbox)|address (?:\S{1,80} )?(?:couldn't be|wasn't) found"
            r"|host (?:or domain name )?not found|unrouteable|domain .{0,40}(?:not (?:be )?(?:found|exist)|n't be found)|name or service not known|no mx record"
            r"|did not exactly match|disabled or discontinued|no longer (?:valid|active|on server)"
            r"|account has been (?:closed|deleted|removed)|illegal host"
            + "".join(f"|{words}" for words in reason_words.NO_SUCH_USER)
        ),
    ),
    (
        EXPIRED,
        (
            r"(?:queue|delivery|message) (?:time|lifetime)?.{0,20}(?:expired|too long)|retry time(?:out)? exceeded|giving up"
            r"|timeout exceeded|long failure period|failing for a long time|retry time not reached|too many attempts"
        ),
    ),
    (
        NETWORK,
        (
            r"connection (?:refused|timed out|reset|dropped|failed)|timed out|no route|unreachable|could ?n[o']t (?:connect|establish)"
            r"|wasn't able to establish|did not (?:respond|accept our requests)|too many hops|hop count|loop(?:ing|s back)?|name ?server"
            r"|lost connection|\bdns\b|network error|smtp timeout|timeout after|no route found|not reachable"
        ),
    ),
    (CONTENT, r"spam|virus|malware|banned|attachment|content|phish|prohibited file|infected"),
    (
        POLICY,
        (
            r"policy|denied|not allowed|not permitted|prohibited|refused|rejected|relay|blocked|administrative"
            r"|sending limit|tls is required|rcpthosts"
        ),
    ),
)
_SUPPRESSED = re.compile(
    r"suppress(?:ed|ion)|previously bounced|not delivering to|^(?:bounced|unsubscribed|spam reporting|invalid) address$"
)
"""Words of a sending service that does not even try: the recipient stands on a list of its own, which is a rule of the
sender's side. Whether there is such a mailbox is not known by it, whatever the status code says.
"""
_REJECTED = re.compile(r"\b(?:recipient|sender) address rejected: (?=\S)")
"""With these words Postfix begins every refusal; where it is for now only, they say nothing of whether there is such a mailbox."""
_REPLY_CODE = re.compile(r"(?<![\d.])[45]\d\d(?=[ -])")
_BLAMED = re.compile(r"\b(?:spam|virus|malware)\b")
_PATTERNS = tuple((reason, re.compile(pattern)) for reason, pattern in _BY_WORDS)
_VAGUE = frozenset(
    {"0.0", "3.0", "5.0", "7.0", "7.1", "2.0", "1.0", "4.0", "6.0", "7.7", "1.7", "1.8", "2.1"}
)
"""Codes that servers give when they have no better one: their words say more."""
_MISUSED = frozenset({"5.4.1", "5.4.5"})
"""Codes of the network that large providers give for an unknown recipient, or a sender who wrote too much."""
_TOO_GENERAL = frozenset({POLICY, CONTENT})
"""Reasons whose words stand in the prose of many a bounce: they are believed in a server's reply only."""


def find_reason(report: BounceReport) -> str:
    """Give one of `REASONS`; `other` where neither the status nor the words tell."""
    _, _, detail = (report.status or "").partition(".")
    reply = _read_words(report, report.diagnostic or "")
    if _SUPPRESSED.search(reply):
        return POLICY
    told = _BY_STATUS.get(detail)
    if told is None or detail in _VAGUE or report.status in _MISUSED:
        in_reply = _find_words(reply)
        if in_reply in _TOO_GENERAL and not (_REPLY_CODE.search(reply) or find_status(reply)):
            return _find_in_prose(report) or in_reply or OTHER
        return (
            in_reply or told or _BY_SUBJECT.get(detail.partition(".")[0]) or _find_in_prose(report) or OTHER
        )
    if (report.status or "").startswith("4") and _PATTERNS[0][1].search(reply):
        return GREYLISTED
    return told


def _find_words(text: str) -> str | None:
    return next((reason for reason, pattern in _PATTERNS if pattern.search(text)), None)


def _find_in_prose(report: BounceReport) -> str | None:
    text = _read_words(report, report.words)
    found = (reason for reason, pattern in _PATTERNS if reason not in _TOO_GENERAL and pattern.search(text))
    return next(found, CONTENT if _BLAMED.search(text) else None)


def _read_words(report: BounceReport, text: str) -> str:
    folded = fold(text)
    return _REJECTED.sub("", folded) if (report.status or "").startswith("4") else folded


def is_temporary(report: BounceReport) -> bool | None:
    """Whether the failure is temporary: the same message may get through later (RFC 3463 section 2).

    By the status; without one by the action, since a delayed message is still being tried, and then by the reply code
    in the server's words. None where nothing says it.
    """
    if report.status:
        return report.status.startswith("4")
    if report.action == "delayed":
        return True
    code = _REPLY_CODE.search(report.diagnostic or "")
    return None if code is None else code[0].startswith("4")
