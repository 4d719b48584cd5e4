"""The queues of a configuration, watched: settings become plans, looks go to the metrics and the pages.

In: a configuration, and the probes in flight. Out: samples, and what the page of the queue shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from smtp_probe.config.settings import Config, Queue
from smtp_probe.config.values import format_duration
from smtp_probe.mail.queue_listing.survey import Recognise
from smtp_probe.model import QueueLook, QueueSurvey, RetryLook
from smtp_probe.model.words import in_words
from smtp_probe.policy.retry_schedule import RetryLimits
from smtp_probe.ports import Clock
from smtp_probe.probes.ledger import Flight
from smtp_probe.probes.local_queue import QueuePlan, QueueWatch
from smtp_probe.probes.own_messages import make_recogniser
from smtp_probe.report.web.checked import CheckedSubject, SeenInQueue

_SHOWN_PROBES = 40


class WatchedQueues:
    """Wires `probes.local_queue` to a configuration."""

    def __init__(
        self,
        clock: Clock,
        flights: Callable[[], Sequence[Flight]],
        on_look: Callable[[QueueLook | RetryLook], None],
    ) -> None:
        self._looks: dict[str, QueueLook] = {}
        self._retries: dict[str, RetryLook] = {}
        self._flights = flights
        self._on_look = on_look
        self._config: Config | None = None
        self._is_watching = False
        self._watch = QueueWatch(clock, self.looked, self._recogniser)

    def configure(self, config: Config) -> None:
        """Take over a configuration."""
        self._config = config
        self._looks = {name: look for name, look in self._looks.items() if name in config.queues}
        self._retries = {
            name: look
            for name, look in self._retries.items()
            if name in config.queues and config.queues[name].retry_check
        }
        if self._is_watching:
            self._watch.configure([_plan(name, settings) for name, settings in config.queues.items()])

    def start(self) -> None:
        """Begin to watch what is configured. Who sends one probe by hand needs no queue."""
        self._is_watching = True
        if self._config is not None:
            self.configure(self._config)

    async def close(self) -> None:
        """End every look."""
        await self._watch.close()

    def view(self) -> tuple[CheckedSubject, ...] | None:
        """What the page shows; None where no queue is configured."""
        if self._config is None or not self._config.queues:
            return None
        return tuple(
            _view(name, self._looks.get(name), self._retries.get(name)) for name in self._config.queues
        )

    def queued(self) -> tuple[SeenInQueue, ...]:
        """Our own messages, as the last look into each queue saw them."""
        return tuple(
            SeenInQueue(queue=name, at_ns=look.at_ns, probe=probe)
            for name, look in self._looks.items()
            if look.survey is not None
            for probe in look.survey.probes
        )

    def looked(self, look: QueueLook | RetryLook) -> None:
        """Take a look over: our own, or another process's."""
        if isinstance(look, QueueLook):
            self._looks[look.queue] = look
        else:
            self._retries[look.queue] = look
        self._on_look(look)

    def _recogniser(self) -> Recognise:
        assert self._config is not None
        senders = {name: sender.envelope_from for name, sender in self._config.senders.items()}
        return make_recogniser(self._flights(), senders)


def _plan(name: str, settings: Queue) -> QueuePlan:
    # Imported where there is a queue.
    from smtp_probe.network.queue import LocalQueue
    from smtp_probe.network.queue_policy import LocalRetryPolicy

    reader = LocalQueue(settings)
    return QueuePlan(
        name=name,
        reader=reader,
        states=reader.states,
        interval_seconds=settings.interval,
        top_destinations=settings.top_domains,
        retry_reader=LocalRetryPolicy(settings) if settings.retry_check else None,
        retry_limits=RetryLimits(
            minimum_first_seconds=settings.minimum_first_retry,
            minimum_lifetime_seconds=settings.minimum_lifetime,
            maximum_lifetime_seconds=settings.maximum_lifetime,
        ),
        detail=settings.model_dump_json(exclude={"labels"}),
    )


def _view(name: str, look: QueueLook | None, retries: RetryLook | None) -> CheckedSubject:
    unobserved: list[str] = []
    facts: dict[str, str] = {}
    if look is not None and look.survey is None:
        unobserved.append(f"The queue cannot be read: {look.detail}.")
    if look is not None and look.survey is not None:
        facts |= _facts(look.survey)
    if retries is not None and retries.failure is not None:
        unobserved.append(f"How the server retries is not known: {retries.detail}.")
    if retries is not None and retries.schedule is not None:
        schedule = retries.schedule
        facts["retries"] = (
            f"first after {format_duration(schedule.first_seconds)}, at most every "
            f"{format_duration(schedule.longest_seconds)}, for {format_duration(schedule.lifetime_seconds)}"
        )
    return CheckedSubject(
        name=name,
        checked_ns=None if look is None else look.at_ns,
        findings=() if retries is None else retries.findings,
        unobserved=tuple(unobserved),
        facts=facts,
    )


def _facts(survey: QueueSurvey) -> dict[str, str]:
    """What stands in the queue, in a few words; our own probes by their ids."""
    facts = {f"{state.value} messages": str(found.messages) for state, found in survey.states.items()}
    facts |= {
        f"deferred: {in_words(reason)}": str(number) for reason, number in survey.deferred_reasons.items()
    }
    for probe in survey.probes[:_SHOWN_PROBES]:
        place = f"{probe.state.value}, route {probe.route}, queue id {probe.queue_id}"
        facts[f"probe {probe.probe_id}"] = f"{place}: {probe.reason}" if probe.reason else place
    return facts
