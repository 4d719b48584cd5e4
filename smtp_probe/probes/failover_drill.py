"""The failover drill: we are both MX hosts of the test domain, the preferred one fails on purpose, and we time the other.

In: settings, a sender, and a way to listen. Out: a `DrillReport`. Both receivers listen during the drill only; the preferred one
not even then where it is to refuse connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from smtp_probe.config.drills import FailoverDrill, FailoverMode
from smtp_probe.errors import ReceiverError
from smtp_probe.model import Desk, DrillKind, DrillReport, Manner
from smtp_probe.policy.drills.failover import FailoverTerms, judge_failover
from smtp_probe.policy.retry_schedule import duration_words
from smtp_probe.ports import MailReceiver, Reception
from smtp_probe.probes.drill_mail import DrillSender, why_not_taken
from smtp_probe.probes.reception import DeskReception, Mailing
from smtp_probe.probes.retry_drill import seen_of

_NS = 10**9
_MANNERS = {
    FailoverMode.UNAVAILABLE: Manner.UNAVAILABLE,
    FailoverMode.DEFER: Manner.SERVE,
    FailoverMode.SILENT: Manner.SILENT,
    FailoverMode.TARPIT: Manner.TARPIT,
}
Listen = Callable[[Desk, Reception, Manner], MailReceiver]


async def run_failover_drill(
    name: str, settings: FailoverDrill, sender: DrillSender, listen: Listen
) -> DrillReport:
    """Run one. Raises nothing for what the other side does; ends at the deadline."""
    clock = sender.clock
    started_ns = clock.now_ns()
    mailing = Mailing(clock, sender.keys, name, settings.recipient)
    receivers = _receivers(settings, mailing, listen)
    handed_over_ns, unobserved = started_ns, ""
    try:
        for receiver in receivers:
            await receiver.open()
        mailing.probe_id, envelope = sender.prepare(name, settings.recipient)
        submission = await sender.submitter.submit(envelope)
        handed_over_ns = submission.final_dot_ns or started_ns
        unobserved = why_not_taken(submission)
        if not unobserved:
            with suppress(TimeoutError):
                async with asyncio.timeout(settings.deadline):
                    await mailing.arrived.wait()
    except ReceiverError as error:
        unobserved = f"{error}."
    finally:
        for receiver in receivers:
            await receiver.close()
    report = DrillReport(
        drill=name,
        kind=DrillKind.FAILOVER,
        started_ns=started_ns,
        duration_seconds=(clock.now_ns() - started_ns) / _NS,
        attempts=tuple(sorted(mailing.attempts, key=lambda attempt: attempt.at_ns)),
        unobserved=(unobserved,) if unobserved else (),
    )
    return report if unobserved else _judged(report, settings, mailing, handed_over_ns)


def _receivers(settings: FailoverDrill, mailing: Mailing, listen: Listen) -> Sequence[MailReceiver]:
    fallback = listen(Desk.FALLBACK, DeskReception(mailing, desk=Desk.FALLBACK), Manner.SERVE)
    manner = _MANNERS.get(settings.mode)
    if manner is None:
        return (fallback,)
    reception = DeskReception(mailing, desk=Desk.PREFERRED, deferrals=None, manner=manner)
    return (fallback, listen(Desk.PREFERRED, reception, manner))


def _judged(
    report: DrillReport, settings: FailoverDrill, mailing: Mailing, handed_over_ns: int
) -> DrillReport:
    has_arrived = mailing.arrived.is_set()
    terms = FailoverTerms(
        mode=settings.mode.value,
        deadline_seconds=settings.deadline,
        maximum_seconds=settings.maximum_failover,
        shows_contact=settings.mode in _MANNERS,
    )
    failover = judge_failover(report.attempts, handed_over_ns, has_arrived=has_arrived, terms=terms)
    facts = {"mode": settings.mode.value, "delivered": "yes, by the next MX host" if has_arrived else "no"}
    if failover.seconds is not None:
        began = "the first contact with the preferred one" if failover.is_from_contact else "the final dot"
        facts["reached after"] = f"{duration_words(failover.seconds)}, counted from {began}"
    return replace(
        report,
        findings=failover.findings,
        facts={**facts, **seen_of(report.attempts, mailing)},
        failover_seconds=failover.seconds,
        unobserved=(failover.unobserved,) if failover.unobserved else (),
    )
