"""Whether a message is one of ours, and whether it is only an answer to one.

In: the raw header of a message, and the start of its body where that was asked for. Out: the tokens that it carries,
best carrier first, still unverified; and whether a machine or a person wrote it in answer. An answer may quote all that
we wrote, so it is never a delivery. Our own header at the top of a message that is no answer makes it ours, also
when a gateway has replaced the Message-ID. Verifies nothing: see `tag.verify`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from smtp_probe.mail.addresses import find_address_tokens
from smtp_probe.mail.message import OWN_HEADER, TOKEN_LABEL
from smtp_probe.mail.syntax.dates import parse_date
from smtp_probe.mail.syntax.encoded_words import decode_words
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.syntax.mime_parts import parse_content_type, read_texts
from smtp_probe.mail.syntax.tokens import read_text
from smtp_probe.mail.tag import MAXIMUM_TOKENS, find_tokens

_NS = 1_000_000_000
MAX_TEXT_BYTES = 262_144

Fields = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token that nobody has verified yet, and its carrier: `header`, `message-id`, `subject`, `address`, `body`."""

    token: str = field(repr=False)
    found_in: str


_CARRIERS: tuple[tuple[str, frozenset[str], Callable[[bytes], tuple[str, ...]]], ...] = (
    ("header", frozenset({OWN_HEADER.lower()}), find_tokens),
    ("message-id", frozenset({"message-id"}), find_tokens),
    ("subject", frozenset({"subject"}), lambda value: find_tokens(decode_words(value))),
    (
        "address",
        frozenset({"to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to"}),
        find_address_tokens,
    ),
)
"""Where a token is looked for, best first. References and In-Reply-To are no carriers: only answers have them."""

_TOKEN_LINE = re.compile(
    rb"(?mi)^[ \t]{0,16}" + TOKEN_LABEL.strip().encode() + rb"[ \t]{0,4}(spt1-\S{48,64})"
)
"""The line of our own body; a quotation has a mark in front of it."""
_BEFORE_OUR_SUBJECT = re.compile(r"(?i)\s*([^\W\d_][^\[\]:\uff1a]{0,40})[:\uff1a]\s*\[smtp-probe ")
_BY_FILTERS = re.compile(
    r"(?i)spam|junk|bulk|phish|suspect|suspicious|virus|caution|warning|achtung|\bext(?:ern|ernal|erne|erno)?\b"
)
"""What gateways put in front of a subject; every other word with a colon is that of an answer, in whatever language."""
_DIGEST = re.compile(rb"(?:^|;)[ \t]*+d=(sha256:[0-9a-f]{16})(?![0-9a-f])")


def find_candidates(header: bytes, text: bytes | None = None) -> tuple[Candidate, ...]:
    """Give the different tokens of a message, each with its best carrier, at most `tag.MAXIMUM_TOKENS`."""
    fields = split_fields(header)
    found: dict[str, str] = {}
    for carrier, names, find in _CARRIERS:
        for name, value in fields:
            if name in names:
                for token in find(value):
                    found.setdefault(token, carrier)
    for line in _TOKEN_LINE.findall(read_texts(header, (text or b"")[:MAX_TEXT_BYTES])):
        for token in find_tokens(line):
            found.setdefault(token, "body")
    return tuple(Candidate(*pair) for pair in list(found.items())[:MAXIMUM_TOKENS])


def is_own_by_content(header: bytes, text: bytes, created_ns: int | None = None) -> bool:
    """Say whether a message that has lost our marks is what we wrote: with our text, not quoted, and no answer's subject.

    Where a gateway has put another text in the place of ours, our date shows it (`created_ns`, where the probe is known): an
    answer has a date of its own, or says to what it answers.
    """
    fields = split_fields(header)
    has_text = _TOKEN_LINE.search(read_texts(header, text[:MAX_TEXT_BYTES])) is not None
    if not has_text and not (created_ns is not None and _has_date(fields, created_ns)):
        return False
    subjects = (decode_words(value[:998]) for name, value in fields if name == "subject")
    found = (_BEFORE_OUR_SUBJECT.match(subject.decode("utf-8", "replace")) for subject in subjects)
    return all(match is None or _BY_FILTERS.search(match[1]) is not None for match in found)


