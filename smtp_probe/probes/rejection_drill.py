"""The rejection drill: what must be refused, tried one after the other, with a pause between.

In: settings, the sender, and a `ports.Trespasser`. Out: a `DrillReport`. Nothing is ever sent to a stranger: what would relay stops
at RCPT, and what goes as far as a message goes to the mailbox of our own that the settings name. No true password is used
where it could be seen or counted as a failure.
"""

from __future__ import annotations

from collections.abc import Mapping

from smtp_probe.config.drills import RejectionCheck, RejectionDrill
from smtp_probe.config.settings import Sender
from smtp_probe.mail.trespasses import eicar_message, gtube_message, plain_message
from smtp_probe.model import DrillKind, DrillReport, DrillTrial
from smtp_probe.model.words import spaced
from smtp_probe.policy.drills.rejection import judge_trials
from smtp_probe.ports import Clock, Trespass, Trespasser

_NS = 10**9
_PAUSE_SECONDS = 0.5
"""Between two connections: a server that counts them must not take us for a flood."""


async def run_rejection_drill(
    name: str, settings: RejectionDrill, sender: Sender, trespasser: Trespasser, clock: Clock
) -> DrillReport:
    """Try every check that is named. Raises nothing for what the other side does."""
    started_ns = clock.now_ns()
    trials: list[DrillTrial] = []
    for check in settings.checks:
        if trials:
            await clock.sleep(_PAUSE_SECONDS)
        trials.append(await trespasser.attempt(plan(check, settings, sender, started_ns)))
    return DrillReport(
        drill=name,
        kind=DrillKind.REJECTION,
        started_ns=started_ns,
        duration_seconds=(clock.now_ns() - started_ns) / _NS,
        findings=judge_trials(trials, settings.expected),
        unobserved=tuple(f"{trial.check}: {trial.unobserved}" for trial in trials if trial.unobserved),
        facts=_facts(trials),
        trials=tuple(trials),
    )


def plan(check: RejectionCheck, settings: RejectionDrill, sender: Sender, now_ns: int) -> Trespass:
    """What is done for one check."""
    own, recipient, forged = sender.envelope_from, settings.recipient, settings.forged_address or ""
    author = (sender.from_ or own).rpartition("<")[2].rstrip("> ")
    name = check.value
    match check:
        case RejectionCheck.RELAY:
            return Trespass(
                check=name, login="none", sender="stranger@example.com", recipient=settings.foreign_recipient
            )
        case RejectionCheck.NO_AUTH:
            return Trespass(check=name, login="none", sender=own, recipient=recipient)
        case RejectionCheck.WRONG_AUTH:
            return Trespass(check=name, login="wrong")
        case RejectionCheck.AUTH_BEFORE_TLS:
            return Trespass(check=name, login="wrong", is_secured=False)
        case RejectionCheck.FORGED_SENDER:
            message = plain_message(author, recipient, "a forged envelope sender", now_ns)
            return Trespass(check=name, sender=forged, recipient=recipient, message=message)
        case RejectionCheck.FORGED_FROM:
            message = plain_message(forged, recipient, "a forged From header", now_ns)
            return Trespass(check=name, sender=own, recipient=recipient, message=message)
        case RejectionCheck.OVERSIZED:
            message = plain_message(author, recipient, "an oversized message", now_ns)
            return Trespass(
                check=name,
                sender=own,
                recipient=recipient,
                message=message,
                is_oversized=True,
                oversized_bytes=settings.oversized_bytes,
            )
        case RejectionCheck.GTUBE:
            return Trespass(
                check=name, sender=own, recipient=recipient, message=gtube_message(author, recipient, now_ns)
            )
        case RejectionCheck.EICAR:
            return Trespass(
                check=name, sender=own, recipient=recipient, message=eicar_message(author, recipient, now_ns)
            )


def _facts(trials: list[DrillTrial]) -> Mapping[str, str]:
    return {spaced(trial.check): trial.unobserved or f"{trial.step}: {trial.reply}" for trial in trials}
