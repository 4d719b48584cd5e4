"""Whether mail came to the next exchanger when the preferred one failed, and how long that took.

In: the attempts of one failover drill and when the message was handed over. Out: the time, and findings. A stranger may come
to a receiver at any time: only contacts of the server that came to the fallback count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtp_probe.model import Desk, DrillAttempt, Finding, Severity
from smtp_probe.policy.findings import make_finding
from smtp_probe.policy.retry_schedule import duration_words

_SOURCE = "RFC 5321 section 5.1"
_NOT_TRIED = (
    "The server went to the next MX host without trying the preferred one: it remembers that host as one that fails, or the MX "
    "records are in another order."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailoverTerms:
    """What was asked for."""

    mode: str
    deadline_seconds: float
    maximum_seconds: float
    shows_contact: bool
    """Whether the preferred receiver can see that somebody comes: not where nothing listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """What a failover took."""

    seconds: float | None = None
    """From the first contact with the preferred one, or, where none was seen, from when the server had the message."""
    is_from_contact: bool = False
    findings: tuple[Finding, ...] = ()
    unobserved: str = ""
    """Why there was no failover to be seen."""


def judge_failover(
    attempts: Sequence[DrillAttempt], handed_over_ns: int, *, has_arrived: bool, terms: FailoverTerms
) -> Failover:
    """Measure and judge one failover."""
    reached = next((each for each in attempts if each.desk is Desk.FALLBACK), None)
    if reached is None:
        return Failover(findings=(_missing(attempts, terms),))
    contact = next(
        (
            each.at_ns
            for each in attempts
            if each.desk is Desk.PREFERRED and each.peer == reached.peer and each.at_ns <= reached.at_ns
        ),
        None,
    )
    if contact is None and terms.shows_contact:
        return Failover(unobserved=_NOT_TRIED)
    seconds = max(0.0, (reached.at_ns - (handed_over_ns if contact is None else contact)) / 1e9)
    findings = tuple(_judge(seconds, terms, has_arrived=has_arrived))
    return Failover(seconds=seconds, is_from_contact=contact is not None, findings=findings)


def _missing(attempts: Sequence[DrillAttempt], terms: FailoverTerms) -> Finding:
    tried = sum(each.desk is Desk.PREFERRED for each in attempts)
    seen = f" after {tried} connections to the preferred one" if tried else ""
    return make_finding(
        "drill_failover_missing",
        Severity.ERROR,
        "",
        f"The message did not come to the next MX host within {duration_words(terms.deadline_seconds)}{seen}.",
        advice=(
            "A server has to try the next MX host when one fails: see in its log which hosts it knows and tried. A fixed "
            "next hop, a long time-out (Postfix: smtp_connect_timeout, smtp_helo_timeout), a firewall or a second MX "
            "record that is missing are the usual causes."
        ),
        source=_SOURCE,
    )


def _judge(seconds: float, terms: FailoverTerms, *, has_arrived: bool) -> Iterator[Finding]:
    if not has_arrived:
        yield make_finding(
            "drill_failover_undelivered",
            Severity.ERROR,
            "",
            "The server came to the next MX host, and did not deliver the message there.",
            advice="See in the server's log why it gave up after RCPT had been answered with 250.",
            source=_SOURCE,
        )
    if seconds > terms.maximum_seconds:
        yield make_finding(
            "drill_failover_slow",
            Severity.WARNING,
            "",
            f"The next MX host was reached after {duration_words(seconds)} only (mode {terms.mode}).",
            advice=(
                "Shorten the time for which the server waits for a host that does not answer (Postfix: "
                "smtp_connect_timeout, smtp_helo_timeout; Exim: connect_timeout, command_timeout of the transport)."
            ),
            source=_SOURCE,
        )
