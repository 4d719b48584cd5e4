"""The messages of the rejection drill, byte for byte: plain ones, and the test strings of filters.

In: addresses, an instant. Out: whole messages in ASCII with CRLF line ends. GTUBE and EICAR are harmless by design: they are
made for tests, and every filter knows them. Here they stand in pieces, so that no scanner takes this file for what it tests.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email.utils import format_datetime

from smtp_probe.mail.addresses import check_one_line

_GTUBE = ("XJS*C4JDBQADN1.NSBN3*2IDNEN*", "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL", "*C.34X")
_EICAR = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE", "!$H+H*")
_BOUNDARY = "smtp-probe-drill-boundary"
_WORDS = (
    "This is a drill of smtp-probe, a program that watches a path of mail.\r\n"
    "It tries whether a server refuses what it should, here: {what}.\r\n"
    "If you can read this, the server did not. It can be deleted.\r\n"
)


def plain_message(author: str, recipient: str, what: str, now_ns: int) -> bytes:
    """A message that says what it is for. Raises ValueError for control characters in an address."""
    return _compose(
        author, recipient, now_ns, "Content-Type: text/plain; charset=us-ascii", _WORDS.format(what=what)
    )


def gtube_message(author: str, recipient: str, now_ns: int) -> bytes:
    """The Generic Test for Unsolicited Bulk Email."""
    words = _WORDS.format(what="the test message of spam filters")
    return _compose(
        author,
        recipient,
        now_ns,
        "Content-Type: text/plain; charset=us-ascii",
        f"{words}\r\n{''.join(_GTUBE)}\r\n",
    )


def eicar_message(author: str, recipient: str, now_ns: int) -> bytes:
    """The test file of virus scanners, attached."""
    encoded = base64.b64encode("".join(_EICAR).encode("ascii")).decode("ascii")
    body = (
        f"--{_BOUNDARY}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        f"{_WORDS.format(what='the test file of virus scanners')}"
        f'--{_BOUNDARY}\r\nContent-Type: application/octet-stream; name="eicar.com"\r\n'
        'Content-Disposition: attachment; filename="eicar.com"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        f"{encoded}\r\n--{_BOUNDARY}--\r\n"
    )
    return _compose(author, recipient, now_ns, f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"', body)


def pad(message: bytes, size_bytes: int) -> bytes:
    """The message with lines that say nothing behind it, so that it has that size at least."""
    line = b"." * 70 + b"\r\n"
    missing = max(0, size_bytes - len(message))
    return message + line * -(-missing // len(line))


def _compose(author: str, recipient: str, now_ns: int, content_type: str, body: str) -> bytes:
    check_one_line(author, recipient)
    domain = author.rpartition("@")[2]
    lines = (
        f"From: {author}",
        f"To: {recipient}",
        "Subject: smtp-probe drill: this should have been refused",
        f"Date: {format_datetime(datetime.fromtimestamp(now_ns // 1_000_000_000, UTC))}",
        f"Message-ID: <drill.{now_ns}@{domain}>",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "MIME-Version: 1.0",
        content_type,
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("ascii")
