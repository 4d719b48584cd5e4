"""What came back instead of the message: bounces, read far enough to tie them to a probe and to say why.

In: the raw header of a message, and the start of its body. Out: a `BounceReport` with the reason and with the tokens
that it names, still unverified; or None for what is no bounce. One recogniser for each form stands in one table,
the standard form first; a new form is a new line there. Input is bounded and never opened by recursion, nothing
raises, and all text that comes out is sanitised. A bounce is no proof: whoever got the message may write one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from smtp_probe.mail.addresses import find_address_tokens
from smtp_probe.mail.bounce.authorship import Values, is_by_a_person, is_by_a_program
from smtp_probe.mail.bounce.delivery_status import DeliveryStatus, find_status, parse_delivery_status, show
from smtp_probe.mail.bounce.diagnostic import find_diagnostic, find_first_line
from smtp_probe.mail.bounce.event import is_event, read_events
from smtp_probe.mail.bounce.prose import may_be_bounce, read_prose, read_words
from smtp_probe.mail.recognition import Candidate, find_candidates, is_automatic_answer
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.syntax.mime_parts import Part, parse_content_type, split_head, split_parts
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.mail.tag import MAXIMUM_TOKENS, find_tokens, hide_tokens

MAX_TEXT_BYTES = 262_144
"""More of a bounce is not looked at: what it returns of a large message is cut."""

_ADDRESS_HEADERS = ("to", "delivered-to", "x-original-to", "envelope-to", "x-failed-recipients")
_SHOWN_WORDS = 4096
_WORD = re.compile(r"[^\W\d_]{2}")
_STATUS_TYPE = re.compile(r"message/(?:\S+-|x)?delivery-status")
_RETURNED_TYPES = frozenset(
    {
        "message/rfc822",
        "message/global",
        "text/rfc822-headers",
        "message/rfc822-headers",
        "message/global-headers",
    }
)
_QMAIL = re.compile(r"\s*Hi\. This is the qmail-send program at ([^\s,]{1,253}?)\.?(?:\s|$)")
_QMAIL_RECIPIENT = re.compile(r"(?m)^<([^<>\s]{1,320})>:")
_QMAIL_COPY = "--- Below this line is a copy of the message."
_EXIM_HOST = re.compile(r"\bhost (\S{1,253}) \[")


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceReport:
    """What a bounce says. `kind`: `dsn`, `mixed` (a DSN in another wrapping), `exim`, `qmail`, `event`, `prose`."""

    kind: str
    action: str | None = None
    """RFC 3464 section 2.3.3: `failed`, `delayed`, `delivered`, `relayed`, `expanded`."""
    status: str | None = None
    recipient: str | None = None
    reporting_mta: str | None = None
    remote_mta: str | None = None
    diagnostic: str | None = None
    will_retry_until: datetime | None = None
    """On the reporting server's clock."""
    queue_id: str | None = None
    """Postfix's, which is also in its reply to the final dot."""
    candidates: tuple[Candidate, ...] = ()
    """Best carrier first: `envid`, then those of the returned message, `address`, `references`, `body`."""
    words: str = field(default="", repr=False, compare=False)
    """The beginning of what is said to people: the reason is looked for in it where nothing better tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notice:
    """A message that may be a bounce, taken apart once for all recognisers."""

    fields: tuple[tuple[str, bytes], ...]
    parts: tuple[Part, ...]

    def values(self, *names: str) -> bytes:
        """All values of these headers, one after the other."""
        return b" ".join(value for name, value in self.fields if name in names)

    @property
    def first_values(self) -> Values:
        """The first value of each header."""
        return dict(reversed(self.fields))

    @property
    def is_declared(self) -> bool:
        """Whether the message calls itself a delivery status notification (RFC 3464 section 2)."""
        kind = parse_content_type(self.values("content-type"))
        return kind.parameters.get("report-type", b"").lower() == b"delivery-status"

    @property
    def words(self) -> str:
        """What the bounce says to people: its first text, without the tokens that it quotes."""
        bodies = (part.body for part in self.parts if part.media_type == "text/plain")
        return hide_tokens(next(bodies, b"").decode("utf-8", "replace"))


def read_bounce(header: bytes, text: bytes) -> BounceReport | None:
    """Read a bounce, or give None for what is none: also for receipts and auto-replies. Never raises, linear."""
    fields = split_fields(header)
    if not (is_automatic_answer(header) or may_be_bounce(fields) or is_event(fields)):
        return None
    notice = _open(header, text)
    reports = (recognise(notice) for recognise in _RECOGNISERS)
    return next((report for report in reports if report is not None), None)


def _open(header: bytes, text: bytes) -> _Notice:
    return _Notice(fields=split_fields(header), parts=split_parts(header, text[:MAX_TEXT_BYTES]))


def _read_report(notice: _Notice) -> BounceReport | None:
    """RFC 3464, also where the wrapping is not RFC 6522's: OpenSMTPD puts the same parts into multipart/mixed."""
    bodies = (part.body for part in notice.parts if _STATUS_TYPE.fullmatch(part.media_type))
    said = next((status for status in map(parse_delivery_status, bodies) if status is not None), None)
    is_standard = parse_content_type(notice.values("content-type")).media_type == "multipart/report"
    if said is None or (not is_standard and is_by_a_person(notice.first_values)):
        return None  # or a person forwards the parts of one
    words = hide_tokens(read_words(notice.parts))
    return BounceReport(
        kind="dsn" if is_standard else "mixed",
        action=said.action,
        status=said.status,
        recipient=said.recipient,
        reporting_mta=said.reporting_mta,
        remote_mta=said.remote_mta,
        diagnostic=_choose_diagnostic(said.diagnostic, find_diagnostic(words, said.recipient)),
        will_retry_until=said.will_retry_until,
        queue_id=said.queue_id,
        candidates=_collect_candidates(notice, said),
        words=words[:_SHOWN_WORDS],
    )


