"""A whole queue, added up entry by entry in bounded memory.

In: entries, one at a time, and which messages are our own. Out: a `QueueSurvey`. What is kept does not grow with the
queue: ages are counted in bins that are 5 % wide, destinations up to a number, and of our own probes only the first.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from smtp_probe.mail.addresses import strip_tag
from smtp_probe.mail.queue_listing.reasons import categorise
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.mail.tag import hide_tokens
from smtp_probe.model import (
    DelayReason,
    QueuedProbe,
    QueueEntry,
    QueueState,
    QueueSurvey,
    StateSurvey,
)

QUANTILES = (0.5, 0.9, 0.99)
OTHER = "other"
MOST_PROBES = 200
_BIN = math.log(1.05)
_MOST_DESTINATIONS = 20_000
_MOST_LABEL_CHARACTERS = 100

OwnProbe = tuple[str, str]
"""The probe's id and its route."""
Recognise = Callable[[QueueEntry], OwnProbe | None]
"""Says whose a message is; None for somebody else's."""


@dataclass(slots=True)
class _State:
    messages: int = 0
    size_bytes: int = 0
    oldest_seconds: int | None = None
    age_bins: Counter[int] = field(default_factory=Counter)

    def add(self, entry: QueueEntry, now_seconds: float) -> None:
        self.messages += 1
        self.size_bytes += entry.size_bytes
        if entry.arrived_seconds is not None:
            self.oldest_seconds = min(entry.arrived_seconds, self.oldest_seconds or entry.arrived_seconds)
            age = max(0.0, now_seconds - entry.arrived_seconds)
            self.age_bins[0 if age < 1 else 1 + int(math.log(age) / _BIN)] += 1

    def total(self) -> StateSurvey:
        return StateSurvey(
            messages=self.messages,
            size_bytes=self.size_bytes,
            oldest_seconds=self.oldest_seconds,
            age_quantiles={quantile: self._age(quantile) for quantile in QUANTILES} if self.age_bins else {},
        )

    def _age(self, quantile: float) -> float:
        """Give the middle of the bin in which a quantile lies."""
        wanted, seen = quantile * self.age_bins.total(), 0
        for number in sorted(self.age_bins):
            seen += self.age_bins[number]
            if seen >= wanted:
                return 0.0 if number == 0 else math.exp((number - 0.5) * _BIN)
        raise AssertionError("a quantile is at most the whole")


class QueueCount:
    """Adds up one listing. `states` are those that this kind of listing can tell: they are there at zero."""

    def __init__(
        self,
        now_seconds: float,
        states: Iterable[QueueState],
        *,
        top_destinations: int,
        recognise: Recognise = lambda _: None,
    ) -> None:
        self._now_seconds = now_seconds
        self._states = {state: _State() for state in states}
        self._top = top_destinations
        self._recognise = recognise
        self._reasons: Counter[DelayReason] = Counter()
        self._destinations: Counter[str] = Counter()
        self._probes: list[QueuedProbe] = []

    def add(self, entry: QueueEntry) -> None:
        """Count one entry."""
        self._states.setdefault(entry.state, _State()).add(entry, self._now_seconds)
        if entry.state is QueueState.DEFERRED:
            self._add_deferred(entry)
        own = self._recognise(entry)
        if own is not None and len(self._probes) < MOST_PROBES:
            reason = next((each.reason for each in entry.recipients if each.reason), "")
            self._probes.append(
                QueuedProbe(
                    queue_id=sanitise(entry.queue_id, 64),
                    probe_id=own[0],
                    route=own[1],
                    state=entry.state,
                    arrived_seconds=entry.arrived_seconds,
                    reason=sanitise(hide_tokens(strip_tag(reason))),
                )
            )

    def total(self) -> QueueSurvey:
        """Give everything that was counted."""
        return QueueSurvey(
            states={state: count.total() for state, count in self._states.items()},
            deferred_reasons=dict(self._reasons),
            deferred_destinations=_top(self._destinations, self._top),
            probes=tuple(self._probes),
        )

    def _add_deferred(self, entry: QueueEntry) -> None:
        """Count a message once for each reason and each destination that it has."""
        texts = {each.reason for each in entry.recipients} or {""}
        self._reasons.update({categorise(text) for text in texts})
        for domain in {_domain(each.address) for each in entry.recipients}:
            is_known = domain in self._destinations or len(self._destinations) < _MOST_DESTINATIONS
            self._destinations[domain if is_known else OTHER] += 1


def _domain(address: str) -> str:
    domain = address.rpartition("@")[2].strip("<> ").lower().rstrip(".")
    return sanitise(domain, _MOST_LABEL_CHARACTERS) or OTHER


def _top(counts: Counter[str], number: int) -> Mapping[str, int]:
    """Keep the greatest, and add up the rest. Of equals the first by name, so that a look gives what the last gave."""
    rest = counts[OTHER]
    ranked = sorted(
        ((n, name) for name, n in counts.items() if name != OTHER), key=lambda each: (-each[0], each[1])
    )
    top = {name: n for n, name in ranked[:number]}
    rest += sum(n for n, _ in ranked[number:])
    return {**top, OTHER: rest}
