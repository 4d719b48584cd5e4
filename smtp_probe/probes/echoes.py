"""From an answer to a fact about a probe of an echo route.

In: a message in a mailbox where answers are waited for. Out: whose answer it is, if it is one that counts: it quotes a tag that
verifies, the tag is of an echo route, and its author is one of those who may answer there. On every other route an answer is
never a delivery: nothing here is asked then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from smtp_probe.mail.answer import Answer, join_traces, read_answer
from smtp_probe.mail.bounce.report import read_bounce
from smtp_probe.model import Arrival, Echo, MailboxMessage


@dataclass(frozen=True, slots=True)
class EchoTerms:
    """What counts as an answer on one route."""

    mailbox: str
    authors: tuple[str, ...]
    """Addresses and domains."""


def read_echo(message: MailboxMessage, text: bytes) -> Answer | None:
    """Read a message as an answer; None for a bounce, a receipt and their like, which are no answers of a recipient."""
    if read_bounce(message.header, text) is not None:
        return None
    answer = read_answer(message.header, text)
    return answer if answer.candidates else None


def as_answer(arrival: Arrival, answer: Answer, token: str, header: bytes) -> Arrival:
    """Make of what arrived the arrival of an answer: nothing in it tells whether our message came through unharmed."""
    trace, outbound_hops = join_traces(answer.quoted_header(token), header)
    return replace(
        arrival, trace=trace, echo=Echo(outbound_hops=outbound_hops), corrupted=None, alterations=(), spam=()
    )
