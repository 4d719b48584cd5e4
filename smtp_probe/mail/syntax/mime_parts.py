"""The parts of a MIME message (RFC 2045, 2046), found without recursion.

In: the raw header and body of a message from a stranger. Out: its parts, flat and in order, with their transfer
encoding undone. Multiparts are opened to a small depth; an attached message is one part and is not opened. The
standard library's parser is not used here, since it recurses once for each level of nesting. Never raises, linear.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from typing import NamedTuple

from smtp_probe.mail.syntax.fields import split_fields

MAX_PARTS = 64
MAX_DEPTH = 4
"""Multiparts nested deeper are given as one part, unopened: each level is one more pass over the bytes."""

_MEDIA_TYPE = re.compile(rb"[ \t]*+([A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127})")
_PARAMETER = re.compile(
    rb';[ \t]*+([A-Za-z0-9*_.-]{1,64})[ \t]*+=[ \t]*+(?:"((?:[^"\\]|\\.){0,998})"|([^\s;"()]{1,998}+))'
)
_END_OF_HEADER = re.compile(rb"(?:\A|\r?\n)\r?\n")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


class ContentType(NamedTuple):
    """A Content-Type value: the media type in lower case, and its parameters under their lower-case names."""

    media_type: str
    parameters: dict[str, bytes]


class Part(NamedTuple):
    """One part: its media type in lower case, its raw header, and its body without transfer encoding."""

    media_type: str
    header: bytes
    body: bytes


def parse_content_type(value: bytes) -> ContentType:
    """Read a Content-Type value; what is no media type is text/plain, the default (RFC 2045 section 5.2)."""
    match = _MEDIA_TYPE.match(value)
    media_type = match[1].decode("ascii").lower() if match else "text/plain"
    parameters: dict[str, bytes] = {}
    for name, quoted, plain in _PARAMETER.findall(value):
        parameters.setdefault(name.decode("ascii").lower(), re.sub(rb"\\(.)", rb"\1", quoted) or plain)
    return ContentType(media_type, parameters)


def split_parts(header: bytes, text: bytes) -> tuple[Part, ...]:
    """Give the leaves of a message, at most `MAX_PARTS`; a message that is no multipart is its own one part."""
    parts: list[Part] = []
    waiting = [(header, text, 0)]
    while waiting and len(parts) < MAX_PARTS:
        head, body, depth = waiting.pop()
        fields = dict(reversed(split_fields(head)))
        kind = parse_content_type(fields.get("content-type", b""))
        boundary = kind.parameters.get("boundary", b"").rstrip()
        if kind.media_type.startswith("multipart/") and boundary and depth < MAX_DEPTH:
            pieces = _split_at(boundary, body)
            waiting += [(*split_head(piece), depth + 1) for piece in reversed(pieces)]
        else:
            encoding = fields.get("content-transfer-encoding", b"").lower()
            parts.append(Part(kind.media_type, head, _decode(encoding, body)))
    return tuple(parts)


def split_head(raw: bytes) -> tuple[bytes, bytes]:
    """Divide an entity at its first empty line into header and body."""
    match = _END_OF_HEADER.search(raw)
    return (raw[: match.start()], raw[match.end() :]) if match else (raw, b"")


def read_texts(header: bytes, text: bytes) -> bytes:
    """Give all that is text in a message, decoded, one part after the other; attached messages are no text of it."""
    return join_texts(split_parts(header, text))


def join_texts(parts: Iterable[Part]) -> bytes:
    """Give what is text in these parts."""
    return b"\n".join(part.body for part in parts if part.media_type.startswith("text/"))


def _split_at(boundary: bytes, body: bytes) -> list[bytes]:
    """Cut a multipart's body (RFC 2046 section 5.1.1). A last part without its closing line is cut at the end."""
    delimiter = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*+\r?$", re.MULTILINE)
    pieces: list[bytes] = []
    start = None
    for match in delimiter.finditer(body):
        if start is not None:
            pieces.append(body[start : match.start()])
        start = None if match[1] else match.end() + 1
        if match[1] or len(pieces) == MAX_PARTS:
            break
    if start is not None and len(pieces) < MAX_PARTS:
        pieces.append(body[start:])
    return pieces


def _decode(encoding: bytes, body: bytes) -> bytes:
    """Undo a transfer encoding; a base64 that was cut gives what is whole of it."""
    if encoding == b"quoted-printable":
        return binascii.a2b_qp(body)
    if encoding == b"base64":
        digits = _NOT_BASE64.sub(b"", body)
        whole = digits[: len(digits) // 4 * 4]
        rest = digits[len(whole) :]
        return binascii.a2b_base64(whole + (rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""))
    return body
