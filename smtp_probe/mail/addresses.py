"""Mail addresses, as carriers of a tag and as the author of a message.

In: addresses as the configuration spells them, or address headers of a message. Out: the address with a tag in its
local part (`user+TAG@domain`), the tags found in such addresses, and a From header value that is pure ASCII. Does
not parse address lists in general (RFC 5322 section 3.4): nothing here needs more than the one address.
"""

from __future__ import annotations

import base64
import re

from smtp_probe.mail.tag import MAXIMUM_TOKENS, TOKEN_PREFIX, peek

_LOCAL_PART_BYTES = 64
"""RFC 5321 section 4.5.3.1.1."""
_TAGGED = re.compile(rb"(?i)\+([a-z2-7]{48})@")
_TAGGED_LOCAL_PART = re.compile(r"(?i)\+[a-z2-7]{48}(?=@)")
_NAME_AND_ADDRESS = re.compile(r"(?s)\s*(.*?)\s*<([^<>\s]+@[^<>\s]+)>\s*")
_BARE_ADDRESS = re.compile(r"\s*([^<>\s\"(),;:]+@[^<>\s\"(),;:]+)\s*")
_PLAIN_WORDS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_QUOTED_WORDS = re.compile(r'"(?:[^"\\]|\\.)*"')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ENCODED_WORD_BYTES = 45
"""Bytes of text in one encoded word: 60 characters of base64, which with its frame stay under 75 (RFC 2047)."""


def tag_address(recipient: str, token: str) -> str:
    """Give `user+TAG@domain`. The tag goes without its prefix, for the 64 bytes of a local part are few.

    Raises ValueError when the local part would become too long, or is quoted.
    """
    local, _, domain = recipient.rpartition("@")
    tagged = f"{local}+{token.removeprefix(TOKEN_PREFIX)}"
    if len(tagged) > _LOCAL_PART_BYTES or '"' in local or not local:
        room = _LOCAL_PART_BYTES - len(tagged) + len(local)
        message = f"{recipient}: a tag needs an unquoted local part of 1 to {room} characters"
        raise ValueError(message)
    return f"{tagged}@{domain}"


def strip_tag(address: str) -> str:
    """Give an address, or a text with addresses, without tags of ours in their local parts."""
    return _TAGGED_LOCAL_PART.sub("", address)


def find_address_tokens(value: bytes, limit: int = MAXIMUM_TOKENS) -> tuple[str, ...]:
    """Give the tokens that stand in `+TAG@` form, with their prefix, in order. Linear."""
    found: dict[str, None] = {}
    for match in _TAGGED.finditer(value):
        if len(found) >= limit:
            break
        token = TOKEN_PREFIX + match.group(1).decode("ascii").lower()
        if peek(token) is not None:
            found[token] = None
    return tuple(found)


def format_author(author: str) -> tuple[str, str]:
    """Split `Name <address>` or `address`; give the value of a From header (ASCII, folded) and the bare address.

    A name that needs it is quoted (RFC 5322 section 3.2.4) or put into encoded words (RFC 2047). Raises ValueError
    for line breaks, for an address that is not ASCII, and for what is no author at all.
    """
    check_one_line(author)
    match = _NAME_AND_ADDRESS.fullmatch(author)
    name, address = (match[1], match[2]) if match else ("", author.strip())
    if not address.isascii() or not (match or _BARE_ADDRESS.fullmatch(author)):
        message = f"{author!r} is not an address, nor a name with an ASCII address in angle brackets"
        raise ValueError(message)
    if not name:
        return (f"<{address}>" if match else address), address
    return f"{_format_name(name)} <{address}>", address


def check_one_line(*values: str) -> None:
    """Raise ValueError when a value has a control character: it would start a header of its own."""
    for value in values:
        if _CONTROL.search(value):
            message = f"{value!r} contains a control character"
            raise ValueError(message)


def _format_name(name: str) -> str:
    if not name.isascii():
        unquoted = name[1:-1].replace("\\", "") if _QUOTED_WORDS.fullmatch(name) else name
        return _encode_words(unquoted)
    if _PLAIN_WORDS.fullmatch(name) or _QUOTED_WORDS.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _encode_words(text: str) -> str:
    """Encode as base64 words, one a line; no character is split between two (RFC 2047 section 5)."""
    chunks = [b""]
    for character in text:
        encoded = character.encode("utf-8", "replace")
        if len(chunks[-1]) + len(encoded) > _ENCODED_WORD_BYTES:
            chunks.append(b"")
        chunks[-1] += encoded
    return "\r\n ".join(f"=?utf-8?B?{base64.b64encode(chunk).decode('ascii')}?=" for chunk in chunks)