def _read_enclosed(notice: _Notice) -> BounceReport | None:
    """A report that a gateway has put, whole, into a message of its own which still promises a report (InterScan)."""
    if not notice.is_declared or any(_STATUS_TYPE.fullmatch(part.media_type) for part in notice.parts):
        return None
    enclosed = (part.body for part in notice.parts if part.media_type == "message/rfc822")
    reports = (_read_report(_open(*split_head(body.lstrip()))) for body in enclosed)
    return next((report for report in reports if report is not None), None)


def _read_exim(notice: _Notice) -> BounceReport | None:
    """Exim before 4.86, and what imitates it: the recipients are in a header, the reason is prose."""
    recipients = notice.values("x-failed-recipients")
    if not recipients:
        return None
    recipient = show(re.split(rb"[,\s]", recipients, maxsplit=1)[0]) or None
    words = hide_tokens(read_words(notice.parts))
    reason = find_diagnostic(words, recipient) or find_first_line(words)
    host = _EXIM_HOST.search(reason or "")
    said = read_prose(notice.fields, notice.parts)
    return BounceReport(
        kind="exim",
        action="failed" if said is None else said.action,
        status=find_status(reason or ""),
        recipient=recipient,
        remote_mta=sanitise(host[1]) if host else None,
        diagnostic=reason,
        candidates=_collect_candidates(notice),
        words=words[:_SHOWN_WORDS],
    )


def _read_qmail(notice: _Notice) -> BounceReport | None:
    """The qmail-send bounce format: a paragraph for each recipient, then the message."""
    greeting = _QMAIL.match(notice.words)
    values = notice.first_values
    if greeting is None or is_by_a_person(values) or not is_by_a_program(values):
        return None
    words = notice.words.partition(_QMAIL_COPY)[0]
    address = _QMAIL_RECIPIENT.search(words)
    recipient = sanitise(address[1]) if address else None
    reason = find_diagnostic(words, recipient) or find_first_line(words)
    return BounceReport(
        kind="qmail",
        action="failed",
        status=find_status(reason or ""),
        recipient=recipient,
        reporting_mta=sanitise(greeting[1]),
        diagnostic=reason,
        candidates=_collect_candidates(notice),
    )


def _read_prose(notice: _Notice) -> BounceReport | None:
    """Whatever else a program writes to people only (`prose`)."""
    said = read_prose(notice.fields, notice.parts, is_declared=notice.is_declared)
    if said is None:
        return None
    return BounceReport(
        kind="dsn" if notice.is_declared else "prose",
        action=said.action,
        status=said.status,
        recipient=said.recipient,
        reporting_mta=said.reporting_mta,
        remote_mta=said.remote_mta,
        diagnostic=said.diagnostic,
        candidates=_collect_candidates(notice),
        words=hide_tokens(said.words)[:_SHOWN_WORDS],
    )


def _read_event(notice: _Notice) -> BounceReport | None:
    """The notification of Amazon SES in JSON, as its queue service mails it to whoever asked for it."""
    events = read_events(notice.parts) if is_event(notice.fields) else ()
    return next((_tell_event(event, notice) for event in events), None)


def _tell_event(event: DeliveryStatus, notice: _Notice) -> BounceReport:
    return BounceReport(
        kind="event",
        action=event.action,
        status=event.status,
        recipient=event.recipient,
        reporting_mta=event.reporting_mta,
        diagnostic=event.diagnostic,
        candidates=_collect_candidates(notice, event),
    )


_RECOGNISERS: tuple[Callable[[_Notice], BounceReport | None], ...] = (
    _read_report,
    _read_enclosed,
    _read_exim,
    _read_qmail,
    _read_event,
    _read_prose,
)
"""The forms that are known. The first that recognises its own speaks."""


def _choose_diagnostic(in_field: str | None, in_words: str | None) -> str | None:
    """The field's, unless it is a mere number of a program."""
    return in_field if in_field and _WORD.search(in_field) else in_words or in_field


def _collect_candidates(notice: _Notice, said: DeliveryStatus | None = None) -> tuple[Candidate, ...]:
    """Gather the tokens that a bounce names, each once with its best carrier, at most `MAXIMUM_TOKENS`."""
    said = said or DeliveryStatus()
    addresses = notice.values(*_ADDRESS_HEADERS) + b" " + said.addresses
    content = b"\n".join(part.body for part in notice.parts)
    gathered = [
        *_label("envid", find_tokens(said.envelope_id)),
        *(candidate for part in notice.parts for candidate in _find_returned(part)),
        *_label("address", find_address_tokens(addresses)),
        *_label("references", find_tokens(notice.values("in-reply-to", "references"))),
        *_label("body", find_tokens(content) + find_address_tokens(content)),
    ]
    unique: dict[str, Candidate] = {}
    for candidate in gathered:
        unique.setdefault(candidate.token, candidate)
    return tuple(unique.values())[:MAXIMUM_TOKENS]


def _find_returned(part: Part) -> tuple[Candidate, ...]:
    """Look into the header of the message that a bounce returns; its body is left to the plain search."""
    if part.media_type not in _RETURNED_TYPES:
        return ()
    header, _ = split_head(part.body.lstrip())
    return find_candidates(header)


def _label(carrier: str, tokens: Sequence[str]) -> list[Candidate]:
    return [Candidate(token, carrier) for token in tokens]
