"""The bounce drill: one probe to nobody, on a route of its own, judged by how it came back.

In: a configuration, the signing keys, and the drill's settings. Out: a `DrillReport`. It is a whole program of its own, with a journal
in memory: what becomes of its message is counted on no route, and the daemon's own journal never hears of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smtp_probe.app.single import SingleProbe, SingleResult
from smtp_probe.config.drills import BounceDrill
from smtp_probe.config.settings import Config, Drills, Route
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import Bounce, DrillKind, DrillReport, OutcomeKind
from smtp_probe.model.words import cause_in_words, spaced
from smtp_probe.policy.drills.bounce import BounceTerms, is_about_recipient, judge_bounce, refused_at_once
from smtp_probe.policy.retry_schedule import duration_words
from smtp_probe.ports import Clock
from smtp_probe.probes.drill_mail import why_not_taken

_NS = 10**9


async def run_bounce_drill(
    name: str, settings: BounceDrill, config: Config, keys: Sequence[TagKey], clock: Clock
) -> DrillReport:
    """Run one. Raises nothing for what servers do; ends soon after the deadline."""
    started_ns = clock.now_ns()
    result = await SingleProbe(_only(name, settings, config), keys, name).run()
    report = DrillReport(
        drill=name,
        kind=DrillKind.BOUNCE,
        started_ns=started_ns,
        duration_seconds=(clock.now_ns() - started_ns) / _NS,
    )
    return _judged(report, settings, result)


def _only(name: str, settings: BounceDrill, config: Config) -> Config:
    """A configuration with one route, the drill's. The message may arrive, or bounce, in either mailbox."""
    route = Route(
        sender=settings.sender,
        recipient=settings.recipient,
        mailbox=settings.other_mailbox or settings.mailbox,
        bounce_mailbox=settings.mailbox,
        deadline=settings.deadline,
        give_up_after=settings.deadline,
        authentication=False,
    )
    update = {"routes": {name: route}, "domains": {}, "queues": {}, "drills": Drills()}
    return config.model_copy(update=update)


def _judged(report: DrillReport, settings: BounceDrill, result: SingleResult) -> DrillReport:
    if result.unobserved:
        return replace(report, unobserved=(f"Nothing could be observed: {result.unobserved}.",))
    outcome, submission = result.outcome, result.submission
    if outcome is not None and outcome.kind is OutcomeKind.UNOBSERVED:
        why = (
            cause_in_words(outcome.failure.cause)
            if outcome.failure is not None
            else "for a reason of our own"
        )
        return replace(report, unobserved=(f"The end of the message could not be observed: {why}.",))
    if outcome is not None and submission is not None and not submission.may_arrive:
        if is_about_recipient(submission):
            return replace(report, findings=(refused_at_once(outcome),))
        return replace(report, unobserved=(why_not_taken(submission),))
    terms = BounceTerms(
        mailbox=settings.mailbox,
        deadline_seconds=settings.deadline,
        expected_status=settings.expected_status,
    )
    findings = judge_bounce(None if result.is_overdue else outcome, terms)
    bounce = outcome.bounce if outcome is not None else None
    final_dot_ns = submission.final_dot_ns if submission is not None else None
    return replace(report, findings=findings, facts=_facts(bounce, final_dot_ns))


def _facts(bounce: Bounce | None, final_dot_ns: int | None) -> dict[str, str]:
    if bounce is None:
        return {}
    facts = {
        "status": bounce.status,
        "reason": spaced(bounce.reason),
        "arrived in": f"{bounce.location.mailbox}, folder {bounce.location.folder}",
        "from": bounce.reporting_mta,
        "diagnostic": bounce.diagnostic,
    }
    if final_dot_ns is not None:
        facts["came after"] = duration_words(round((bounce.seen_ns - final_dot_ns) / _NS, 1))
    return {title: text for title, text in facts.items() if text}
