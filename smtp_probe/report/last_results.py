"""The gauges of what happened last on each route: they make tables and timelines, the counters make rules.

In: events, or after a restart the outcomes that the journal kept. Out: samples in `Series`. What is unknown is absent,
never zero. Says nothing of routes that the configuration does not have.
"""

from __future__ import annotations

from collections.abc import Callable

from smtp_probe.config.settings import Config
from smtp_probe.model import (
    Arrival,
    Disposition,
    Event,
    Outcome,
    Probe,
    ProbeEnded,
    ProbeSubmitted,
    Submission,
)
from smtp_probe.report.increments import is_success
from smtp_probe.report.known_series import endpoint_name
from smtp_probe.report.metrics import (
    CERTIFICATE_END,
    HOPS,
    LAST_DELIVERY,
    LAST_HOP,
    LAST_PHASE,
    LAST_PROBE,
    LAST_SUCCESS,
    OTHER,
    SHOWN_PHASES,
    VISIBILITY_DELAY,
    Metric,
)
from smtp_probe.report.series import Labels, Series

HOPS_BY_DETAIL = {"default": 4, "full": 16}
"""Most hops shown of a route. Where there are more, the last of these stands for all the rest."""
REST = "rest"


class LastResults:
    """What each route did last. `host_label` gives the label value for a hop's host."""

    def __init__(self, series: Series, host_label: Callable[[str], str]) -> None:
        self._series = series
        self._host_label = host_label
        self._routes: frozenset[str] = frozenset()
        self._endpoints: dict[str, str] = {}
        self._max_hops = HOPS_BY_DETAIL["default"]

    def declare(self, config: Config) -> None:
        """Take over a configuration."""
        self._routes = frozenset(config.routes)
        self._max_hops = HOPS_BY_DETAIL[config.metrics.detail]
        self._endpoints = {
            name: endpoint_name(sender.host, sender.effective_port) for name, sender in config.senders.items()
        }

    def observe(self, event: Event) -> None:
        """Learn from one event. Fits `ports.Sink`."""
        match event:
            case ProbeSubmitted(probe=probe, submission=submission) if probe.route in self._routes:
                self._submitted(probe, submission)
            case ProbeEnded(outcome=outcome) if outcome.probe.route in self._routes:
                self._ended(outcome)

    def recall(self, outcome: Outcome) -> None:
        """Learn from an outcome of an earlier run. To be given oldest first."""
        if outcome.submission is not None:
            self.observe(ProbeSubmitted(probe=outcome.probe, submission=outcome.submission))
        self.observe(ProbeEnded(outcome=outcome))

    def _submitted(self, probe: Probe, submission: Submission) -> None:
        if submission.disposition is not Disposition.UNOBSERVED:
            self._move_on(LAST_PROBE, probe.route, submission.started_ns)
        durations: dict[Labels, float] = {}
        for timing in submission.phases:
            if timing.phase in SHOWN_PHASES:
                durations[probe.route, timing.phase.value] = timing.duration_seconds
        self._series.replace(LAST_PHASE, probe.route, durations)
        endpoint, tls = self._endpoints.get(probe.sender), submission.tls
        if endpoint is not None and tls is not None and tls.not_after_ns is not None:
            self._series.put(CERTIFICATE_END, (endpoint,), tls.not_after_ns / 1e9)

    def _ended(self, outcome: Outcome) -> None:
        route = outcome.probe.route
        if is_success(outcome):
            self._move_on(LAST_SUCCESS, route, outcome.ended_ns)
        if outcome.delivery_seconds is not None:
            self._series.put(LAST_DELIVERY, (route,), outcome.delivery_seconds)
        if outcome.arrival is not None:
            self._arrived(route, outcome.arrival)
        if outcome.visibility_seconds is not None:
            self._series.put(VISIBILITY_DELAY, (outcome.probe.mailbox,), outcome.visibility_seconds)

    def _arrived(self, route: str, arrival: Arrival) -> None:
        self._series.put(HOPS, (route,), float(len(arrival.trace.hops)))
        shown: dict[Labels, float] = {}
        known = [(d, d.delay_seconds) for d in arrival.trace.delays if d.delay_seconds is not None]
        cut = len(known) if len(known) <= self._max_hops else self._max_hops - 1
        for delay, seconds in known[:cut]:
            shown[route, str(delay.position), self._host_label(delay.by)] = seconds
        if known[cut:]:
            shown[route, REST, OTHER] = sum(seconds for _, seconds in known[cut:])
        self._series.replace(LAST_HOP, route, shown)

    def _move_on(self, metric: Metric, route: str, at_ns: int) -> None:
        """Set a time stamp, which never goes back: probes do not end in the order in which they began."""
        before = self._series.get(metric, (route,))
        at_seconds = at_ns / 1e9
        if not isinstance(before, float) or before < at_seconds:
            self._series.put(metric, (route,), at_seconds)
