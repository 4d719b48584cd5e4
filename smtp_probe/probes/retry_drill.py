"""The retry drill: we are the destination, put the server off so many times, and time each of its attempts.

In: settings, a sender, and a way to listen. Out: a `DrillReport`. The receiver listens from just before the message is handed
over until the drill ends; whatever happens, it is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from smtp_probe.config.drills import RetryDrill
from smtp_probe.errors import ReceiverError
from smtp_probe.model import DrillAttempt, DrillKind, DrillReport
from smtp_probe.policy.drills.retry import FEWEST_WAITS, RetryTerms, judge_retries
from smtp_probe.policy.retry_schedule import RetryLimits, duration_words
from smtp_probe.ports import MailReceiver, Reception
from smtp_probe.probes.drill_mail import DrillSender, why_not_taken
from smtp_probe.probes.reception import DeskReception, Mailing

_NS = 10**9


async def run_retry_drill(
    name: str, settings: RetryDrill, sender: DrillSender, listen: Callable[[Reception], MailReceiver]
) -> DrillReport:
    """Run one. Raises nothing for what the other side does; ends at the deadline."""
    clock = sender.clock
    started_ns = clock.now_ns()
    mailing = Mailing(clock, sender.keys, name, settings.recipient)
    receiver = listen(DeskReception(mailing, deferrals=settings.deferrals))
    unobserved = ""
    try:
        await receiver.open()
        mailing.probe_id, envelope = sender.prepare(name, settings.recipient)
        unobserved = why_not_taken(await sender.submitter.submit(envelope))
        if not unobserved:
            with suppress(TimeoutError):
                async with asyncio.timeout(settings.deadline):
                    await mailing.arrived.wait()
    except ReceiverError as error:
        unobserved = f"{error}."
    finally:
        await receiver.close()
    attempts = tuple(mailing.attempts)
    report = DrillReport(
        drill=name,
        kind=DrillKind.RETRY,
        started_ns=started_ns,
        duration_seconds=(clock.now_ns() - started_ns) / _NS,
        attempts=attempts,
        unobserved=(unobserved,) if unobserved else (),
    )
    return report if unobserved else _judged(report, settings, mailing)


def _judged(report: DrillReport, settings: RetryDrill, mailing: Mailing) -> DrillReport:
    has_arrived = mailing.arrived.is_set()
    terms = RetryTerms(
        deferrals=settings.deferrals,
        deadline_seconds=settings.deadline,
        steady_seconds=settings.steady_wait,
        limits=RetryLimits(minimum_first_seconds=settings.minimum_first_retry),
    )
    intervals = report.retry_intervals
    facts = {"attempts": f"{len(report.attempts)} of {settings.deferrals + 1}"}
    if intervals:
        facts["waits"] = ", ".join(map(duration_words, intervals))
    if len(intervals) >= FEWEST_WAITS and intervals[0] > 0:
        facts["growth"] = f"{max(intervals[1:]) / intervals[0]:.2g} times the first wait"
    facts |= seen_of(report.attempts, mailing)
    facts["delivered"] = "yes, at last" if has_arrived else "no"
    return replace(
        report,
        findings=judge_retries(
            intervals, attempts=len(report.attempts), has_arrived=has_arrived, terms=terms
        ),
        facts=facts,
    )


def seen_of(attempts: tuple[DrillAttempt, ...], mailing: Mailing) -> dict[str, str]:
    """Who came, in words; and what else did."""
    peers = dict.fromkeys(f"{each.peer} ({each.ehlo_name or 'no EHLO'})" for each in attempts)
    facts = {"came from": ", ".join(list(peers)[:5])} if peers else {}
    if mailing.strays:
        facts["of earlier runs"] = f"{mailing.strays} messages, taken and thrown away"
    return facts
