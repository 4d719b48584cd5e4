"""The gauges of the queues of mail servers: what the last look saw, or that it saw nothing.

In: looks. Out: samples in `Series`. When a look failed, all that is known of the queue is taken away, except that it is
not up and how often it was not: neither zero nor what was true before would be.
"""

from __future__ import annotations

from collections.abc import Mapping

from smtp_probe.config.settings import Config
from smtp_probe.model import DelayReason, QueueFailure, QueueLook, QueueSurvey, RetryLook, RetrySchedule
from smtp_probe.report.metric import Metric
from smtp_probe.report.metrics import (
    QUEUE_AGE,
    QUEUE_DEFERRED,
    QUEUE_DESTINATIONS,
    QUEUE_DURATION,
    QUEUE_FAILURES,
    QUEUE_FINDING,
    QUEUE_GROWTH,
    QUEUE_INFO,
    QUEUE_LAST_READ,
    QUEUE_MESSAGES,
    QUEUE_OLDEST,
    QUEUE_PROBES,
    QUEUE_RETRY,
    QUEUE_RETRY_UP,
    QUEUE_SIZE,
    QUEUE_UP,
)
from smtp_probe.report.series import Labels, Series

_OF_A_LOOK = (
    *(QUEUE_MESSAGES, QUEUE_SIZE, QUEUE_OLDEST, QUEUE_AGE),
    *(QUEUE_DEFERRED, QUEUE_DESTINATIONS, QUEUE_GROWTH, QUEUE_PROBES, QUEUE_DURATION),
)


class QueueResults:
    """Shows each queue as it was last seen."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._queues: frozenset[str] = frozenset()

    def declare(self, config: Config) -> None:
        """Take over a configuration."""
        self._queues = frozenset(config.queues)
        for name, queue in config.queues.items():
            own = {"queue": name, "kind": queue.kind.value, "method": queue.effective_method.value}
            self._series.put(QUEUE_INFO, (name,), tuple({**queue.labels, **own}.items()))
            if not queue.retry_check:
                for metric in (QUEUE_RETRY_UP, QUEUE_RETRY, QUEUE_FINDING):
                    self._series.replace(metric, name, {})
            for failure in QueueFailure:
                self._series.put_new(QUEUE_FAILURES, (name, failure.value), 0.0)

    def show(self, look: QueueLook | RetryLook) -> None:
        """Show one look; one into a queue that is configured no more is ignored."""
        if look.queue not in self._queues:
            return
        if isinstance(look, QueueLook):
            self._show_queue(look)
        else:
            self._show_retries(look)

    def _show_retries(self, look: RetryLook) -> None:
        queue = look.queue
        self._series.put(QUEUE_RETRY_UP, (queue,), float(look.failure is None))
        self._series.replace(
            QUEUE_RETRY, queue, {} if look.schedule is None else _waits(queue, look.schedule)
        )
        found: dict[Labels, float] = {
            (queue, finding.check, finding.severity.value): 1.0 for finding in look.findings
        }
        self._series.replace(QUEUE_FINDING, queue, found)

    def _show_queue(self, look: QueueLook) -> None:
        queue = look.queue
        self._series.put(QUEUE_UP, (queue,), float(look.survey is not None))
        if look.survey is None:
            for metric in _OF_A_LOOK:
                self._series.replace(metric, queue, {})
            if look.failure is not None:
                self._series.add(QUEUE_FAILURES, (queue, look.failure.value), 1.0)
            return
        self._series.put(QUEUE_LAST_READ, (queue,), look.at_ns / 1e9)
        growth = look.growth_per_second
        samples: dict[Metric, dict[Labels, float]] = {
            **_samples(queue, look.survey),
            QUEUE_GROWTH: {} if growth is None else {(queue,): growth},
            QUEUE_DURATION: {(queue,): look.duration_seconds},
        }
        for metric in _OF_A_LOOK:
            self._series.replace(metric, queue, samples[metric])


def _samples(queue: str, survey: QueueSurvey) -> Mapping[Metric, dict[Labels, float]]:
    states = [(state.value, found) for state, found in survey.states.items()]
    reasons = survey.deferred_reasons
    return {
        QUEUE_MESSAGES: {(queue, state): float(found.messages) for state, found in states},
        QUEUE_SIZE: {(queue, state): float(found.size_bytes) for state, found in states},
        QUEUE_OLDEST: {
            (queue, state): float(found.oldest_seconds)
            for state, found in states
            if found.oldest_seconds is not None
        },
        QUEUE_AGE: {
            (queue, state, f"{100 * quantile:g}"): age
            for state, found in states
            for quantile, age in found.age_quantiles.items()
        },
        QUEUE_DEFERRED: {(queue, reason.value): float(reasons.get(reason, 0)) for reason in DelayReason},
        QUEUE_DESTINATIONS: {
            (queue, domain): float(number) for domain, number in survey.deferred_destinations.items()
        },
        QUEUE_PROBES: {(queue,): float(len(survey.probes))},
    }


def _waits(queue: str, schedule: RetrySchedule) -> dict[Labels, float]:
    waits = {
        "first": schedule.first_seconds,
        "longest": schedule.longest_seconds,
        "lifetime": schedule.lifetime_seconds,
        "bounce_lifetime": schedule.bounce_lifetime_seconds,
    }
    return {(queue, name): seconds for name, seconds in waits.items() if seconds is not None}
