"""What is known of why a hop took long, in plain words.

In: what `path.delays` says of the hops. Out: findings: notes, since being put off and being scanned are how mail works; how
long it took is said by `slow_hop`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from smtp_probe.mail.explanation.spans import say_span
from smtp_probe.mail.path.delays import Delay, Fields, explain_delays
from smtp_probe.mail.path.passages import Passage, say_host
from smtp_probe.model import Finding, Severity

_SCAN_WARNING_SECONDS = 60.0
_NAMES = {
    "postfix": "Postfix",
    "exim": "Exim",
    "sendmail": "Sendmail",
    "qmail": "qmail",
    "courier": "Courier",
    "exchange": "Exchange",
}


def check_delays(
    passages: Sequence[Passage], fields: Fields, doubts: Mapping[int, float] = MappingProxyType({})
) -> Iterator[Finding]:
    """Give all findings of this module, oldest hop first. `doubts`: what clocks that disagree make of a delay."""
    known = {passage.position: passage for passage in passages}
    for delay in explain_delays(passages, fields, doubts):
        passage = known.get(delay.position or 0)
        if delay.kind == "greylisted":
            yield _report_greylisting(delay, passage)
        elif passage is not None:
            yield _report_retry(delay, passage) if delay.kind == "retried" else _report_scan(delay, passage)


def _report_greylisting(delay: Delay, passage: Passage | None) -> Finding:
    host = "A host on the way" if passage is None else say_host(passage).capitalize()
    message = f"{host} greylisted the message: {delay.by} says that it put the sender off for {say_span(delay.seconds)}."
    return Finding(check="greylisted", severity=Severity.INFO, hop=delay.position, message=message)


def _report_retry(delay: Delay, passage: Passage) -> Finding:
    sender = _NAMES.get(delay.by, "a mail server")
    message = (
        f"The {say_span(delay.seconds)} before {say_host(passage)} are as long as {sender} waits before it tries again: "
        "that host put the message off (greylisting, a limit), or it could not be reached."
    )
    return Finding(check="retry_delay", severity=Severity.INFO, hop=delay.position, message=message)


def _report_scan(delay: Delay, passage: Passage) -> Finding:
    scanner = f" ({delay.by})" if delay.by else ""
    message = (
        f"{say_span(delay.seconds)} were spent within the host of {say_host(passage)}, in a content filter{scanner} or in "
        "front of it."
    )
    severity = Severity.WARNING if delay.seconds >= _SCAN_WARNING_SECONDS else Severity.INFO
    return Finding(check="scan_delay", severity=severity, hop=delay.position, message=message)
