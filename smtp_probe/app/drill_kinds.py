"""How each kind of drill is run: settings become adapters and, in the end, a report. Imported when a drill is configured.

In: one drill of a configuration, and who can hand mail to its sender's server. Out: a report. The bounce drill is one probe of
the program's own kind, on a route of its own that no file has; the others have their parts in `probes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from smtp_probe.app.bounce_drill import run_bounce_drill
from smtp_probe.config.drills import (
    AnyDrill,
    BounceDrill,
    FailoverDrill,
    Listener,
    RejectionDrill,
    RetryDrill,
)
from smtp_probe.config.settings import Config, Sender
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import Desk, DrillReport, Manner
from smtp_probe.network.drill_receiver import DrillReceiver, Limits
from smtp_probe.network.submission import SmtpSubmitter
from smtp_probe.network.trespass import SmtpTrespasser
from smtp_probe.ports import Clock, MailReceiver, Reception
from smtp_probe.probes.drill_mail import DrillSender
from smtp_probe.probes.failover_drill import run_failover_drill
from smtp_probe.probes.rejection_drill import run_rejection_drill
from smtp_probe.probes.retry_drill import run_retry_drill


class DrillKinds:
    """Runs drills of any kind."""

    def __init__(
        self, clock: Clock, keys: Sequence[TagKey], submitter: Callable[[str], SmtpSubmitter]
    ) -> None:
        self._clock = clock
        self._keys = keys
        self._submitter = submitter

    async def run(self, name: str, settings: AnyDrill, sender: Sender, config: Config) -> DrillReport:
        """Run one drill, now."""
        if isinstance(settings, BounceDrill):
            return await run_bounce_drill(name, settings, config, keys=self._keys, clock=self._clock)
        submitter = self._submitter(settings.sender)
        if isinstance(settings, RejectionDrill):
            trespasser = SmtpTrespasser(submitter.terms, settings.wrong_username)
            return await run_rejection_drill(name, settings, sender, trespasser, self._clock)
        hand_over = DrillSender(sender, submitter, self._keys, self._clock)
        if isinstance(settings, RetryDrill):
            listen = partial(self._listen, sender, settings.listen)
            return await run_retry_drill(name, settings, hand_over, listen)
        return await run_failover_drill(
            name, settings, hand_over, partial(self._listen_twice, sender, settings)
        )

    def _listen(
        self,
        sender: Sender,
        place: Listener,
        reception: Reception,
        manner: Manner = Manner.SERVE,
        hold_seconds: float | None = None,
    ) -> MailReceiver:
        limits = Limits() if hold_seconds is None else Limits(hold_seconds=hold_seconds)
        return DrillReceiver(
            place.address, place.port, sender.ehlo_name, reception, self._clock, manner=manner, limits=limits
        )

    def _listen_twice(
        self, sender: Sender, settings: FailoverDrill, desk: Desk, reception: Reception, manner: Manner
    ) -> MailReceiver:
        place = settings.preferred if desk is Desk.PREFERRED else settings.fallback
        return self._listen(sender, place, reception, manner, settings.hold)


def places_of(settings: AnyDrill) -> tuple[tuple[str, int], ...]:
    """Where a drill listens."""
    if isinstance(settings, RetryDrill):
        return ((settings.listen.address, settings.listen.port),)
    if isinstance(settings, FailoverDrill):
        # Also where it is to refuse: another drill must not listen there meanwhile.
        return tuple((place.address, place.port) for place in (settings.preferred, settings.fallback))
    return ()
