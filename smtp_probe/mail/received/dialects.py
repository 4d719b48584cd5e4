"""Telling which software wrote a Received header, and what its stamp means.

In: the clauses of a header. Out: the software's name where the header says it unmistakably, the event at which that
software reads the clock, and whether the line is no hop at all, but a mailbox being emptied. The host a header names
is a hint only where it belongs to a provider that runs software of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from smtp_probe.mail.hostnames import find_provider
from smtp_probe.mail.received.clauses import Clauses

# What a comment begins with. The order matters only where one comment could be two things.
_SOFTWARE = re.compile(
    r"""
    (?P<postfix> Postfix\b )
    | (?P<exim> Exim\b )
    | (?P<qmail> qmail\ (?:\d+\ )?invoked | (?:rfx-|net)?qmail(?:-ldap)?\b(?!-scanner))
    | (?P<qpsmtpd> qpsmtpd/ )
    | (?P<opensmtpd> OpenSMTPD\b )
    | (?P<dovecot> Dovecot\b )
    | (?P<cyrus> Cyrus\ v?\d )
    | (?P<courier> courier[ -]\d )
    | (?P<communigate> CommuniGate\ Pro\b )
    | (?P<kerio> Kerio\ (?:Connect|MailServer)\b )
    | (?P<haraka> Haraka\b )
    | (?P<stalwart> Stalwart\ SMTP\b )
    | (?P<maddy> maddy\b )
    | (?P<halon> Halon\b )
    | (?P<powermta> PowerMTA\b )
    | (?P<mailenable> MailEnable\b )
    | (?P<hmailserver> hMailServer\b )
    | (?P<mdaemon> MDaemon\b )
    | (?P<domino> Lotus\ Domino\b | HCL\ Domino\b )
    | (?P<oracle> (?:Oracle\ Communications|Sun\ Java\(tm\)\ System)\ Messaging )
    | (?P<nemesis> Nemesis\b )
    | (?P<amavis> amavis(?:d|d-new)?, )
    | (?P<barracuda> Spam\ (?:&\ Virus\ )?Firewall | Barracuda\b )
    | (?P<sendgrid> SG$ )
    | (?P<ses> SimpleEmailService-[0-9A-Za-z] )
    | (?P<yahoo> [\w.]+(?:\ [\w.]+)?\ Hermes\ SMTP\ Server )
    | (?P<sendmail> (?:[A-Za-z]+-)?8\.\d+[^ /]*/(?:\d|Submit|$) )
    | (?P<mailman> Mailman\b )
    """,
    re.VERBOSE,
)
_BY_PROVIDER = {
    "google.com": "gmail",
    "outlook.com": "exchange",
    "amazonses.com": "ses",
    "sendgrid.net": "sendgrid",
    "mailgun.org": "mailgun",
    "zoho.com": "zoho",
    "yahoo.com": "yahoo",
    "mimecast.com": "mimecast",
    "pphosted.com": "proofpoint",
    "barracudanetworks.com": "barracuda",
}
"""Providers that receive mail with software of their own, where the header names no other."""

_BY_PROTOCOL = {"microsoft": "exchange", "mapi": "exchange", "mailenable": "mailenable"}
"""By the first word behind `with`, in lower case: `Microsoft SMTP Server`, `MailEnable ESMTP`."""

_EVENTS = {
    "postfix": "mail",
    "dovecot": "mail",
    "cyrus": "data",
    "opensmtpd": "data",
    "haraka": "data",
    "maddy": "data",
    "exim": "end_of_data",
    "stalwart": "end_of_data",
}
"""When the software reads its clock for the date, as its source has it. Others are not known."""

_FOREIGN_CLAUSES = frozenset({"from", "for", "envelope-from"})
"""Comments in these tell names that strangers have chosen."""

_VERSION = re.compile(r"Exim (\d{1,3}\.\d{1,3}(?:[._]\d{1,3}){0,2})(?![\d.])", re.ASCII)
"""Exim's ids are read by its version. No other software's version matters here."""
_DOVECOT_ID = re.compile(r"[A-Za-z0-9+/]{22}(?::T?\d+)?")
_COURIER_ID = re.compile(r"[0-9A-F]{8,16}\.[0-9A-F]{8,16}\.[0-9A-F]{8}")
_MADDY_ID = re.compile(r"[0-9a-f]{8}")
_FETCHERS = re.compile(r"fetchmail-|getmail|retchmail|mbox |with Cubic Circle's cucipop", re.IGNORECASE)
_RETRIEVAL = re.compile(
    r"(?:A|K|R)?POP[23]?(?:-?SSL|S)?|IMAP[24]?(?:rev1)?(?:-?SSL|S)?|SDPS|getmail\d?", re.IGNORECASE
)


def find_software(clauses: Clauses, protocol: str | None, date_flags: Collection[str]) -> str | None:
    """Name the software that wrote the header. None where the header leaves a doubt."""
    for keyword, text in clauses.comments:
        if keyword not in _FOREIGN_CLAUSES and (name := _read_comment(text)[0]) is not None:
            return name
    provider = find_provider((clauses.word("by") or "").lower())
    return (
        _BY_PROVIDER.get(provider or "")
        or _BY_PROTOCOL.get((clauses.word("with") or "").lower())
        or _find_by_id(clauses, protocol or "")
        or _find_qmail(clauses, protocol or "", date_flags)
    )


def find_version(clauses: Clauses) -> str | None:
    """Give the version of an Exim, where the header tells it."""
    for keyword, text in clauses.comments:
        if keyword not in _FOREIGN_CLAUSES and (match := _VERSION.match(text)) is not None:
            return match[1]
    return None


def find_event(software: str | None, clauses: Clauses) -> str | None:
    """Name the moment that the stamp is of: `mail`, `data` or `end_of_data`. None where it is not known."""
    if software == "postfix" and clauses.word("from") is None and clauses.word("with") is None:
        # Picked up from the maildrop directory: there was no MAIL command.
        return None
    return _EVENTS.get(software or "")


def is_retrieval(clauses: Clauses) -> bool:
    """Whether the line was written by a program that fetched the message from a mailbox: no mail system took it."""
    if _RETRIEVAL.fullmatch(clauses.word("with") or ""):
        return True
    return any(
        _read_comment(text)[1] for keyword, text in clauses.comments if keyword not in _FOREIGN_CLAUSES
    )


@lru_cache(maxsize=256)  # the lines of one way bear the same comments, message after message
def _read_comment(text: str) -> tuple[str | None, bool]:
    """Give the software that a comment names, and whether it is one that fetches from mailboxes."""
    match = _SOFTWARE.match(text)
    return (match.lastgroup if match else None), _FETCHERS.match(text) is not None


def _find_by_id(clauses: Clauses, protocol: str) -> str | None:
    """Know three programs that do not name themselves by the form of their ids, with another sign beside each."""
    written = clauses.word("id") or ""
    if protocol.startswith("LMTP") and _DOVECOT_ID.fullmatch(written):
        return "dovecot"
    if _COURIER_ID.fullmatch(written):
        return "courier"
    by_comments = clauses.comments_of("by")
    if _MADDY_ID.fullmatch(written) and any(text.startswith("envelope-sender <") for text in by_comments):
        return "maddy"
    return None


def _find_qmail(clauses: Clauses, protocol: str, date_flags: Collection[str]) -> str | None:
    """Know qmail-smtpd, which does not name itself, by what it leaves out, and by its zone, which is always -0000."""
    if "minus_zero_zone" not in date_flags or not ("SMTP" in protocol or protocol == "QMQP"):
        return None
    is_bare = not clauses.words.keys() & {"id", "tls", "via"} and not clauses.comments_of("by")
    return "qmail" if is_bare and clauses.comments_of("from") else None
