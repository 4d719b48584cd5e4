"""The bytes and parameters of a mail transaction, as they go over the wire.

In: an envelope and what the server offers. Out: the message ready for DATA, and the parameters of MAIL and RCPT.
Pure: sends nothing and knows no SMTP library.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from smtp_probe.ports import Envelope

_LONGEST_ENVID = 100
"""RFC 3461 section 4.4."""
_LONGEST_ORCPT = 500
"""RFC 3461 section 4.2."""

_NOT_XTEXT = re.compile(rb"[^!-*,-<>-~]")


def normalise_line_ends(message: bytes) -> bytes:
    """End every line with CRLF, the last one too: a bare CR or LF is never sent (RFC 5321 section 2.3.8)."""
    message = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def encode_data(message: bytes) -> bytes:
    """Give a message with CRLF lines as DATA wants it: dots doubled, the final dot added (RFC 5321 section 4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"


def encode_xtext(text: str) -> bytes:
    """Encode as xtext (RFC 3461 section 4): printable ASCII, with `+`, `=` and everything else as `+HH`."""
    return _NOT_XTEXT.sub(lambda match: b"+%02X" % match[0][0], text.encode())


def mail_parameters(envelope: Envelope, message: bytes, offered: Collection[str]) -> list[bytes]:
    """Give the parameters of MAIL for a message with CRLF lines. `offered` are the EHLO keywords, lower case."""
    parameters: list[bytes] = []
    if "size" in offered:
        parameters.append(b"SIZE=%d" % len(message))  # RFC 1870: before the dots are doubled
    if "8bitmime" in offered and not message.isascii():
        parameters.append(b"BODY=8BITMIME")
    if needs_smtputf8(envelope):
        parameters.append(b"SMTPUTF8")
    envid = encode_xtext(envelope.envid)
    if "dsn" in offered and envid and len(envid) <= _LONGEST_ENVID:
        parameters.append(b"ENVID=" + envid)
    return parameters


def rcpt_parameters(envelope: Envelope, offered: Collection[str]) -> list[bytes]:
    """Give the parameters of RCPT: news of failure and delay, and the recipient as it was first written (RFC 3461)."""
    if "dsn" not in offered:
        return []
    parameters = [b"NOTIFY=FAILURE,DELAY"]
    orcpt = b"rfc822;" + encode_xtext(envelope.recipient)
    if envelope.recipient.isascii() and len(orcpt) <= _LONGEST_ORCPT:
        parameters.append(b"ORCPT=" + orcpt)
    return parameters


def needs_smtputf8(envelope: Envelope) -> bool:
    """Whether an address has characters that only SMTPUTF8 (RFC 6531) can carry."""
    return not (envelope.sender.isascii() and envelope.recipient.isascii())
