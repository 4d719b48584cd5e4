"""Reading one Received header (RFC 5321 section 4.4, RFC 5322 sections 3.6.7 and 4.5.7), of any origin.

In: the raw value of the header. Out: a `Hop`. Never raises, takes linear time, and says None for all that the header
does not say. The stamp is the header's date here; the finer times that some ids carry are read elsewhere, from
`Hop.id` and `Hop.relay_ids`.

Flags: those of `tokens` (`truncated`, `not_utf8`, `unsafe_characters`, `unbalanced`, `deep_comment`), those of
`dates`, and `no_date`, `no_semicolon` (SendGrid), `no_by` (qmail), `may_be_forged` (Sendmail's doubt about the
reverse name), `retrieval` (the line of a program that emptied a mailbox: no hop).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from smtp_probe.mail.received.clauses import Clauses, divide
from smtp_probe.mail.received.client import Client, read_client
from smtp_probe.mail.received.dialects import find_event, find_software, find_version, is_retrieval
from smtp_probe.mail.received.session import Session, read_session
from smtp_probe.mail.syntax.dates import DateReading, find_date, parse_date
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.mail.syntax.tokens import (
    Kind,
    Row,
    Token,
    cut_rows,
    mask,
    read_text,
    rows_of,
    tokenize,
)
from smtp_probe.model import Hop

_MAX_NAME_CHARACTERS = 255
"""RFC 1035 section 2.3.4."""
_MAX_PATH_CHARACTERS = 320
"""A local part, an at sign and a domain (RFC 5321 section 4.5.3.1)."""

_PLAIN_END = re.compile(r"[^()\"<>]++(?:\([^()\"<>]*+\) ?)?")
_LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain", "127.0.0.1", "[127.0.0.1]", "[::1]"})
_NAMES_AGREE = frozenset({"exim", "qmail"})
"""Software that leaves out the HELO name where it is the same as the reverse name."""


class _Stamp(NamedTuple):
    """The date of a header, the tokens that are not of the date, and what was odd."""

    reading: DateReading | None
    rows: Sequence[Row]
    flags: tuple[str, ...] = ()


def parse_received(value: bytes) -> Hop:
    """Read the value of a Received or X-Received header."""
    text, flags = read_text(value)
    stamp = _split_plain_date(text) or _find_stamp(text)
    clauses = divide(stamp.rows)
    session = read_session(clauses)
    software = find_software(clauses, session.protocol, stamp.flags)
    client = _read_client(clauses, session, software)
    reading = stamp.reading
    is_stamped = reading is not None and reading.at_ns is not None
    return Hop(
        from_name=_limit(client.name, _MAX_NAME_CHARACTERS),
        from_host=_limit(client.host, _MAX_NAME_CHARACTERS),
        from_ip=client.address,
        by=_limit(clauses.word("by"), _MAX_NAME_CHARACTERS),
        with_=_limit(session.protocol, _MAX_NAME_CHARACTERS),
        id=_limit(_unwrap(clauses.word("id")), _MAX_NAME_CHARACTERS),
        for_=_limit(_unwrap(clauses.word("for")), _MAX_PATH_CHARACTERS),
        tls_version=session.tls_version,
        tls_cipher=session.tls_cipher,
        says_tls=session.says_tls,
        authenticated=session.authenticated,
        at_ns=reading.at_ns if reading else None,
        resolution_seconds=reading.resolution_seconds if reading else None,
        stamp_source="date" if is_stamped else None,
        stamp_event=find_event(software, clauses) if is_stamped else None,
        software=software,
        software_version=find_version(clauses) if software == "exim" else None,
        by_host=_limit(_read_by_host(clauses), _MAX_NAME_CHARACTERS),
        flags=tuple(dict.fromkeys((*flags, *stamp.flags, *_find_oddities(clauses)))),
    )


def _split_plain_date(text: str) -> _Stamp | None:
    """Split off what most headers end in: `; date`, or `; date (zone)`. None for any other end.

    Such an end closes no comment, quote or bracket, and so its semicolon is in none. It saves a third of the tokens.
    """
    head, semicolon, tail = text.rpartition(";")
    if not semicolon or not _PLAIN_END.fullmatch(tail):
        return None
    reading = parse_date(tail)
    if reading.at_ns is None or tail[reading.end :].partition("(")[0].strip():
        return None
    rows = cut_rows(head)
    if rows is not None:
        return _Stamp(reading, rows, reading.flags)
    tokens, odd = tokenize(head)
    return _Stamp(reading, rows_of(tokens), (*odd, *reading.flags))


def _find_stamp(text: str) -> _Stamp:
    """Find the date behind the last semicolon that has something behind it; without a semicolon, the last date.

    Tokens are never inside of comments or quotes, and so neither are the semicolons among them. Courier writes its
    `id` behind the date, others write comments there: both are given back as tokens.
    """
    cut = tokenize(text)
    tokens, odd = cut
    has_text_behind = False
    for place in range(len(tokens) - 1, -1, -1):
        token = tokens[place]
        if token.kind is Kind.SEMICOLON and has_text_behind:
            reading = parse_date(text[token.end :])
            behind = _tokens_from(tokens[place + 1 :], token.end + reading.end) if reading.end else []
            return _Stamp(reading, rows_of([*tokens[:place], *behind]), (*odd, *reading.flags))
        has_text_behind = has_text_behind or token.kind is Kind.WORD
    start = find_date(mask(text, cut, Kind.COMMENT, Kind.QUOTED, Kind.ANGLE, Kind.LITERAL))
    if start is None:
        return _Stamp(None, rows_of(tokens), (*odd, "no_date"))
    reading = parse_date(text[start:])
    before = [token for token in tokens if token.end <= start]
    behind = _tokens_from(tokens, start + reading.end)
    return _Stamp(reading, rows_of([*before, *behind]), (*odd, "no_semicolon", *reading.flags))


def _tokens_from(tokens: Sequence[Token], start: int) -> list[Token]:
    return [token for token in tokens if token.start >= start]


def _read_client(clauses: Clauses, session: Session, software: str | None) -> Client:
    words, protocol = clauses.words.get("from", ()), session.protocol or ""
    comments = clauses.comments_of("from")
    is_exims_user = software == "exim" and "SMTP" not in protocol and not comments
    if protocol.startswith("local") or is_exims_user:
        # The word is the name of a local user then. A host may still be in the comment (Exim's local-esmtp).
        words = ()
    client = read_client(words, comments, names_agree=software in _NAMES_AGREE)
    if protocol.startswith("HTTP") and client.name and "." not in client.name:
        # There is no HELO in HTTP: providers put an account's number in its place.
        return client._replace(name=None)
    return client


def _read_by_host(clauses: Clauses) -> str | None:
    if (clauses.word("by") or "").lower() not in _LOOPBACK_NAMES:
        return None
    for text in clauses.comments_of("by"):
        name, bracket, _ = text.partition(" [")
        if bracket and " " not in name and name.lower() not in _LOOPBACK_NAMES:
            return name.strip(".") or None
    return None


def _find_oddities(clauses: Clauses) -> list[str]:
    flags: list[str] = []
    if clauses.word("by") is None:
        flags.append("no_by")
    if any(keyword == "from" and "(may be forged)" in text for keyword, text in clauses.comments):
        flags.append("may_be_forged")
    if is_retrieval(clauses):
        flags.append("retrieval")
    return flags


def _unwrap(text: str | None) -> str | None:
    """Take the angle brackets off an address or a message id."""
    if text is not None and text.startswith("<") and text.endswith(">"):
        return text[1:-1].strip() or None
    return text


def _limit(text: str | None, limit: int) -> str | None:
    if text is None or (len(text) <= limit and text.isascii()):
        return text
    return sanitise(text, limit) or None
