"""Encoded words in a header value (RFC 2047), undone far enough to find a token in them.

In: a raw header value, bounded by whoever split the header. Out: the same with each encoded word replaced by the
bytes it stands for. Looks at no character set: a token is ASCII in all of those that mail uses. Never raises.
"""

from __future__ import annotations

import binascii
import re

_WORD = re.compile(rb"=\?[A-Za-z0-9*._+-]{1,40}\?([BbQq])\?([^?\s]{0,1000})\?=")
_GAP = re.compile(rb"(\?=)[ \t\r\n]{1,16}(?==\?)")


def decode_words(value: bytes) -> bytes:
    """Replace every encoded word by its bytes; what is not well formed stays as it is. Linear."""
    if b"=?" not in value:
        return value
    return _WORD.sub(_decode_word, _GAP.sub(rb"\1", value))


def _decode_word(match: re.Match[bytes]) -> bytes:
    encoding, payload = match.groups()
    if encoding in b"Qq":
        return binascii.a2b_qp(payload, header=True)
    try:
        return binascii.a2b_base64(payload + b"=" * (-len(payload) % 4))
    except binascii.Error:
        return match.group()
