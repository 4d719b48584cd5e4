"""SMTP replies: their code, their enhanced code, their words, and the queue id that some of them name.

In: the code and the text of a reply, as the client library gives them. Out: a `model.Reply` that is safe to show,
and the id under which the server took the message. Decides nothing: what a 4xx means for a probe is judged elsewhere.
"""

from __future__ import annotations

import re
from functools import lru_cache

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.mail.tag import hide_tokens
from smtp_probe.model import Reply

_READ_CHARACTERS = 4096
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9])")

_QUEUE_IDS = (
    re.compile(r"\bqueued as ([0-9A-Za-z][0-9A-Za-z-]{4,63})\b"),  # Postfix, amavis
    re.compile(r"\bOK id=([0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4})\b"),  # Exim
    re.compile(r"<[^<>\s]{1,320}> ([0-9A-Za-z+/]{22}(?::[TP]?[0-9]{1,9})*) Saved\b"),  # Dovecot LMTP
    re.compile(
        r"(?:^|[\s:])((?=[A-Za-z]{0,23}[0-9])[0-9A-Za-z]{8,24}):? Message accepted\b"
    ),  # Sendmail, OpenSMTPD
    re.compile(r"\bMessage Queued \(([0-9A-Fa-f-]{36}(?:\.[0-9]{1,6})?)\)", re.IGNORECASE),  # Haraka
    re.compile(r"\bMessage queued with id ([0-9a-f]{8,32})\b", re.IGNORECASE),  # Stalwart
    re.compile(r"\bOK\s+[0-9]{9,11} ([0-9A-Za-z._-]{8,96}) - gsmtp\b"),  # Gmail
    re.compile(r"\bOk ([0-9a-f]{16}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]{6})\b"),  # Amazon SES
    re.compile(r"\[InternalId=([0-9]{1,20}), Hostname="),  # Microsoft Exchange
    re.compile(r"^(?:2\.[0-9]\.[0-9] )?Ok:? ([0-9a-f]{8})$", re.IGNORECASE),  # OpenSMTPD, short form
)
"""The forms that cannot be taken for anything else. An id that is only likely is worse than none: it is compared
with the `id` of the first Received header.
"""


def parse_reply(code: int, text: str | bytes) -> Reply:
    """Read one reply; a reply of several lines has them separated by line ends.

    The enhanced code (RFC 2034 section 4, RFC 3463) counts when the first line begins with it and its class is that
    of `code`; it is then taken off every line that repeats it. A token that the server quotes is not kept.
    """
    if isinstance(text, bytes):
        text = text[:_READ_CHARACTERS].decode("utf-8", "replace")
    return _parse(code, text[:_READ_CHARACTERS])


@lru_cache(maxsize=128)  # most replies of a server are those that it gave the last time
def _parse(code: int, text: str) -> Reply:
    text = hide_tokens(text)
    lines = text.splitlines() or [""]
    match = _ENHANCED.match(lines[0])
    if match is None or int(match.group()[0]) != code // 100:
        return Reply(code=code, text=sanitise(text))
    enhanced = match.group()
    shortened = (line.removeprefix(enhanced) for line in lines)
    return Reply(code=code, enhanced=enhanced, text=sanitise("\n".join(shortened)))


def queue_id_of(reply: str) -> str | None:
    """Give the queue id that the text of a final reply names, or None where its software is not recognised.

    Where a reply quotes the one of a server behind it (amavis), that one's id is the last, and is the one that
    stands in the mail.
    """
    for pattern in _QUEUE_IDS:
        found = pattern.findall(reply[:_READ_CHARACTERS])
        if found:
            return str(found[-1])
    return None
