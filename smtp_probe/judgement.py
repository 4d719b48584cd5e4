"""What the evidence about one probe means: the whole policy, as one table.

Pure. `judge` takes everything known at one moment and gives one of three answers: wait (until when), overdue (say so
once, go on watching), or the outcome (the probe's one end). The first row of `TABLE` whose condition holds decides.

Rules:

1. Silence is judged only where we could hear. A deadline counts as missed when the mailbox is known completely up to
   that deadline (`covered_ns`); until then we wait, and at the very end say `unobserved`, never `lost`. Not while the mailbox
   is being read, nor before whoever took the probe up has had time for a first look: what stands there can still be seen.
2. A message stored before its deadline is on time, however late we came to see it. Where all that is known is that it
   came while nobody could look, some time around its deadline, nothing is said of its being late: `unobserved`.
3. A probe whose submission was cut short by our own end may never have been sent: if it does not arrive, that is our
   gap, not lost mail.
4. A full mailbox is no gap of ours: it was looked into, and the mail is not there. Where a message or its bounce could not be
   stored the probe is lost, with that for a reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smtp_probe.model import (
    Cause,
    Disposition,
    Evidence,
    Failure,
    Outcome,
    OutcomeKind,
    Phase,
    Probe,
    Submission,
)

_NS = 1_000_000_000
PATIENCE = 2.0
"""After so many times `give_up_after` without a view of the mailbox the probe ends unobserved."""
FIRST_LOOK_SECONDS = 60.0
"""So long, and no longer than `give_up_after`, is a mailbox waited for by whoever takes a probe up when that time is over."""
_SOON_NS = _NS


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to say yet; judge again at `until_ns`, or when there is news.

    News is also that the mailbox is known up to `view_ns`, where that is what is waited for, and the mailbox of the
    bounces too, where they matter.
    """

    until_ns: int
    view_ns: int | None = None
    with_bounces: bool = False


@dataclass(frozen=True, slots=True)
class Overdue:
    """The deadline passed in full view, and nothing had come."""


Judgement = Wait | Overdue | Outcome
Condition = Callable[[Evidence], bool]
Answer = Callable[[Evidence], Judgement]


def deadline_ns(evidence: Evidence) -> int:
    """Give the instant by which the message has to be in the mailbox."""
    return _zero_ns(evidence) + round(evidence.probe.deadline_seconds * _NS)


def give_up_ns(evidence: Evidence) -> int:
    """Give the instant after which an overdue message is called lost."""
    return _zero_ns(evidence) + round(evidence.probe.give_up_after_seconds * _NS)


def judge(evidence: Evidence) -> Judgement:
    """Give the meaning of the evidence, by the first row of the table that fits."""
    for condition, answer in TABLE:
        if condition(evidence):
            return answer(evidence)
    message = "the last row of the table always fits"
    raise AssertionError(message)


def _zero_ns(evidence: Evidence) -> int:
    submission = evidence.submission
    if submission is not None and submission.final_dot_ns is not None:
        return submission.final_dot_ns
    return evidence.probe.created_ns


def _submission_was(disposition: Disposition) -> Condition:
    return lambda evidence: evidence.submission is not None and evidence.submission.disposition is disposition


def _has_arrived(evidence: Evidence) -> bool:
    return evidence.arrival is not None


def _arrived_late(evidence: Evidence) -> bool:
    arrival = evidence.arrival
    if arrival is None:
        return False
    # Without a submission the instant of the dot is not known, and so neither is a latency.
    return evidence.overdue or (evidence.submission is not None and arrival.stored_ns > deadline_ns(evidence))


def _may_have_been_in_time(evidence: Evidence) -> bool:
    arrival = evidence.arrival
    if arrival is None or arrival.earliest_ns is None or evidence.overdue:
        return False
    return arrival.earliest_ns <= deadline_ns(evidence) and _arrived_late(evidence)


def _arrived_in_junk(evidence: Evidence) -> bool:
    return evidence.arrival is not None and not evidence.arrival.placement.is_inbox


def _has_bounced(evidence: Evidence) -> bool:
    return evidence.bounce is not None and evidence.bounce.ends_probe


def _before_deadline(evidence: Evidence) -> bool:
    return evidence.now_ns < deadline_ns(evidence)


def _reaches(covered_ns: int | None, until_ns: int) -> bool:
    return covered_ns is not None and covered_ns >= until_ns


def _deadline_in_view(evidence: Evidence) -> bool:
    return _reaches(evidence.covered_ns, deadline_ns(evidence))


def _end_in_view(evidence: Evidence) -> bool:
    """Whether both were looked into up to the end: where the message, and where a bounce would have arrived."""
    end_ns = give_up_ns(evidence)
    is_bounce_seen = evidence.probe.bounce_mailbox is None or _reaches(evidence.bounces_covered_ns, end_ns)
    return is_bounce_seen and _reaches(evidence.covered_ns, end_ns)


def _patience_ns(evidence: Evidence) -> int:
    give_up_seconds = evidence.probe.give_up_after_seconds
    first_look_ns = evidence.taken_up_ns + round(min(give_up_seconds, FIRST_LOOK_SECONDS) * _NS)
    return max(_zero_ns(evidence) + round(PATIENCE * give_up_seconds * _NS), first_look_ns)


