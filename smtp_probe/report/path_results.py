"""The gauges of the last way of each route: where the time went, whose hosts they were, and how their clocks go.

In: outcomes of messages that arrived. Out: samples in `Series`. What is unknown is absent, never zero. Every host's name
goes through the caps; of hosts that are not told apart neither clock nor encryption is shown, since one value for all of
them would be true of none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtp_probe.config.settings import Config
from smtp_probe.model import HopTime, Outcome, PathFacts, Timing
from smtp_probe.report.label_caps import LabelCaps
from smtp_probe.report.label_words import LEGS, OTHER
from smtp_probe.report.message_findings import MessageFindings
from smtp_probe.report.metrics import (
    CLOCK_OFFSET,
    CLOCK_OFFSET_BOUND,
    HOP_TLS,
    HOP_UNCERTAINTY,
    LAST_HOP,
    LEG_DURATION,
    PATH_INFO,
    SLOWEST_HOP,
)
from smtp_probe.report.series import Labels, Series

HOPS_BY_DETAIL = {"minimal": 3, "route": 3, "default": 3, "full": 16}
"""Most hops shown of a route. Where there are more, the last of these stands for all the rest."""
REST = "rest"
STORE = "store"
FORGET_NS = 86_400 * 1_000_000_000
"""What was known of a host that no message has passed for so long is not shown any more."""


class PathResults:
    """The last way of each route."""

    def __init__(self, series: Series, caps: LabelCaps, findings: MessageFindings) -> None:
        self._series = series
        self._findings = findings
        self._caps = caps
        self._max_hops = HOPS_BY_DETAIL["default"]
        self._met_ns: dict[str, int] = {}

    def declare(self, config: Config) -> None:
        """Take over a configuration."""
        self._max_hops = HOPS_BY_DETAIL[config.metrics.detail]

    def arrived(self, outcome: Outcome) -> None:
        """Learn from the end of a probe whose message arrived."""
        route, timing, path = outcome.probe.route, outcome.timing, outcome.path
        self._show_hops(route, timing)
        if timing is not None:
            self._show_clocks(timing, outcome.ended_ns)
        if path is not None:
            self._show_path(route, path)
            self._findings.show(route, "path", path.findings)
            self._show_encryption(path, outcome.ended_ns)
        self._forget(outcome.ended_ns)

    def _show_hops(self, route: str, timing: Timing | None) -> None:
        durations: dict[Labels, float] = {}
        doubts: dict[Labels, float] = {}
        for labels, hops in self._choose(route, timing.hops if timing is not None else ()):
            durations[labels] = sum(hop.span.took_ns for hop in hops) / 1e9
            doubts[labels] = sum(hop.span.uncertainty_seconds for hop in hops)
        self._series.replace(LAST_HOP, route, durations)
        self._series.replace(HOP_UNCERTAINTY, route, doubts)
        slowest = timing.slowest if timing is not None else None
        named: dict[Labels, float] = {} if slowest is None else {self._labels(route, slowest): 1.0}
        self._series.replace(SLOWEST_HOP, route, named)

    def _choose(self, route: str, hops: Sequence[HopTime]) -> Iterator[tuple[Labels, Sequence[HopTime]]]:
        """Give the hops that are shown: all, or those that took the longest, and the rest as one."""
        most = self._max_hops if len(hops) <= self._max_hops else self._max_hops - 1
        ranked = sorted(hops, key=lambda hop: -hop.span.took_ns)
        for hop in ranked[:most]:
            yield self._labels(route, hop), (hop,)
        if ranked[most:]:
            yield (route, REST, OTHER), ranked[most:]

    def _labels(self, route: str, hop: HopTime) -> Labels:
        position = STORE if hop.event == "stored" else str(hop.last)
        return route, position, self._caps.host_label(hop.by)

    def _show_clocks(self, timing: Timing, now_ns: int) -> None:
        for clock in timing.offsets:
            by = self._caps.host_label(clock.by)
            if by != OTHER:
                self._met_ns[by] = now_ns
                self._series.put(CLOCK_OFFSET, (by,), clock.span.seconds)
                self._series.put(CLOCK_OFFSET_BOUND, (by,), clock.span.uncertainty_seconds)

    def _show_path(self, route: str, path: PathFacts) -> None:
        legs: dict[Labels, float] = {(route, each.leg.value): each.span.seconds for each in path.legs}
        self._series.replace(LEG_DURATION, route, legs)
        fingerprint = self._caps.path_label(route, path.identity.fingerprint)
        origin = "unknown" if path.origin is None else path.origin.value
        said = (("route", route), ("path", fingerprint), ("origin", origin))
        self._series.put(PATH_INFO, (route,), said)

    def _show_encryption(self, path: PathFacts, now_ns: int) -> None:
        """A host that took the message in twice on one leg, once in plaintext, took it in plaintext."""
        shown: dict[Labels, bool] = {}
        for role in path.roles:
            labels: Labels = (
                self._caps.host_label(role.by),
                role.leg.value if role.leg is not None else LEGS[-1],
            )
            if role.is_encrypted is not None and labels[0] != OTHER:
                shown[labels] = role.is_encrypted and shown.get(labels, True)
        for labels, is_encrypted in shown.items():
            self._met_ns[labels[0]] = now_ns
            self._series.put(HOP_TLS, labels, float(is_encrypted))

    def _forget(self, now_ns: int) -> None:
        for by, met_ns in list(self._met_ns.items()):
            if now_ns - met_ns > FORGET_NS:
                del self._met_ns[by]
                for metric in (CLOCK_OFFSET, CLOCK_OFFSET_BOUND):
                    self._series.remove(metric, (by,))
                for leg in LEGS:
                    self._series.remove(HOP_TLS, (by, leg))
