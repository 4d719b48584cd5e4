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
from smtp_probe.mail.syntax.whitespace import squeeze_blanks

_BLANKS = re.compile(rb"[ \t\r\n]+")
_UNRELAXED = (b"  ", b"\t", b"\r", b"\n")


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
    return SentMessage(tuple((name, _relax(value)) for name, value in split_fields(header)), _hash(body))


def compare(sent: SentMessage, header: bytes, body: bytes | None) -> Changes:
    """Say what is no longer as it was sent. Fields that were added are no change."""
    ours = {name for name, _ in sent.fields}
    received: dict[str, list[bytes]] = {}
    for name, value in split_fields(header):
        if name in ours:
            received.setdefault(name, []).append(_relax(value))
    changed = [name for name, value in sent.fields if value not in received.get(name, ())]
    return Changes(tuple(dict.fromkeys(changed)), None if body is None else _hash(body) != sent.body_hash)


def _relax(value: bytes) -> bytes:
    """The words of an unfolded value with one blank between them. Most values are so: then there is nothing to be done."""
    if any(blanks in value for blanks in _UNRELAXED):
        value = _BLANKS.sub(b" ", value)
    return value.strip()


def _hash(body: bytes) -> bytes:
    """The digest of a body, its line ends and blanks relaxed."""
    text = squeeze_blanks(body.replace(b"\r\n", b"\n")).replace(b" \n", b"\n")
    return hashlib.sha256(text.rstrip(b" \n")).digest()