def _has_date(fields: Fields, created_ns: int) -> bool:
    if any(name in ("in-reply-to", "references") for name, _ in fields):
        return False
    dates = [parse_date(read_text(value[:998])[0]).at_ns for name, value in fields if name == "date"]
    return dates == [created_ns // _NS * _NS]


def find_digest(header: bytes) -> str | None:
    """Give the body's digest as our own header has it, in the form that `message.check_body` takes, or None."""
    for name, value in split_fields(header):
        match = _DIGEST.search(value) if name == OWN_HEADER.lower() else None
        if match:
            return match[1].decode("ascii")
    return None


def is_automatic_answer(header: bytes) -> bool:
    """Say whether a message is a bounce, a receipt, an auto-reply or any other answer: never a delivery.

    Our own `Auto-Submitted: auto-generated` is no sign of that, and neither is a Message-ID that is not ours.
    """
    fields = split_fields(header)
    return (
        any(name in _SIGNS and _SIGNS[name](value) for name, value in fields)
        or _has_null_return_path(fields)
        or _answers_one_of_ours(fields)
    )


def _is_answering_submission(value: bytes) -> bool:
    """RFC 3834 section 5: any keyword but these two, also one that is not known, marks an answer."""
    keyword = re.search(rb"[A-Za-z-]+", re.sub(rb"\([^()]*+\)", b"", value))
    return keyword is not None and keyword.group().lower() not in {b"no", b"auto-generated"}


def _is_report(value: bytes) -> bool:
    """Delivery status (RFC 3464), disposition (RFC 8098) and feedback reports (RFC 5965), all RFC 6522."""
    kind = parse_content_type(value)
    reports = {"multipart/report", "message/delivery-status", "message/disposition-notification"}
    return kind.media_type in reports or "report-type" in kind.parameters


def _is_set(value: bytes) -> bool:
    return value.lower() not in {b"no", b"false", b"none", b"0"}


_MAILER_DAEMON = re.compile(rb"(?i)(?<![\w.+-])mailer-daemon(?:@|[ \t]*(?:\(|$))")
_ANSWERING_SUBJECT = re.compile(
    r"""(?ix) \s*+ (?: re | aw | antw(?:ort)? | sv | vs | res | rif | r | odp | ynt | 回复 | 答复
      | fwd? | wg | tr | rv | enc | vb | i | doorst | 转发
      | auto | auto(?:matic)?[ -]?(?:reply|response) | automatische[ ]antwort | réponse[ ]automatique
      | respuesta[ ]automática | risposta[ ]automatica | out[ ]of[ ](?:the[ ])?office | abwesenheitsnotiz
      | undeliver(?:able|ed) | unzustellbar | (?:not[ ])?read | (?:un)?gelesen
    ) \s* (?: [\[(] \d{1,4} [\])] )? \s* [:\uff1a]"""
)

_SIGNS: dict[str, Callable[[bytes], bool]] = {
    "auto-submitted": _is_answering_submission,
    "content-type": _is_report,
    "from": lambda value: _MAILER_DAEMON.search(value) is not None,
    "precedence": lambda value: value.lower() in {b"auto_reply", b"auto-reply"},
    "subject": lambda value: (
        _ANSWERING_SUBJECT.match(decode_words(value[:998]).decode("utf-8", "replace")) is not None
    ),
    "x-autogenerated": _is_set,
    "x-autoreply": _is_set,
    "x-autoreply-from": _is_set,
    "x-autorespond": _is_set,
    "x-autoresponder": _is_set,
    "x-mail-autoreply": _is_set,
    "x-failed-recipients": _is_set,
    "x-list-administrivia": _is_set,
    "x-ms-exchange-message-is-ndr": _is_set,
}
"""What gives an answer away, by header. Each is told by its value alone."""


def _has_null_return_path(fields: Fields) -> bool:
    """The topmost Return-Path is the one of the final delivery (RFC 5321 section 4.4); answers have none."""
    return next((value for name, value in fields if name == "return-path"), b"").replace(b" ", b"") == b"<>"


def _answers_one_of_ours(fields: Fields) -> bool:
    """Whether it refers to a message of ours that it is not itself (RFC 5322 section 3.6.4)."""
    named: set[str] = set()
    own: set[str] = set()
    for name, value in fields:
        if name in {"in-reply-to", "references"}:
            named.update(find_tokens(value))
        elif name == "message-id":
            own.update(find_tokens(value))
    return bool(named - own)
