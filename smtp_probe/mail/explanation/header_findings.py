"""What the header of a message gives away besides its way: fields that are missing or double, and a Date that is off.

In: the fields of a header. Out: findings. Judges no addresses and no authentication.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtp_probe.mail.explanation.spans import say_span
from smtp_probe.mail.path.passages import Passage, say_host
from smtp_probe.mail.syntax.dates import DateReading, parse_date
from smtp_probe.mail.syntax.fields import MAX_FIELDS
from smtp_probe.mail.syntax.tokens import read_text
from smtp_probe.model import Finding, Severity

Fields = Sequence[tuple[str, bytes]]

_ONCE = {
    **dict.fromkeys(("From", "Date", "Sender", "Subject", "To", "Cc", "Bcc"), "RFC 5322 section 3.6"),
    **dict.fromkeys(("Reply-To", "Message-ID", "In-Reply-To", "References"), "RFC 5322 section 3.6"),
    **dict.fromkeys(("MIME-Version", "Content-Type", "Content-Transfer-Encoding"), "RFC 2045"),
}
"""What may stand in a header once, and where that is said."""
_REQUIRED = ("From", "Date")
"""RFC 5322 section 3.6."""
_LATE_SECONDS = 600.0
_EARLY_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the checks look at."""

    fields: Fields
    passages: Sequence[Passage]
    date: DateReading | None = None
    is_cut: bool = False


def read_date(fields: Fields) -> DateReading | None:
    """Read the topmost Date; None where there is none."""
    value = next((value for name, value in fields if name == "date"), None)
    return None if value is None else parse_date(read_text(value)[0])


def check_header(header: Header) -> Iterator[Finding]:
    """Give all findings of this module."""
    if header.is_cut or len(header.fields) >= MAX_FIELDS:
        message = "The header is longer than what is looked at (256 KiB, 1000 fields): what lies behind is not shown."
        yield Finding(check="header_cut", severity=Severity.WARNING, message=message)
    yield from _check_numbers(header)
    yield from _check_date(header)


def _check_numbers(header: Header) -> Iterator[Finding]:
    values: dict[str, list[bytes]] = {}
    for name, value in header.fields:
        values.setdefault(name, []).append(b" ".join(value.split()))
    for name, source in _ONCE.items():
        found = values.get(name.lower(), [])
        if len(found) > 1:
            is_same = len(set(found)) == 1
            said = (
                "with the same value" if is_same else "and not alike: programs differ in which one they show"
            )
            yield Finding(
                check="duplicate_header",
                severity=Severity.INFO if is_same else Severity.WARNING,
                message=f"{name} stands in the header {len(found)} times, {said}. Only one is allowed ({source}).",
            )
    for name in _REQUIRED:
        if name.lower() not in values and not header.is_cut:
            message = f"There is no {name}, which every message must have (RFC 5322 section 3.6)."
            yield Finding(check="missing_header", severity=Severity.INFO, message=message)


def _check_date(header: Header) -> Iterator[Finding]:
    """Compare what the author's program says with what the first server says."""
    first = next((passage for passage in header.passages if passage.hop.at_ns is not None), None)
    if header.date is None:
        return
    if header.date.at_ns is None:
        message = "The Date cannot be read."
        yield Finding(check="bad_date", severity=Severity.INFO, message=message)
        return
    if first is None or first.hop.at_ns is None:
        return
    waited = (first.hop.at_ns - header.date.at_ns) / 1e9
    if waited > _LATE_SECONDS:
        said = (
            f"The Date is {say_span(waited)} before the stamp of {say_host(first)}: the message lay with its author "
            "(an outbox, a planned sending, an old message sent again), or his clock is wrong."
        )
    elif waited < -_EARLY_SECONDS:
        said = f"The Date is {say_span(waited)} after the stamp of {say_host(first)}: the author's clock is ahead."
    else:
        return
    yield Finding(check="date_gap", severity=Severity.INFO, message=said)
