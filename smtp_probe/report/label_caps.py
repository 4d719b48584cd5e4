"""The bound on label values that come from outside: so many are told apart, the rest is `other`.

In: increments as events give them. Out: increments whose labels may be stored and shown. What has been told apart once
stays so, also after a restart, so no counter ever moves from one label value to another. Any thread may call.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from smtp_probe.report.increments import Increment
from smtp_probe.report.label_words import OTHER
from smtp_probe.report.metrics import BOUNCES, CLOCK_STEPS, HOP_DURATION, SMTP_REPLIES
from smtp_probe.report.series import Labels

MAX_HOSTS = 50
"""Most values of the label `by`, `other` included."""
REPLIES_BY_DETAIL = {"minimal": 2, "route": 2, "default": 2, "full": 16}
"""Most pairs of phase and code for one route, `other` included. Where there is room for one beside it, that is not a 4xx:
greylisting is what many a route meets first, and all that was accepted later would be `other`."""
BOUNCES_BY_DETAIL = {"minimal": 2, "route": 2, "default": 2, "full": 16}
"""Most pairs of status class and category for one route, `other` included."""
_BY_HOST = frozenset({HOP_DURATION.name, CLOCK_STEPS.name})
_CAPPED = _BY_HOST | {SMTP_REPLIES.name, BOUNCES.name}


@dataclass(slots=True)
class _Told:
    """The label values that are told apart, besides `other`."""

    values: set[Labels] = field(default_factory=set)

    def accept(self, labels: Labels, most: int) -> bool:
        """Whether these are told apart: because they have been before, or because there is room."""
        if labels not in self.values and len(self.values) >= most - 1:
            return False
        self.values.add(labels)
        return True


MAX_PATHS = 16
"""Most fingerprints of ways for one route, `other` included."""


class LabelCaps:
    """What has been told apart so far."""

    def __init__(self) -> None:
        self.detail = "default"
        """The setting `metrics.detail`."""
        self._lock = Lock()
        self._hosts = _Told()
        self._replies: dict[str, _Told] = {}
        self._bounces: dict[str, _Told] = {}
        self._paths: dict[str, _Told] = {}

    def admit(self, increments: Iterable[Increment]) -> tuple[Increment, ...]:
        """Fold the labels of increments that are over a cap into `other`."""
        with self._lock:
            return tuple(self._bound(increment) for increment in increments)

    def remember(self, metric: str, labels: Labels) -> None:
        """Learn that a sample exists, whatever the caps say."""
        if metric not in _CAPPED:
            return
        with self._lock:
            told = self._told(metric, labels)
            if told is not None and set(labels[1:] or labels) != {OTHER}:
                told.values.add(labels)

    def host_label(self, by: str) -> str:
        """Give the value of the label `by` for the hops of this host."""
        with self._lock:
            return by if self._hosts.accept((by,), MAX_HOSTS) else OTHER

    def path_label(self, route: str, fingerprint: str) -> str:
        """Give the value of the label `path` for this way of a route."""
        with self._lock:
            told = self._paths.setdefault(route, _Told())
            return fingerprint if told.accept((fingerprint,), MAX_PATHS) else OTHER

    def _bound(self, increment: Increment) -> Increment:
        if increment.metric not in _CAPPED:
            return increment
        labels = increment.labels
        told = self._told(increment.metric, labels)
        by_detail = BOUNCES_BY_DETAIL if increment.metric == BOUNCES.name else REPLIES_BY_DETAIL
        most = MAX_HOSTS if told is self._hosts else by_detail[self.detail]
        if told is None or labels in told.values:
            return increment
        if not _is_passing(increment, most) and told.accept(labels, most):
            return increment
        others = (OTHER,) if told is self._hosts else (labels[0], OTHER, OTHER)
        return increment._replace(labels=others)

    def _told(self, metric: str, labels: Labels) -> _Told | None:
        if metric in _BY_HOST:
            return self._hosts
        if metric == SMTP_REPLIES.name:
            return self._replies.setdefault(labels[0], _Told())
        if metric == BOUNCES.name:
            return self._bounces.setdefault(labels[0], _Told())
        return None


def _is_passing(increment: Increment, most: int) -> bool:
    """Whether this is a reply that says nothing of what the route's replies will be, and there is room for one only."""
    return increment.metric == SMTP_REPLIES.name and most == 2 and increment.labels[-1].startswith("4")
