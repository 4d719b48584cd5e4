"""Reading bounces that are written for people only: whether it is one, whom it is about, and what it says.

In: the fields of a header, and the texts of a message. Out: what the prose says, or None for what is no bounce. It is one
where a mail server wrote it (`authorship`) and its text, before the returned message begins, says that something was not
delivered, or is built as a bounce is (`structure`); or where another program did, both subject and text say so, and it is
built so. What a person wrote is none, whatever it quotes.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtp_probe.mail.bounce.authorship import (
    ADDRESS,
    ANY_ADDRESS,
    collect_addresses,
    decode_value,
    has_no_path,
    is_by_a_daemon,
    is_by_a_person,
    is_by_a_program,
    is_by_a_server,
    is_by_its_author,
)
from smtp_probe.mail.bounce.delivery_status import DeliveryStatus, parse_delivery_status
from smtp_probe.mail.bounce.diagnostic import find_diagnostic, find_first_line
from smtp_probe.mail.bounce.phrases import (
    ANSWER,
    AWAY,
    CAUSE,
    CHALLENGE,
    COPY_BEGINS,
    DELAYED,
    FAILED,
    GREETING,
    NO_FAILURE,
    OF_MAIL,
    SUBJECT,
    TICKET,
    TICKET_HEADERS,
    fold,
)
from smtp_probe.mail.bounce.structure import is_built_as_bounce
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.syntax.mime_parts import Part, parse_content_type
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.mail.tag import hide_tokens

_MAX_TEXT = 65_536
_MAX_LINES = 120
"""What a program has to say to a person stands at the beginning."""
_NEAR = 700
"""So far behind the words of failure the address is looked for."""
_TAG = re.compile(r"<(?:!--.{0,2000}?--|/?[A-Za-z][A-Za-z0-9]*(?:\s[^<>@]{0,600})?/?)>", re.DOTALL)
_BREAK = re.compile(r"(?i)<(?:br|/p|/div|/tr|/li|/h\d)\s*/?>[ \t]*\r?\n?")
_INVISIBLE = re.compile(r"(?is)<(style|script|head)\b.{0,20000}?</\1>")
_CLASS = re.compile(r"(?<![\d.])([45])(?:\.\d{1,3}\.\d{1,3}|\d\d(?=[ -]\S))(?![\d.])")
_NAMED = (
    re.compile(rf"(?im)^\W*(?:final|original)-recipient\s*:\s*rfc822\s*;\s*<?({ADDRESS})"),
    re.compile(
        r"(?im)^\W*(?:error-for|failed recipient|undeliverable address|intended recipient|invalid final delivery userid"
        rf"|recipient(?: address)?|failed address|delivery failed \d+ attempts|undeliverable +to)\s*:?\s*[\"<]?({ADDRESS})"
    ),
    re.compile(rf"(?im)^[ \t|>*-]*<?({ADDRESS})>?\s*(?::|\.\.\.)"),
)
_RCPT = re.compile(rf"(?i)rcpt to:\s*<?({ADDRESS})")
_NOBODY = re.compile(
    r"(?i)(?:mailer-daemon|postmaster|abuse|support|helpdesk|no-?reply|hostmaster|webmaster|admin(?:istrator)?)@"
)
_STATUS = re.compile(r"(?<![0-9.])[45]\.[0-9]{1,3}\.[0-9]{1,3}(?!\.?[0-9])")
_REMOTE = re.compile(
    r"(?i)(?:(?<!\bat )\bhost|remote (?:server|host|mta)|server|mailer|connect(?:ing|ed|ion)? to|talking to)"
    r"\s+[\"'(]?([a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+)"
)
_REPORTING = re.compile(
    r"(?i)(?:program|system|software|server|generating server)\s*(?:at|on|:)\s*(?:host )?([a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+)"
)
_FIELDS_BEGIN = re.compile(r"(?im)^(?:reporting-mta|(?:final|original)-recipient|action|status)[ \t]*:")
_FINAL = re.compile(r"permanent|giv(?:e|en|ing) up|no longer|user unknown|no such user")
_OF_THE_FUTURE = re.compile(r"\b(?:will|if|when|until|unless)\b[^.]{0,80}")
_SENDER_BEFORE = re.compile(
    r"(?i)(?<!generated )(?<!expanded )(?<!redirected )\b(?:from|sender)\b[:\s]{0,12}[<\"(]?$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """What a bounce says to people, sanitised. `words` is the text that was read."""

    action: str
    status: str | None
    recipient: str | None
    reporting_mta: str | None
    remote_mta: str | None
    diagnostic: str | None
    words: str


def read_prose(
    fields: Sequence[tuple[str, bytes]], parts: Sequence[Part], *, is_declared: bool = False
) -> Prose | None:
    """Read a bounce in prose; None for what is none. `is_declared`: it calls itself a delivery status notification.

    Never raises, and reads a bounded beginning only.
    """
    values = dict(reversed(fields))
    subject = fold(decode_value(values.get("subject", b"")))
    words = read_words(parts, with_quotes=not is_by_a_person(values))
    folded = fold(words)
    own = collect_addresses(decode_value(values.get("to", b"")))
    recipient = _find_recipient(words, decode_value(values.get("subject", b"")), own)
    if AWAY.match(subject) or (NO_FAILURE.search(subject) and not SUBJECT.match(subject)):
        return None
    if _is_an_answer(values, subject, words):
        return None
    signs = _find_signs(subject, words, folded, parts, recipient)
    is_promised = is_declared and bool(folded or signs.is_titled)
    if not is_promised and not _tells_of_failure(values, subject, folded, signs):
        return None
    return _tell(subject, words, folded, recipient)


@dataclass(frozen=True, slots=True)
class _Signs:
    """What speaks for a bounce: its subject, its words, a cause beside an address, and how it is built about one."""

    is_titled: bool
    is_told: bool
    is_caused: bool
    is_built: bool
    has_recipient: bool


def _find_signs(
    subject: str, words: str, folded: str, parts: Sequence[Part], recipient: str | None
) -> _Signs:
    is_told = FAILED.search(folded) is not None or DELAYED.search(folded) is not None
    return _Signs(
        is_titled=SUBJECT.match(subject) is not None,
        is_told=is_told,
        is_caused=recipient is not None and CAUSE.search(folded) is not None,
        is_built=recipient is not None
        and is_built_as_bounce(words, parts, recipient, with_reason=not is_told),
        has_recipient=recipient is not None,
    )


def _tells_of_failure(values: dict[str, bytes], subject: str, folded: str, signs: _Signs) -> bool:
    if _is_receipt(values) and not signs.is_titled and "automatically rejected" not in folded:
        return False
    if not signs.is_titled and CHALLENGE.search(folded):
        return False
    if has_no_path(values) and is_by_a_daemon(values):
        # whatever its language: what a mail server sends so, about somebody, in this form, is a bounce
        is_about = signs.is_titled and signs.has_recipient
        return signs.is_told or signs.is_caused or signs.is_built or is_about
    if has_no_path(values):
        # So come the answers of people who are away, too: they say why they cannot be reached, and name another address.
        is_letter = ANSWER.match(subject) is not None or _is_a_letter(values, folded)
        return signs.is_built and (signs.is_titled or signs.is_told) and not is_letter
    if is_by_a_person(values) or not is_by_a_program(values):
        return False  # people retell bounces, and quote them word for word
    if is_by_a_daemon(values) and not is_by_its_author(values):
        return signs.is_titled or signs.is_caused or (signs.is_told and signs.is_built)
    # a parcel may be undeliverable, too, and a ticket may tell of a bounce
    is_plain = signs.is_titled and not subject.lstrip().startswith(("[", "*"))
    is_letter = _is_a_letter(values, folded) or (is_by_its_author(values) and not is_by_a_daemon(values))
    is_said = signs.is_built and (signs.is_told or signs.is_caused)
    return is_plain and is_said and not is_letter and OF_MAIL.search(folded) is not None


def _tell(subject: str, words: str, folded: str, recipient: str | None) -> Prose:
    """Gather what is said; fields of RFC 3464 in the middle of the prose are believed first."""
    fields = _FIELDS_BEGIN.search(words)
    listed = parse_delivery_status(words[fields.start() :].encode()) if fields else None
    if listed is None or listed.recipient is None:
        listed = DeliveryStatus()
    shown = hide_tokens(words)
    return Prose(
        action=listed.action or _find_action(subject, folded),
        status=listed.status or ((match := _STATUS.search(words)) and match.group()) or None,
        recipient=listed.recipient or recipient,
        reporting_mta=listed.reporting_mta or _first(_REPORTING, words),
        remote_mta=listed.remote_mta or _first(_REMOTE, words),
        diagnostic=listed.diagnostic
        or find_diagnostic(shown, listed.recipient or recipient)
        or find_first_line(shown),
        words=words,
    )


def may_be_bounce(fields: Sequence[tuple[str, bytes]]) -> bool:
    """Tell by the header alone whether it is worth reading the text: cheap, and true for more than bounces."""
    values = dict(reversed(fields))
    subject = fold(decode_value(values.get("subject", b"")))
    return is_by_a_server(values) or SUBJECT.match(subject) is not None


def read_words(parts: Sequence[Part], *, with_quotes: bool = True) -> str:
    """Give what is said to people: the text parts up to where the returned message begins.

    Of the lines with a mark of quotation those with an address are kept, since some servers list recipients so;
    none is where a person may have quoted a bounce (not `with_quotes`).
    """
    lines: list[str] = []
    for line in _lines(parts):
        if COPY_BEGINS.match(line.lower()) or len(lines) >= _MAX_LINES:
            break
        if not line.lstrip().startswith(">") or (with_quotes and ANY_ADDRESS.search(line)):
            lines.append(line)
    return "\n".join(lines)


def _lines(parts: Sequence[Part]) -> Iterator[str]:
    texts = [part for part in parts if part.media_type == "text/plain" and part.body.strip()]
    texts = texts or [part for part in parts if part.media_type == "text/html"]
    texts = texts or [
        part for part in parts if part.media_type.startswith("multipart/")
    ]  # without a boundary
    for part in texts[:3]:
        text = _decode(part)
        yield from (
            _strip_markup(text) if "<br" in text.lower() or part.media_type == "text/html" else text
        ).splitlines()


def _decode(part: Part) -> str:
    kind = dict(reversed(split_fields(part.header))).get("content-type", b"")
    name = parse_content_type(kind).parameters.get("charset", b"utf-8").decode("ascii", "replace").lower()
    try:
        codec = codecs.lookup("utf-7" if "utf-7" in name else name)
        return codec.decode(part.body[:_MAX_TEXT], "replace")[0] if codec._is_text_encoding else ""  # noqa: SLF001 - codecs tells it nowhere else
    except (LookupError, ValueError):
        return part.body[:_MAX_TEXT].decode("utf-8", "replace")


def _strip_markup(text: str) -> str:
    """Give the text of HTML; an address in angle brackets is no tag."""
    visible = _TAG.sub(" ", _BREAK.sub("\n", _INVISIBLE.sub(" ", text)))
    return html.unescape(visible)


def _is_a_letter(values: dict[str, bytes], folded: str) -> bool:
    """Whether it greets somebody as people do, or was sent to many. A bounce may have the List-Id of what it returns."""
    return GREETING.match(folded) is not None or "list-unsubscribe" in values


def _is_an_answer(values: dict[str, bytes], subject: str, words: str) -> bool:
    """Whether the one who is said not to be reached writes himself, or a ticket is told of: both may quote a failure."""
    if is_by_a_daemon(values):
        return False
    if TICKET.match(subject) or not TICKET_HEADERS.isdisjoint(values):
        return True
    if SUBJECT.match(subject):
        return False
    told = (line for line in words.lower().splitlines() if FAILED.search(line) or CAUSE.search(line))
    return not collect_addresses(decode_value(values.get("from", b""))).isdisjoint(
        collect_addresses("\n".join(told))
    )


def _is_receipt(values: dict[str, bytes]) -> bool:
    """Receipts, complaints and answers of people who are away say nothing of a failure of ours (RFC 8098, 5965, 3834)."""
    kind = parse_content_type(values.get("content-type", b""))
    report = kind.parameters.get("report-type", b"").lower()
    return report in (b"disposition-notification", b"feedback-report") or "x-autoreply" in values


def _find_action(subject: str, folded: str) -> str:
    is_delayed = DELAYED.search(folded) is not None or "delay" in subject or subject.startswith("warning: ")
    if not is_delayed and FAILED.search(folded) is None:
        # in words that nobody here knows: the class of the server's own code is all that tells
        classes = {match[1] for match in _CLASS.finditer(folded)}
        is_delayed = classes == {"4"} and "4.4.7" not in folded
    return "delayed" if is_delayed and not _FINAL.search(_OF_THE_FUTURE.sub(" ", folded)) else "failed"


def _find_recipient(words: str, subject: str, own: set[str]) -> str | None:
    """Give the address that failed: named as such, near the words of failure, or the first that is nobody else's."""
    found = (
        *(match[1] for pattern in _NAMED for match in pattern.finditer(words)),
        *_near_failure(words),
        *(match[1] for match in _RCPT.finditer(words)),
        *_find_addresses(words),
        *_find_addresses(subject),
    )
    for address in found:
        bare = address.strip(".'\"")
        if bare.lower() not in own and not _NOBODY.match(bare):
            return sanitise(bare)
    return None


def _near_failure(words: str) -> Iterator[str]:
    lowered = words.lower()
    for match in (*FAILED.finditer(lowered), *CAUSE.finditer(lowered)):
        yield from _find_addresses(words[match.start() : match.end() + _NEAR])


def _find_addresses(words: str) -> Iterator[str]:
    """Give the addresses, without those that are said to be a sender's."""
    for match in ANY_ADDRESS.finditer(words):
        if not _SENDER_BEFORE.search(words, max(0, match.start() - 20), match.start()):
            yield match[0]


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return sanitise(match[1].rstrip(".")) if match else None