def _out_of_patience(evidence: Evidence) -> bool:
    is_in_view = _end_in_view(evidence) if evidence.overdue else _deadline_in_view(evidence)
    is_patient = evidence.now_ns < _patience_ns(evidence) or evidence.is_being_looked_into
    return not is_in_view and not is_patient


def _deadline_out_of_view(evidence: Evidence) -> bool:
    return not evidence.overdue and not _deadline_in_view(evidence)


def _was_cut_short(evidence: Evidence) -> bool:
    submission = evidence.submission
    if submission is None:
        return True
    return submission.failure is not None and submission.failure.cause == Cause.SHUTDOWN


def _not_yet_overdue(evidence: Evidence) -> bool:
    return not evidence.overdue


def _before_giving_up(evidence: Evidence) -> bool:
    return evidence.now_ns < give_up_ns(evidence)


def _end_out_of_view(evidence: Evidence) -> bool:
    return not _end_in_view(evidence)


def _ends(kind: OutcomeKind, failure: Callable[[Evidence], Failure | None]) -> Answer:
    def answer(evidence: Evidence) -> Outcome:
        return Outcome(
            probe=evidence.probe,
            kind=kind,
            ended_ns=evidence.now_ns,
            was_overdue=evidence.overdue,
            submission=evidence.submission,
            arrival=evidence.arrival,
            bounce=evidence.bounce,
            delay=evidence.delay,
            failure=failure(evidence),
        )

    return answer


def _submission_failure(evidence: Evidence) -> Failure | None:
    return evidence.submission.failure if evidence.submission is not None else None


def _no_failure(_: Evidence) -> Failure | None:
    return None


def _because(stage: str, cause: str) -> Callable[[Evidence], Failure]:
    return lambda _: Failure(stage=stage, cause=cause)


def _lost(evidence: Evidence) -> Failure:
    return Failure(stage="arrival", cause="lost", detail=evidence.no_room)


def _junk_failure(evidence: Evidence) -> Failure | None:
    return Failure(stage="placement", cause="junked") if evidence.probe.junk_is_failure else None


def _bounce_failure(evidence: Evidence) -> Failure | None:
    bounce = evidence.bounce
    if bounce is None:
        return None
    said = " ".join(part for part in (bounce.status, bounce.diagnostic) if part)
    return Failure(stage="bounce", cause="bounced", detail=said)


def _wait_until(instant: Callable[[Evidence], int]) -> Answer:
    return lambda evidence: Wait(instant(evidence))


def _end_of_waiting_ns(evidence: Evidence) -> int:
    """When to judge again though no view has come: soon, where all patience is over and the mailbox is being read."""
    return max(_patience_ns(evidence), evidence.now_ns + _SOON_NS)


def _wait_for_view_of_deadline(evidence: Evidence) -> Wait:
    return Wait(_end_of_waiting_ns(evidence), view_ns=deadline_ns(evidence))


def _wait_for_view_of_end(evidence: Evidence) -> Wait:
    return Wait(_end_of_waiting_ns(evidence), view_ns=give_up_ns(evidence), with_bounces=True)


TABLE: tuple[tuple[Condition, Answer], ...] = (
    # The server's answer ends a probe that was not handed over.
    (_submission_was(Disposition.REFUSED), _ends(OutcomeKind.REFUSED, _submission_failure)),
    (_submission_was(Disposition.DEFERRED), _ends(OutcomeKind.DEFERRED, _submission_failure)),
    (_submission_was(Disposition.UNREACHABLE), _ends(OutcomeKind.UNREACHABLE, _submission_failure)),
    (_submission_was(Disposition.UNOBSERVED), _ends(OutcomeKind.UNOBSERVED, _submission_failure)),
    # What was found counts for more than any clock.
    (_may_have_been_in_time, _ends(OutcomeKind.UNOBSERVED, _because("mailbox", Cause.MAILBOX_UNWATCHED))),
    (_arrived_late, _ends(OutcomeKind.LATE, _because("arrival", "overdue"))),
    (_arrived_in_junk, _ends(OutcomeKind.JUNKED, _junk_failure)),
    (_has_arrived, _ends(OutcomeKind.DELIVERED, _no_failure)),
    (_has_bounced, _ends(OutcomeKind.BOUNCED, _bounce_failure)),
    # Silence, and what it means.
    (_before_deadline, _wait_until(deadline_ns)),
    (_out_of_patience, _ends(OutcomeKind.UNOBSERVED, _because("mailbox", Cause.MAILBOX_UNWATCHED))),
    (_deadline_out_of_view, _wait_for_view_of_deadline),
    (_was_cut_short, _ends(OutcomeKind.UNOBSERVED, _because("submission", Cause.SHUTDOWN))),
    (_not_yet_overdue, lambda _: Overdue()),
    (_before_giving_up, _wait_until(give_up_ns)),
    (_end_out_of_view, _wait_for_view_of_end),
    (lambda _: True, _ends(OutcomeKind.LOST, _lost)),
)


def cut_short(probe: Probe, final_dot_ns: int | None) -> Submission:
    """Say what our own end made of a submission under way: uncertain after the dot, unobserved before."""
    had_dot = final_dot_ns is not None
    return Submission(
        disposition=Disposition.UNCERTAIN if had_dot else Disposition.UNOBSERVED,
        started_ns=probe.created_ns,
        final_dot_ns=final_dot_ns,
        failure=Failure(stage=Phase.ACCEPT if had_dot else "submission", cause=Cause.SHUTDOWN),
    )
