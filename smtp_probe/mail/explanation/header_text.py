"""A header value for people: what Subject, From and To say, in characters that can be shown.

In: the raw value of a header, from a stranger. Out: one bounded line: encoded words (RFC 2047) undone in their own
character sets, nothing invisible, and no token that would prove a probe. Takes no address apart. Never raises.
"""

from __future__ import annotations

import binascii
import re

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.mail.tag import hide_tokens

_READ_BYTES = 8192
_WORD = re.compile(
    r"=\?([A-Za-z0-9][A-Za-z0-9._:+-]{0,39})(?:\*[A-Za-z0-9-]{1,20})?\?([BbQq])\?([^?\s]{0,1000})\?="
)
_GAP = re.compile(r"(\?=)\s{1,16}(?==\?)")
_NO_CHARSETS = ("punycode", "idna", "unicode_", "raw_", "undefined")
"""Codecs of Python's own that no mail names: some are slow, the others are for source text."""


def show_header(value: bytes, limit: int = 200) -> str:
    """Give a value as one visible line of at most `limit` characters."""
    text = value[:_READ_BYTES].decode("utf-8", "replace")
    if "=?" in text:
        text = _WORD.sub(_read_word, _GAP.sub(r"\1", text))
    return sanitise(hide_tokens(text), limit)


def _read_word(match: re.Match[str]) -> str:
    """Give what an encoded word stands for; one that cannot be read stays as it is."""
    charset, encoding, payload = match.groups()
    if charset.lower().startswith(_NO_CHARSETS):
        return match[0]
    try:
        return _unpack(encoding, payload.encode("utf-8")).decode(charset, "replace")
    except (LookupError, ValueError):
        return match[0]


def _unpack(encoding: str, payload: bytes) -> bytes:
    if encoding in "Qq":
        return binascii.a2b_qp(payload, header=True)
    return binascii.a2b_base64(payload + b"=" * (-len(payload) % 4))
