"""What was done to our own message on its way: damage, and the changes that gateways and lists make.

In: the header and body of a verified message of ours, and what is known of it as it was sent. Out: the kinds of change,
gravest first. Every message of ours has the same form (see `message`), so most can be told without a copy of it. Linear,
never raises. A body that was not fetched is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from smtp_probe.mail.message import (
    BEGIN_MARK,
    END_MARK,
    OWN_HEADER,
    SUBJECT_WORDS,
    check_body,
    is_as_sent,
)
from smtp_probe.mail.syntax.encoded_words import decode_words
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.syntax.mime_parts import Part, join_texts, parse_content_type, split_parts
from smtp_probe.mail.syntax.whitespace import has_only_crlf
from smtp_probe.model import Alteration

Fields = Sequence[tuple[str, bytes]]

_BLANKS = re.compile(rb"[ \t\r\n]+")
_REQUIRED = ("from", "to", "date", "message-id", OWN_HEADER.lower())
"""What we write into each message, and no host has a reason to take away or to add another of."""
_PLAIN_CHARSETS = frozenset({b"", b"us-ascii"})
_PLAIN_ENCODINGS = frozenset({b"", b"7bit"})


def find_alterations(header: bytes, body: bytes | None, digest: str, token: str) -> tuple[Alteration, ...]:
    """Give what was changed. `digest` is that of the body as it was sent, `token` the proof that the tag carries."""
    fields = split_fields(header)
    found = {*_compare_header(fields, token), *(() if body is None else _compare_body(header, body, digest))}
    return tuple(kind for kind in Alteration if kind in found)


def _compare_header(fields: Fields, token: str) -> Iterator[Alteration]:
    proof = token.encode("ascii")
    names = [name for name, _ in fields]
    values = dict(reversed(fields))
    if any(names.count(name) != 1 for name in _REQUIRED) or proof not in values.get("message-id", b""):
        yield Alteration.HEADER
    subject = _BLANKS.sub(b" ", decode_words(values.get("subject", b""))).strip()
    if subject != b"[smtp-probe " + proof + b"] " + SUBJECT_WORDS:
        yield Alteration.SUBJECT


def _compare_body(header: bytes, body: bytes, digest: str) -> Iterator[Alteration]:
    parts = split_parts(header, body)
    if len(parts) == 1 and parts[0].body is body and is_as_sent(digest, body):
        yield from _compare_encoding(parts)  # as nearly all arrive: what cannot be found is not looked for
        return
    text = join_texts(_leave_out_renderings(parts))
    lines = [line.strip() for line in text.splitlines()]
    begin = lines.index(BEGIN_MARK) if BEGIN_MARK in lines else None
    end = lines.index(END_MARK) if END_MARK in lines else None
    if end is None and (begin is not None or not text.strip()):
        yield Alteration.TRUNCATED
    if check_body(digest, text) is False:
        yield Alteration.BODY
    if begin is not None and end is not None and (any(lines[:begin]) or any(lines[end + 1 :])):
        yield Alteration.FOOTER
    if not has_only_crlf(body):
        yield Alteration.LINE_ENDINGS
    yield from _compare_encoding(parts)


def _leave_out_renderings(parts: Sequence[Part]) -> Iterator[Part]:
    """Give the parts without HTML that some gateway made of our text beside it: it shows the same, and is no footer."""
    is_whole = any(each.media_type == "text/plain" and BEGIN_MARK in each.body for each in parts)
    for each in parts:
        if not (is_whole and each.media_type == "text/html" and BEGIN_MARK in each.body):
            yield each


def _compare_encoding(parts: Sequence[Part]) -> Iterator[Alteration]:
    """By the part that has our text; where none has it, by the first."""
    part = next((each for each in parts if BEGIN_MARK in each.body), parts[0] if parts else None)
    if part is None:
        return
    fields = dict(reversed(split_fields(part.header)))
    charset = parse_content_type(fields.get("content-type", b"")).parameters.get("charset", b"").lower()
    if charset not in _PLAIN_CHARSETS:
        yield Alteration.CHARSET
    if fields.get("content-transfer-encoding", b"").lower() not in _PLAIN_ENCODINGS:
        yield Alteration.TRANSFER_ENCODING
