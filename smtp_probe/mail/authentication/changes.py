"""What became of our own message on its way: which of its fields, and whether its body, are no longer as we sent them.

In: a message as it was handed over, and as it lies in the mailbox. Out: the names of changed fields, and whether the body
changed. Both are compared in the form that relaxed DKIM signatures hash (RFC 6376 section 3.4), in which white space does
not count: a difference here is one that breaks every signature made before it. Pure; linear.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from smtp_probe.mail.syntax.fields import split_fields

_BLANKS = re.compile(rb"[ \t\r\n]+")
_BLANKS_IN_LINE = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class SentMessage:
    """What is kept of a message that was sent: enough to compare with, and no more."""

    fields: tuple[tuple[str, bytes], ...]
    body_hash: bytes


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs."""

    fields: tuple[str, ...] = ()
    """Names of the fields that we wrote and that are changed or gone, in lower case."""
    body: bool | None = None
    """None where the body is not known as a whole."""


def remember(message: bytes) -> SentMessage:
    """Keep what a comparison needs."""
    header, _, body = message.partition(b"\r\n\r\n")
    return SentMessage(tuple(_relax(header)), _hash(body))


def compare(sent: SentMessage, header: bytes, body: bytes | None) -> Changes:
    """Say what is no longer as it was sent. Fields that were added are no change."""
    received: dict[str, list[bytes]] = {}
    for name, value in _relax(header):
        received.setdefault(name, []).append(value)
    changed = [name for name, value in sent.fields if value not in received.get(name, ())]
    return Changes(tuple(dict.fromkeys(changed)), None if body is None else _hash(body) != sent.body_hash)


def _relax(header: bytes) -> list[tuple[str, bytes]]:
    return [(name, _BLANKS.sub(b" ", value).strip()) for name, value in split_fields(header)]


def _hash(body: bytes) -> bytes:
    text = _BLANKS_IN_LINE.sub(b" ", body.replace(b"\r\n", b"\n")).replace(b" \n", b"\n")
    return hashlib.sha256(text.rstrip(b" \n")).digest()
