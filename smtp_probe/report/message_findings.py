"""What the last message of each route shows that is wrong, as samples: of its way, of its authentication, ...

In: the findings of one part of a message. Out: samples in `Series`. The parts are learned of at different times (a way with
the probe's end, verdicts when DNS has answered), so each replaces its own findings only. Of very many the most severe
are shown; the others are on the probe's page and in `smtp-probe explain`. A sound route has none.
"""

from __future__ import annotations

from collections.abc import Iterable

from smtp_probe.config.settings import Config
from smtp_probe.model import Finding
from smtp_probe.report.metrics import ROUTE_FINDING
from smtp_probe.report.series import Labels, Series

MOST_FINDINGS = 8
"""Samples of one route, at any detail: a finding that stands and is not shown would be a lie."""


class MessageFindings:
    """All routes. A part is named by whoever tells of it."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._found: dict[str, dict[str, tuple[Finding, ...]]] = {}

    def declare(self, config: Config) -> None:
        """Take over a configuration: of routes that are gone all is forgotten."""
        self._found = {route: parts for route, parts in self._found.items() if route in config.routes}
        for route in self._found:
            self._write(route)

    def show(self, route: str, part: str, findings: Iterable[Finding]) -> None:
        """Take over what one part of a route's last message shows, in place of what it showed before."""
        self._found.setdefault(route, {})[part] = tuple(findings)
        self._write(route)

    def _write(self, route: str) -> None:
        parts = self._found[route]
        found = {(each.check, each.severity) for part in sorted(parts) for each in parts[part]}
        ranked = sorted(found, key=lambda pair: (pair[1].rank, pair[0]))
        shown: dict[Labels, float] = {
            (route, check, severity.value): 1.0 for check, severity in ranked[:MOST_FINDINGS]
        }
        self._series.replace(ROUTE_FINDING, route, shown)
