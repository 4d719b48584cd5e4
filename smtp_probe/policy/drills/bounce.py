"""Whether the bounce of mail to nobody came back as it should: in time, with the right status, to the right mailbox.

In: how the drill's message ended. Out: findings. What could not be observed is not judged here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from smtp_probe.model import Bounce, Disposition, Finding, Outcome, OutcomeKind, Phase, Severity, Submission
from smtp_probe.policy.findings import make_finding
from smtp_probe.policy.retry_schedule import duration_words

_SOURCE = "RFC 3464"
_ABOUT_SENDER = ("5.1.7", "5.1.8")
"""RFC 3463 section 3.2: bad sender's address, bad sender's system address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceTerms:
    """What was asked for."""

    mailbox: str
    deadline_seconds: float
    expected_status: tuple[str, ...]


def judge_bounce(outcome: Outcome | None, terms: BounceTerms) -> tuple[Finding, ...]:
    """Say what is wrong with the end of the message; None where it had none before the deadline."""
    if outcome is None or outcome.was_overdue:
        return (
            _finding(
                "drill_bounce_missing",
                f"No bounce came within {duration_words(terms.deadline_seconds)}.",
                "Mail that cannot be delivered has to come back: see in the server's log what became of it, and whether the "
                "envelope sender leads to the mailbox.",
                "RFC 5321 section 6.1",
            ),
        )
    if outcome.kind is OutcomeKind.BOUNCED and outcome.bounce is not None:
        return tuple(_judge_notice(outcome.bounce, terms))
    if outcome.arrival is not None:
        return (
            _finding(
                "drill_bounce_delivered",
                "The message was delivered, though its recipient should not exist.",
                "Choose another address, or end the catch-all that takes mail for every name.",
                "RFC 5321 section 3.3",
            ),
        )
    return ()


def is_about_recipient(submission: Submission) -> bool:
    """Whether a refusal is about the recipient: servers say at RCPT what they have against sender and client, too."""
    failure = submission.failure
    reply = failure.reply if failure is not None else None
    if submission.disposition is not Disposition.REFUSED or reply is None or failure is None:
        return False
    if reply.enhanced is None:
        return failure.stage == Phase.RCPT
    return has_status(reply.enhanced, ("5.1",)) and reply.enhanced not in _ABOUT_SENDER


def refused_at_once(outcome: Outcome) -> Finding:
    """The server that was to send the bounce refused the recipient itself: no bounce can be seen."""
    reply = outcome.failure.reply if outcome.failure is not None else None
    said = f" ({reply})" if reply is not None else ""
    return _finding(
        "drill_bounce_refused",
        f"The server refused the recipient at once{said}, so that there is no bounce to wait for.",
        "Take an address at another server behind it, so that this one has to send the bounce.",
        "RFC 5321 section 3.3",
    )


def has_status(status: str | None, expected: tuple[str, ...]) -> bool:
    """Whether a status is one of those expected, or begins as one does: `5.1` is the beginning of `5.1.1`."""
    return status is not None and any(status == each or status.startswith(f"{each}.") for each in expected)


def _judge_notice(bounce: Bounce, terms: BounceTerms) -> Iterator[Finding]:
    if bounce.location.mailbox != terms.mailbox:
        yield _finding(
            "drill_bounce_astray",
            f"The bounce arrived in the mailbox {bounce.location.mailbox}, and not in {terms.mailbox}.",
            "A bounce goes to the envelope sender (MAIL FROM), never to the author in From or Reply-To.",
            "RFC 5321 section 4.5.5",
        )
    if not has_status(bounce.status, terms.expected_status):
        yield _finding(
            "drill_bounce_status",
            f"The bounce has the status {bounce.status or 'none'}, and not one of {', '.join(terms.expected_status)}.",
            "A mailbox that does not exist is 5.1.1: another status, or none, leads programs and people astray. Where it is "
            "what the server always says, name it in expected_status.",
            "RFC 3463 section 3.2",
        )


def _finding(check: str, message: str, advice: str, source: str = _SOURCE) -> Finding:
    return make_finding(check, Severity.ERROR, "", message, advice=advice, source=source)
