"""One tagged message handed to the server under test, for a drill in which we are the destination.

In: the drill, its sender and keys. Out: the probe's id and the `Submission`. The tag stands in the recipient's address too, so
that a receiver knows the message before it has seen it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smtp_probe.config.settings import Sender
from smtp_probe.mail.message import BuiltMessage, Draft, build_message
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.mail.tag import TagKey, hide_tokens, make_tag
from smtp_probe.model import Disposition, Submission
from smtp_probe.model.words import cause_in_words
from smtp_probe.ports import Clock, Envelope, Submitter

_NS = 10**9


@dataclass(frozen=True, slots=True)
class DrillSender:
    """The server under test, and who we are to it."""

    settings: Sender
    submitter: Submitter
    keys: Sequence[TagKey]
    clock: Clock

    def prepare(self, drill: str, recipient: str) -> tuple[str, Envelope]:
        """Make a message: the id of its probe, and what is handed over."""
        now_ns = self.clock.now_ns()
        tag = make_tag(self.keys, drill, now_ns // _NS % 2**32, now_ns // 1_000_000, recipient)
        built: BuiltMessage = build_message(
            Draft(
                tag=tag,
                route=drill,
                sender=self.settings.envelope_from,
                author=self.settings.from_,
                recipient=recipient,
                created_ns=now_ns,
                plus_address=True,
            )
        )
        envelope = Envelope(
            sender=self.settings.envelope_from,
            recipient=built.recipient,
            envid=built.envid,
            message=built.message,
        )
        return tag.probe_id, envelope


def why_not_taken(submission: Submission) -> str:
    """A sentence on a message that the server under test did not take; empty where it did, or may have."""
    if submission.disposition in (Disposition.ACCEPTED, Disposition.UNCERTAIN):
        return ""
    failure = submission.failure
    said = (
        ""
        if failure is None
        else f" at {failure.stage}: {failure.reply or failure.detail or cause_in_words(failure.cause)}"
    )
    return sanitise(
        hide_tokens(f"The message could not be handed to the server: {submission.disposition.value}{said}.")
    )
