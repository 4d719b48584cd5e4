"""The message of a probe, byte for byte, and whether its body came through unharmed.

In: a signed tag and what the route says. Out: a complete RFC 5322 message in ASCII with CRLF line ends, which no
relay has a reason to touch: lines of at most 78 characters where no address is longer, and a body with no `=`, no
blanks at the ends of lines, no leading dot and no `From ` at the start of a line. It is assembled here and not by a
library, because its exact bytes are what is measured. Sends nothing and reads no clock: the instant is given.

The digest covers the lines between two marks, so that a disclaimer put in front or behind is no corruption. It is
taken over a canonical form (CRLF, no blanks at the ends of lines) that harmless changes in transport leave alone.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

from smtp_probe.mail.addresses import check_one_line, format_author, tag_address
from smtp_probe.mail.syntax.whitespace import has_whole_lines
from smtp_probe.model import Tag

OWN_HEADER = "X-SMTP-Probe"
"""The header that makes a message ours, when the token in it verifies."""
TOKEN_LABEL = "Token: "  # noqa: S105 - the words before the token in the body
"""What stands before the token on its line of the body."""

BEGIN_MARK = b"[begin of smtp-probe test message]"
END_MARK = b"[end of smtp-probe test message]"
SUBJECT_WORDS = b"delivery test"
_DIGEST_FORM = re.compile(r"sha256:[0-9a-f]{16}")
_EXPLANATION = """\
This is a test message. It was sent by smtp-probe, a program that
watches a path of mail: does a message arrive, in which folder, and
how long does it take.

Nobody has to read it or to answer it, and it can be deleted at any time.

Route: {route}
{label}{token}
Who to ask: {contact}

"""
_FILLER = (
    b"The lines from here on give the message the size its route asks for.\r\n"
    b"They carry no information. Messages of all routes have the same lines.\r\n"
    b"A message of this size takes the time that others of its size take.\r\n"
    b"Nothing follows them but the mark at the end.\r\n"
)
"""At most 72 characters a line, so that quoted-printable need not break one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a message is to be built from."""

    tag: Tag
    route: str
    sender: str
    """The envelope sender: bounces go there, and its domain makes the Message-ID."""
    author: str | None = None
    """The From header, `Name <address>` or `address`; None: the envelope sender."""
    recipient: str
    created_ns: int
    """For the Date header: the reference clock."""
    size_bytes: int = 0
    """The message has exactly this size, or the least possible one where that is more."""
    plus_address: bool = False
    wants_answer: bool = False
    """Whether people's auto-responders are to answer, and not to be kept quiet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltMessage:
    """A message ready to be sent, and what its envelope needs. What holds the token is not shown."""

    message: bytes = field(repr=False)
    message_id: str = field(repr=False)
    """With its angle brackets."""
    envid: str = field(repr=False)
    """For MAIL FROM (RFC 3461 section 4.4): has no character that xtext would encode."""
    recipient: str = field(repr=False)
    """For RCPT TO: plus-addressed when that was asked for."""
    body_digest: str


def build_message(draft: Draft) -> BuiltMessage:
    """Write the message of one probe.

    Raises ValueError for control characters in a value (a line break would start another header), for addresses
    that are not ASCII, for an author who would look like a bounce, and for a recipient that cannot take a tag
    when it has to.
    """
    check_one_line(draft.sender, draft.recipient, draft.route)
    local, _, domain = draft.sender.rpartition("@")
    if not (local and domain) or not f"{draft.sender}{draft.recipient}{draft.route}".isascii():
        message = "sender, recipient and route must be ASCII, and the sender an address"
        raise ValueError(message)
    author, contact = format_author(draft.author or draft.sender)
    if contact.lower().startswith("mailer-daemon@"):
        message = f"{contact}: a message from this author would be taken for a bounce"
        raise ValueError(message)
    token = draft.tag.token
    recipient = tag_address(draft.recipient, token) if draft.plus_address else draft.recipient
    message_id = f"<{token}@{domain}>"
    head = _write_head(author, recipient, message_id, draft, token)
    explanation = _explain(draft.route, token, contact)
    body = explanation + _fill(draft.size_bytes - len(_assemble(head, _digest(b""), explanation)))
    return BuiltMessage(
        message=_assemble(head, _digest(body), body),
        message_id=message_id,
        envid=token,
        recipient=recipient,
        body_digest=_digest(body),
    )


def is_as_sent(digest: str, body: bytes) -> bool:
    """Whether a body is, to the byte, one that was sent with this digest: nothing before, behind or between."""
    begin, end = BEGIN_MARK + b"\r\n", END_MARK + b"\r\n"
    if not (body.startswith(begin) and body.endswith(end) and len(body) >= len(begin) + len(end)):
        return False
    inner = body[len(begin) : -len(end)]
    return has_whole_lines(inner) and hmac.compare_digest(_digest(inner), digest)


def check_body(header_digest: str, text: bytes) -> bool | None:
    """Say whether the body is the one that was sent.

    `header_digest` is the `d=` of our header, or better the one the journal kept. None when it cannot be told: a
    mark is missing (the text was cut, or re-encoded on the way), or the digest has not our form. Linear.
    """
    if _DIGEST_FORM.fullmatch(header_digest) is None:
        return None
    lines = [line.rstrip() for line in text.splitlines()]
    try:
        begin = lines.index(BEGIN_MARK)
        end = lines.index(END_MARK, begin)
    except ValueError:
        return None
    body = b"".join(line + b"\r\n" for line in lines[begin + 1 : end])
    return hmac.compare_digest(_digest(body), header_digest)


def _write_head(author: str, recipient: str, message_id: str, draft: Draft, token: str) -> bytes:
    """Write the header up to where the digest of the body has to follow.

    Auto-Submitted and X-Auto-Response-Suppress keep people's auto-responders quiet (RFC 3834 section 5). There is
    no `Precedence: bulk`, since it would change how the message is filtered and queued.
    """
    date = format_datetime(datetime.fromtimestamp(draft.created_ns // 1_000_000_000, UTC))
    quiet = () if draft.wants_answer else ("Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All")
    lines = (
        f"From: {author}",
        f"To: {recipient}",
        f"Subject: [smtp-probe {token}]\r\n {SUBJECT_WORDS.decode()}",
        f"Date: {date}",
        f"Message-ID: {message_id}",
        *quiet,
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
        "Content-Transfer-Encoding: 7bit",
        f"{OWN_HEADER}: v=1; t={token};\r\n d=",
    )
    return "\r\n".join(lines).encode("ascii")


def _assemble(head: bytes, digest: str, body: bytes) -> bytes:
    return b"".join((head, digest.encode("ascii"), b"\r\n\r\n", BEGIN_MARK, b"\r\n", body, END_MARK, b"\r\n"))


def _explain(route: str, token: str, contact: str) -> bytes:
    text = _EXPLANATION.format(route=route, label=TOKEN_LABEL, token=token, contact=contact)
    return text.replace("\n", "\r\n").encode("ascii")


def _fill(size_bytes: int) -> bytes:
    """Give whole lines of `size_bytes` bytes together (of 2 where 1 is asked for: a line end needs two)."""
    if size_bytes <= 0:
        return b""
    text = (_FILLER * (size_bytes // len(_FILLER) + 1))[: max(size_bytes - 2, 0)]
    kept = text.rstrip()
    return kept + b"." * (len(text) - len(kept)) + b"\r\n"


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()[:16]}"
