"""The answer of a recipient that answers by itself: whose message it quotes, who wrote it, and by which way that came.

In: the raw header of a message, and the start of its body. Out: the tokens that it quotes, still unverified; the address
of its author; of what it quotes of a header the part from the first Received line on. Bounces are not told apart here: who
asks has to rule them out (`bounce.report`). Never raises; linear in the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from smtp_probe.mail.recognition import Candidate, find_candidates, is_automatic_answer
from smtp_probe.mail.syntax.encoded_words import decode_words
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.syntax.mime_parts import Part, split_head, split_parts
from smtp_probe.mail.tag import MAXIMUM_TOKENS, find_tokens
from smtp_probe.mail.trace import measure_delays, read_trace
from smtp_probe.model import Trace

MAX_TEXT_BYTES = 262_144
QUOTED = "quoted"
"""The carrier of a token that an answer quotes."""

_STRONG_CARRIERS = frozenset({"header", "message-id"})
_ATTACHED_MESSAGES = frozenset({"message/rfc822", "message/global"})
_ATTACHED_HEADERS = frozenset({"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"})
_QUOTE = rb"(?:[ \t]{0,8}[>|:][ \t]?){0,8}"
_FIRST_RECEIVED = re.compile(rb"(?im)^(" + _QUOTE + rb")Received:")
_MAX_LINES = 1000
_ADDRESS = re.compile(rb"([^\s<>\"@,;:]{1,64}@[A-Za-z0-9.-]{1,253})>?[ \t]*(?:\([^()]{0,200}\))?[ \t]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a message says as an answer to one of ours."""

    candidates: tuple[Candidate, ...] = ()
    author: str = ""
    """Its address in lower case; empty where there is not exactly one."""
    is_original: bool = False
    """Whether it is our own message itself, and no answer to one."""
    headers: tuple[bytes, ...] = field(default=(), repr=False)
    """What it quotes of headers, without the marks of quotation."""

    def quoted_header(self, token: str) -> bytes | None:
        """The quoted header of the message that bears this token; None where it is not quoted."""
        return next((each for each in self.headers if token in find_tokens(each)), None)

    def is_from(self, wanted: Sequence[str]) -> bool:
        """Whether the author is one of these addresses, or of one of these domains or below it."""
        domain = self.author.rpartition("@")[2]
        return bool(domain) and any(
            self.author == each.lower() if "@" in each else f".{domain}".endswith(f".{each.lower()}")
            for each in wanted
        )


def read_answer(header: bytes, text: bytes) -> Answer:
    """Read a message as an answer."""
    own = find_candidates(header)
    fields = split_fields(header)
    parts = split_parts(header, text[:MAX_TEXT_BYTES])
    is_original = not is_automatic_answer(header) and any(each.found_in in _STRONG_CARRIERS for each in own)
    authors = [value for name, value in fields if name == "from"]
    match = _ADDRESS.search(authors[0]) if len(authors) == 1 else None
    return Answer(
        candidates=tuple(Candidate(token, QUOTED) for token in _find_quoted(fields, parts)),
        author="" if match is None else match[1].decode("ascii", "replace").lower(),
        is_original=is_original,
        headers=tuple(_find_headers(parts)),
    )


def join_traces(outbound: bytes | None, header: bytes) -> tuple[Trace, int]:
    """Give the whole way, there and back, and how many of its hops are of the way there."""
    back = read_trace(header)
    if outbound is None:
        return back, 0
    there = read_trace(outbound)
    hops = (*there.hops, *back.hops)
    flags = tuple(flag for flag in back.flags if flag != "no_received" or not hops)
    return replace(back, hops=hops, delays=tuple(measure_delays(hops)), flags=flags), len(there.hops)


def _find_quoted(fields: Sequence[tuple[str, bytes]], parts: Sequence[Part]) -> list[str]:
    """Tokens, in the order of how well they tie an answer to its question."""
    found: dict[str, None] = {}
    for wanted in ("in-reply-to", "references", "subject", "x-smtp-probe"):
        for name, value in fields:
            if name == wanted:
                found.update(dict.fromkeys(find_tokens(decode_words(value) if name == "subject" else value)))
    for part in parts:
        if part.media_type.startswith("text/") or part.media_type in _ATTACHED_MESSAGES | _ATTACHED_HEADERS:
            found.update(dict.fromkeys(find_tokens(part.body)))
    return list(found)[:MAXIMUM_TOKENS]


def _find_headers(parts: Sequence[Part]) -> Iterator[bytes]:
    for part in parts:
        if part.media_type in _ATTACHED_MESSAGES:
            yield split_head(part.body)[0]
        elif part.media_type in _ATTACHED_HEADERS:
            yield part.body
        elif part.media_type == "text/plain":
            match = _FIRST_RECEIVED.search(part.body)
            if match is not None:
                yield b"\r\n".join(_unquote(part.body[match.start() :], match[1]))


def _unquote(text: bytes, before: bytes) -> Iterator[bytes]:
    """The lines of one quotation up to its first empty line; `before` is what stands before the first of them."""
    mark, is_spaced = before.strip(), before.endswith((b" ", b"\t"))
    for raw in text.split(b"\n", _MAX_LINES)[:_MAX_LINES]:
        line = raw.rstrip(b"\r")
        if mark:
            stripped = line.lstrip(b" \t")
            if not stripped.startswith(mark):
                return
            line = stripped[len(mark) :]
            line = line[1:] if is_spaced and line.startswith((b" ", b"\t")) else line
        if not line.strip():
            return
        yield line
