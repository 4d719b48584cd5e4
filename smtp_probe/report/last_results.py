"""The gauges of what happened last on each route: they make tables and timelines, the counters make rules.

In: events, or after a restart the outcomes that the journal kept. Out: samples in `Series`. What is unknown is absent,
never zero. Says nothing of routes that the configuration does not have.
"""

from __future__ import annotations

from collections.abc import Sequence

from smtp_probe.config.settings import Config
from smtp_probe.model import (
    Disposition,
    Event,
    Outcome,
    Phase,
    Probe,
    ProbeEnded,
    ProbeSubmitted,
    SpamFilter,
    SpamResult,
    Submission,
    SubmissionDeferred,
)
from smtp_probe.report.increments import is_success
from smtp_probe.report.known_series import endpoint_name
from smtp_probe.report.label_caps import LabelCaps
from smtp_probe.report.label_words import OTHER, SHOWN_PHASES
from smtp_probe.report.message_findings import MessageFindings
from smtp_probe.report.metric import Metric
from smtp_probe.report.metrics import (
    CERTIFICATE_END,
    HOPS,
    LAST_DELIVERY,
    LAST_PHASE,
    LAST_PROBE,
    LAST_SUCCESS,
    SPAM_SCORE,
    SPAM_THRESHOLD,
    VISIBILITY_DELAY,
)
from smtp_probe.report.path_results import PathResults
from smtp_probe.report.series import Labels, Series

FILTERS_BY_DETAIL = {"minimal": 1, "route": 1, "default": 1, "full": len(SpamFilter)}
"""Most spam filters shown of a route: those nearest to its mailbox."""


class LastResults:
    """What each route did last."""

    def __init__(self, series: Series, caps: LabelCaps, findings: MessageFindings) -> None:
        self._series = series
        self._paths = PathResults(series, caps, findings)
        self._most_filters = 1
        self._routes: frozenset[str] = frozenset()
        self._endpoints: dict[str, str] = {}
        self._phases = SHOWN_PHASES["default"]

    def declare(self, config: Config) -> None:
        """Take over a configuration."""
        self._routes = frozenset(config.routes)
        self._phases = SHOWN_PHASES[config.metrics.detail]
        self._most_filters = FILTERS_BY_DETAIL[config.metrics.detail]
        self._paths.declare(config)
        self._endpoints = {
            name: endpoint_name(sender.host, sender.effective_port) for name, sender in config.senders.items()
        }

    def observe(self, event: Event) -> None:
        """Learn from one event. Fits `ports.Sink`."""
        match event:
            case ProbeSubmitted(probe=probe, submission=submission) if probe.route in self._routes:
                self._submitted(probe, submission)
            case SubmissionDeferred(probe=probe, submission=submission) if probe.route in self._routes:
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
            if timing.phase is not Phase.QUIT:
                labels = probe.route, timing.phase.value if timing.phase in self._phases else OTHER
                durations[labels] = durations.get(labels, 0.0) + timing.duration_seconds
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
            self._series.put(HOPS, (route,), float(len(outcome.arrival.trace.hops)))
            self._paths.arrived(outcome)
            self._filtered(route, outcome.arrival.spam)
        if outcome.visibility_seconds is not None:
            self._series.put(VISIBILITY_DELAY, (outcome.probe.mailbox,), outcome.visibility_seconds)

    def _filtered(self, route: str, results: Sequence[SpamResult]) -> None:
        """Show what the filters nearest to the mailbox say. The threshold of a score that is not shown is not, either."""
        scores: dict[Labels, float] = {}
        thresholds: dict[Labels, float] = {}
        for result in [each for each in results if each.score is not None][: self._most_filters]:
            labels = route, result.filter.value
            scores[labels] = result.score or 0.0
            if result.threshold is not None:
                thresholds[labels] = result.threshold
        self._series.replace(SPAM_SCORE, route, scores)
        self._series.replace(SPAM_THRESHOLD, route, thresholds)

    def _move_on(self, metric: Metric, route: str, at_ns: int) -> None:
        """Set a time stamp, which never goes back: probes do not end in the order in which they began."""
        before = self._series.get(metric, (route,))
        at_seconds = at_ns / 1e9
        if not isinstance(before, float) or before < at_seconds:
            self._series.put(metric, (route,), at_seconds)
