"""The verdicts on the last message of each route, as samples.

In: an `Authentication` for a route. Out: samples in `Series`. A method of which a side says nothing has no sample: what is
unknown is absent. Whether the sides disagree is told only where both have decided.
"""

from __future__ import annotations

from collections.abc import Mapping

from smtp_probe.config.settings import Config
from smtp_probe.model import Authentication, Event, Method, Source, VerdictsFormed
from smtp_probe.report.message_findings import MessageFindings
from smtp_probe.report.metrics import VERDICT, VERDICTS_DISAGREE
from smtp_probe.report.series import Labels, Series

_PART = "authentication"


class VerdictResults:
    """All routes."""

    def __init__(self, series: Series, findings: MessageFindings) -> None:
        self._series = series
        self._findings = findings
        self._routes: frozenset[str] = frozenset()
        self.latest: dict[str, Authentication] = {}
        """The last of each route, for pages."""

    def declare(self, config: Config) -> None:
        """Take over a configuration: what is gone, or not to be looked at any more, is forgotten."""
        self._routes = frozenset(name for name, route in config.routes.items() if route.authentication)
        for route in [route for route in self.latest if route not in self._routes]:
            del self.latest[route]
            for metric in (VERDICT, VERDICTS_DISAGREE):
                self._series.replace(metric, route, {})
            if route in config.routes:
                self._findings.show(route, _PART, ())

    def observe(self, event: Event) -> None:
        """Learn from one event that the journal has."""
        if isinstance(event, VerdictsFormed):
            self.show(event.route, event.found)

    def recall(self, found: Mapping[str, Authentication]) -> None:
        """Learn what an earlier run found last, by route."""
        for route, each in found.items():
            self.show(route, each)

    def show(self, route: str, found: Authentication) -> None:
        """Take over the verdicts on a route's last message."""
        if route not in self._routes:
            return
        self.latest[route] = found
        verdicts: dict[Labels, float] = {}
        for method in Method:
            for source in Source:
                verdict = found.summary(method, source)
                if verdict is not None:
                    verdicts[route, method.value, source.value, verdict.result.value] = 1.0
        disagree: dict[Labels, float] = {
            (route, method.value): float(not agrees) for method, agrees in found.agreement.items()
        }
        self._series.replace(VERDICT, route, verdicts)
        self._series.replace(VERDICTS_DISAGREE, route, disagree)
        self._findings.show(route, _PART, found.findings)
