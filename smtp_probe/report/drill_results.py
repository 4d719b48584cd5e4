"""What drills came to, as samples: each drill as its last run left it.

In: reports. Out: samples in `Series`. Where a run could not observe what it wanted to, what was measured before is taken
away with it: a finding that cannot be seen now is neither there nor gone, and `drill_runs_total` says so.
"""

from __future__ import annotations

import logging

from smtp_probe.config.settings import Config
from smtp_probe.model import DrillKind, DrillReport, DrillResult, Severity
from smtp_probe.report.metrics import (
    DRILL_DURATION,
    DRILL_FAILOVER,
    DRILL_FINDING,
    DRILL_HEALTHY,
    DRILL_INFO,
    DRILL_LAST_RUN,
    DRILL_RETRY,
    DRILL_RUNS,
)
from smtp_probe.report.sentences import describe_duration
from smtp_probe.report.series import Labels, Series

_log = logging.getLogger(__name__)
_OF_A_RUN = (DRILL_HEALTHY, DRILL_LAST_RUN, DRILL_DURATION, DRILL_FINDING, DRILL_RETRY, DRILL_FAILOVER)
_LEVELS = {
    DrillResult.HEALTHY: logging.INFO,
    DrillResult.UNHEALTHY: logging.WARNING,
    DrillResult.UNOBSERVED: logging.WARNING,
}

_FINDING_LEVELS = {
    Severity.CRITICAL: logging.ERROR,
    Severity.ERROR: logging.WARNING,
    Severity.WARNING: logging.WARNING,
    Severity.INFO: logging.INFO,
}


class DrillResults:
    """All drills, and their last reports for pages."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._kinds: dict[str, DrillKind] = {}
        self.latest: dict[str, DrillReport] = {}
        """The last report of each drill that is configured."""

    def declare(self, config: Config) -> None:
        """Take over a configuration: what is gone, or is of another kind now, is forgotten."""
        self._kinds = {name: kind for kind in DrillKind for name in getattr(config.drills, kind.value)}
        self.latest = {
            name: report for name, report in self.latest.items() if self._kinds.get(name) is report.kind
        }
        for name, kind in self._kinds.items():
            self._series.put(DRILL_INFO, (name,), (("drill", name), ("kind", kind.value)))
            for result in DrillResult:
                self._series.put_new(DRILL_RUNS, (name, result.value), 0.0)
            if name not in self.latest:
                for metric in _OF_A_RUN:
                    self._series.replace(metric, name, {})

    def show(self, report: DrillReport) -> None:
        """Take over what a run came to; one of a drill that is configured no more is ignored."""
        if self._kinds.get(report.drill) is not report.kind:
            return
        self.recall(report)
        self._series.add(DRILL_RUNS, (report.drill, report.result.value), 1.0)
        _log_report(report)

    def recall(self, report: DrillReport) -> None:
        """Take over the last report of an earlier run of the program: it is shown, and not counted."""
        drill = report.drill
        if self._kinds.get(drill) is not report.kind:
            return
        self.latest[drill] = report
        is_known = report.result is not DrillResult.UNOBSERVED
        is_healthy = float(report.result is DrillResult.HEALTHY)
        healthy: dict[Labels, float] = {(drill,): is_healthy} if is_known else {}
        ended_seconds = report.started_ns / 1e9 + report.duration_seconds
        findings: dict[Labels, float] = {
            (drill, finding.check, finding.severity.value): 1.0 for finding in report.findings
        }
        intervals: dict[Labels, float] = {
            (drill, str(number)): seconds for number, seconds in enumerate(report.retry_intervals, start=2)
        }
        reached = report.failover_seconds
        failover: dict[Labels, float] = {} if reached is None else {(drill,): reached}
        self._series.replace(DRILL_HEALTHY, drill, healthy)
        self._series.put(DRILL_LAST_RUN, (drill,), ended_seconds)
        self._series.put(DRILL_DURATION, (drill,), report.duration_seconds)
        self._series.replace(DRILL_FINDING, drill, findings)
        self._series.replace(DRILL_RETRY, drill, intervals)
        self._series.replace(DRILL_FAILOVER, drill, failover)


def _log_report(report: DrillReport) -> None:
    """One line for the run, and one for each thing that is wrong with it or could not be seen."""
    extra = {"drill": report.drill, "kind": report.kind.value}
    result = report.result
    levels = [_FINDING_LEVELS[finding.severity] for finding in report.findings]
    took = describe_duration(report.duration_seconds)
    _log.log(max([_LEVELS[result], *levels]), "drill ended: %s after %s", result.value, took, extra=extra)
    for finding, level in zip(report.findings, levels, strict=True):
        more = {"check": finding.check, "severity": finding.severity.value, "subject": finding.subject}
        _log.log(level, "finding: %s", finding.message, extra={**extra, **more})
    for sentence in report.unobserved:
        _log.warning("not observed: %s", sentence, extra=extra)
