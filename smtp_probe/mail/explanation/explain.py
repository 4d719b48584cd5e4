"""What a saved message says of its own way: everything that `smtp-probe explain` shows, as values.

In: the raw header of any message and the beginning of its body, and which hosts are the receiver's own. Out: an
`Explanation`. Reads no file, prints nothing, looks nothing up and verifies nothing: a header is the word of the hosts
that wrote it. Never raises on mail, and takes linear time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtp_probe.mail.bounce.report import BounceReport, read_bounce
from smtp_probe.mail.explanation.delay_findings import check_delays
from smtp_probe.mail.explanation.finding import arrange_findings
from smtp_probe.mail.explanation.header_findings import Fields, Header, check_header, read_date
from smtp_probe.mail.explanation.header_text import show_header
from smtp_probe.mail.explanation.mailbox_file import SavedMessage
from smtp_probe.mail.explanation.path_findings import Path, check_path
from smtp_probe.mail.explanation.time_findings import check_times, find_slowest
from smtp_probe.mail.explanation.transport_findings import check_transport
from smtp_probe.mail.path.clock_disagreement import find_disagreements, measure_doubts
from smtp_probe.mail.path.legs import Border, Leg, find_border, find_legs
from smtp_probe.mail.path.passages import Passage, measure_between, measure_doubt, read_passages
from smtp_probe.mail.spam_filters import describe_spam, read_spam_results
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.syntax.mime_parts import split_parts
from smtp_probe.mail.trace import read_trace
from smtp_probe.model import Finding, Severity, SpamResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What one message says of its way. Texts are sanitised and bounded; unknown is None."""

    subject: str | None
    author: str | None
    """The From header, which anybody can write."""
    recipients: str | None
    date: str | None
    """The Date header, as it is written."""
    date_ns: int | None
    """The same as an instant, on the author's clock."""
    message_id: str | None
    passages: tuple[Passage, ...]
    """Oldest hop first."""
    slowest: int | None
    """Position of the hop with the largest delay that is certain."""
    total_seconds: float | None
    """From the first stamp to the last, raw, on two clocks. None with fewer than two stamps."""
    total_uncertainty_seconds: float | None
    border: Border
    legs: tuple[Leg, ...]
    findings: tuple[Finding, ...]
    """Errors first, those of one check together, then by hop."""
    bounce: BounceReport | None
    spam: tuple[SpamResult, ...] = ()
    """What the spam filters on the way say, the one nearest to the mailbox first."""


def explain_message(saved: SavedMessage, own: Sequence[str] = ()) -> Explanation:
    """Explain one message. `own`: the receiver's hosts and domains, as `organisations.read_own` gives them."""
    fields = split_fields(saved.header)
    trace = read_trace(saved.header)
    passages = read_passages(trace)
    border = find_border(passages, own)
    disagreements = find_disagreements(passages)
    slowest = find_slowest(passages, disagreements)
    total_seconds, total_doubt = _measure_total(passages) or (None, None)
    bounce = read_bounce(saved.header, saved.text)
    spam = read_spam_results(fields)
    date = read_date(fields)
    findings = [
        *check_path(Path(passages=passages, flags=trace.flags, border=border, disagreements=disagreements)),
        *check_times(
            passages, disagreements, total_seconds, was_retrieved="retrieval_dropped" in trace.flags
        ),
        *check_delays(passages, fields, measure_doubts(passages, disagreements)),
        *check_transport(passages),
        *check_header(Header(fields=fields, passages=passages, date=date, is_cut=saved.is_header_cut)),
        *(() if bounce is not None else _check_attachment(saved)),
        *_check_filters(spam),
    ]
    return Explanation(
        subject=_show(fields, "subject"),
        author=_show(fields, "from"),
        recipients=_show(fields, "to"),
        date=_show(fields, "date"),
        date_ns=None if date is None else date.at_ns,
        message_id=_show(fields, "message-id"),
        passages=passages,
        slowest=None if slowest is None else slowest.position,
        total_seconds=total_seconds,
        total_uncertainty_seconds=total_doubt,
        border=border,
        legs=find_legs(passages, border),
        findings=arrange_findings(findings),
        bounce=bounce,
        spam=spam,
    )


def _measure_total(passages: Sequence[Passage]) -> tuple[float, float] | None:
    """From the first stamp to the last, and how far that may be off."""
    stamped = [passage for passage in passages if passage.hop.at_ns is not None]
    if len(stamped) < 2:
        return None
    seconds = measure_between(stamped[0].hop, stamped[-1].hop)
    return None if seconds is None else (seconds, measure_doubt(stamped[0].hop, stamped[-1].hop))


def _check_attachment(saved: SavedMessage) -> Iterator[Finding]:
    """A user who complains sends the message itself as an attachment, if asked to."""
    parts = split_parts(saved.header, saved.text) if b"message/rfc822" in saved.text.lower() else ()
    if any(part.media_type == "message/rfc822" for part in parts):
        message = "Another message is attached. This is the way of the outer one: save the attached one to explain it."
        yield Finding(check="attached_message", severity=Severity.INFO, message=message)


def _check_filters(results: Sequence[SpamResult]) -> Iterator[Finding]:
    for message in describe_spam(results):
        yield Finding(check="spam_filter", severity=Severity.WARNING, message=message)


def _show(fields: Fields, name: str) -> str | None:
    """Give the topmost field of a name, fit to be shown."""
    return next((show_header(value) or None for field, value in fields if field == name), None)
