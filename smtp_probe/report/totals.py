"""The counters and histograms that survive a restart, in memory, and the form in which the journal stores them.

In: increments, after the journal has them; stored rows at the start. Out: samples in `Series`, and rows that only have
to be added up: `value = value + excluded.value`. Does no I/O.

Rules:

1. Memory moves by the same amounts as the journal, and every amount is a whole number (seconds are summed up as
   microseconds), so that no order of adding makes a difference: after a restart each number is the same, to the bit.
   A sum that came back a little lower would look like a reset, and so like a burst.
2. When the buckets of the configuration change, what had been observed moves to the next bound that is not below its
   old one. No count and no sum is lost, and no bucket ever shows more than was true.
3. What has a capped number of label values is folded into `other` before it is stored, so that neither the page nor
   the journal grows with what strangers write.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from smtp_probe.config.settings import Config
from smtp_probe.report.increments import Increment
from smtp_probe.report.known_series import known_labels
from smtp_probe.report.label_caps import LabelCaps
from smtp_probe.report.metric import Kind, Metric
from smtp_probe.report.metrics import DELIVERY_DURATION, METRICS, OUTCOMES
from smtp_probe.report.series import Exemplar, HistogramValue, Labels, Series

_DURABLE = {metric.name: metric for metric in METRICS if metric.is_durable}
_VALUE, _SUM, _BUCKET = "value", "sum_us", "le="
_MICROSECONDS = 1e6


class StoredTotal(NamedTuple):
    """One additive row. `field` is `value` for a counter. For a histogram it is `sum_us`, in microseconds, or
    `le=<bound>`, the number of observations in that bucket alone; the bound is in seconds, or `inf`.
    """

    metric: str
    labels: Labels
    field: str
    value: float

    @property
    def labels_json(self) -> str:
        """The label values, as they are kept in a column."""
        return _write_labels(self.labels)

    @classmethod
    def from_row(cls, metric: str, labels_json: str, field: str, value: float) -> StoredTotal:
        """Read a row back. One that is not ours gets no labels, and is then left out of what is restored.

        A name is kept once, however many rows have it: a route's stands in some sixty.
        """
        try:
            labels = json.loads(labels_json)
        except ValueError:
            labels = None
        is_ours = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
        return cls(intern(metric), tuple(map(intern, labels)) if is_ours else (), intern(field), value)


@lru_cache(maxsize=4096)  # the same few of each route, again and again
def _write_labels(labels: Labels) -> str:
    return json.dumps(labels, ensure_ascii=True)


@lru_cache(maxsize=64)
def _name_buckets(bounds: tuple[float, ...]) -> tuple[str, ...]:
    """The fields of the buckets below each bound, and of the one above them all."""
    return tuple(_BUCKET + repr(float(bound)) for bound in (*bounds, math.inf))


def fold(
    increments: Iterable[Increment], delivery_buckets: Sequence[float] = DELIVERY_DURATION.buckets
) -> tuple[StoredTotal, ...]:
    """Sum increments up into rows. Pure. `delivery_buckets` are those of the configuration, in seconds."""
    rows: dict[tuple[str, Labels, str], float] = {}
    for increment in increments:
        name, labels, amount = increment.metric, increment.labels, increment.value
        metric = _DURABLE[name]
        if metric.kind is Kind.HISTOGRAM:
            bounds = delivery_buckets if metric is DELIVERY_DURATION else metric.buckets
            key = name, labels, _name_buckets(tuple(bounds))[bisect_left(bounds, amount)]
            rows[key] = rows.get(key, 0.0) + 1.0
            key, amount = (name, labels, _SUM), float(round(amount * _MICROSECONDS))
        else:
            key = name, labels, _VALUE
        rows[key] = rows.get(key, 0.0) + amount
    return tuple(StoredTotal(*key, value) for key, value in rows.items())


class Totals:
    """The sums since the journal began."""

    def __init__(self, series: Series | None = None) -> None:
        self.delivery_buckets: tuple[float, ...] = DELIVERY_DURATION.buckets
        self.since_ns: int | None = None
        """When the journal began to count, where that is known: the start time of every durable counter."""
        self.caps = LabelCaps()
        self._series = series if series is not None else Series()
        self._config: Config | None = None
        self._is_restored = False
        self._zeros: set[tuple[str, Labels]] = set()
        """Which counters the journal has been told of at zero. Histograms are never here: zero is an observation of theirs."""

    def declare(self, config: Config) -> None:
        """Take over a configuration: its buckets, and every known sample at zero. Nothing counted is lost."""
        self.delivery_buckets = tuple(float(bound) for bound in config.metrics.delivery_buckets)
        self.caps.detail = config.metrics.detail
        for labels, value in list(self._series.all(DELIVERY_DURATION)):
            if isinstance(value, HistogramValue) and value.bounds != self.delivery_buckets:
                self._series.put(DELIVERY_DURATION, labels, _rebucket(value, self.delivery_buckets))
        self._config = config
        self._begin_at_zero()

    def restore(self, rows: Iterable[StoredTotal], since_ns: int | None = None) -> None:
        """Take over what the journal holds, in place of what is here. Leaves out rows that are not known or sound.

        Before this nothing durable is shown: a counter that began at zero and then jumped to what it was before
        the restart would look like all of that happening again.
        """
        self.since_ns = since_ns
        self._is_restored = True
        self._zeros.clear()
        for durable in _DURABLE.values():
            self._series.forget(durable)
        for row in rows:
            metric = _DURABLE.get(row.metric)
            is_sound = math.isfinite(row.value) and row.value >= 0
            if metric is None or len(row.labels) != len(metric.labels) or not is_sound:
                continue
            if metric is OUTCOMES and row.labels[1] not in metric.known:
                continue  # an older version counted what could not be observed here too
            self.caps.remember(row.metric, row.labels)
            self._add(metric, row)
        self._begin_at_zero()

    def admit(self, increments: Iterable[Increment]) -> tuple[Increment, ...]:
        """Fold label values over the caps into `other`. To be done before increments are stored; any thread may.

        A counter that was made known at zero before is not added zero to again: each such row would cost a write.
        """
        admitted = self.caps.admit(increments)
        return tuple(each for each in admitted if each.value or (each.metric, each.labels) not in self._zeros)

    def apply(self, increments: Iterable[Increment]) -> None:
        """Add what the journal has stored."""
        for increment in increments:
            metric = _DURABLE[increment.metric]
            self.caps.remember(increment.metric, increment.labels)
            if metric.kind is Kind.HISTOGRAM:
                self._observe(metric, increment)
            else:
                self._series.add(metric, increment.labels, increment.value)
                if not increment.value:
                    self._zeros.add((increment.metric, increment.labels))

    def _begin_at_zero(self) -> None:
        if self._config is None or not self._is_restored:
            return
        for metric in _DURABLE.values():
            for labels in known_labels(metric, self._config):
                self._series.put_new(metric, labels, self._zero(metric))

    def _add(self, metric: Metric, row: StoredTotal) -> None:
        if metric.kind is not Kind.HISTOGRAM:
            if row.field == _VALUE:
                self._series.add(metric, row.labels, row.value)
            return
        value = self._series.get(metric, row.labels)
        value = value if isinstance(value, HistogramValue) else HistogramValue.empty(self._bounds(metric))
        self._series.put(metric, row.labels, _with_field(value, row.field, row.value))

    def _observe(self, metric: Metric, increment: Increment) -> None:
        """Add one observation, as `fold` and `_add` do with a row for its bucket and one for the sum."""
        value = self._series.get(metric, increment.labels)
        if not isinstance(value, HistogramValue):
            value = HistogramValue.empty(self._bounds(metric))
        bucket = bisect_left(value.bounds, increment.value)
        counts = list(value.counts)
        counts[bucket] += 1.0
        exemplars = value.exemplars
        if increment.exemplar is not None:
            exemplar = Exemplar(increment.exemplar, increment.value)
            exemplars = (*exemplars[:bucket], exemplar, *exemplars[bucket + 1 :])
        sum_us = value.sum_us + round(increment.value * _MICROSECONDS)
        shown = HistogramValue(value.bounds, tuple(counts), sum_us, exemplars)
        self._series.put(metric, increment.labels, shown)

    def _bounds(self, metric: Metric) -> tuple[float, ...]:
        return self.delivery_buckets if metric is DELIVERY_DURATION else metric.buckets

    def _zero(self, metric: Metric) -> float | HistogramValue:
        return HistogramValue.empty(self._bounds(metric)) if metric.kind is Kind.HISTOGRAM else 0.0


def _with_field(value: HistogramValue, field: str, amount: float) -> HistogramValue:
    """Add to one stored field. A field that is none of a histogram's adds nothing."""
    if field == _SUM:
        return HistogramValue(value.bounds, value.counts, value.sum_us + amount, value.exemplars)
    try:
        bound = float(field.removeprefix(_BUCKET))
    except ValueError:
        return value
    if not field.startswith(_BUCKET) or math.isnan(bound):
        return value
    counts = list(value.counts)
    counts[bisect_left(value.bounds, bound)] += amount
    return HistogramValue(value.bounds, tuple(counts), value.sum_us, value.exemplars)


def _rebucket(value: HistogramValue, bounds: tuple[float, ...]) -> HistogramValue:
    moved = _with_field(HistogramValue.empty(bounds), _SUM, value.sum_us)
    for bound, count in zip((*value.bounds, math.inf), value.counts, strict=True):
        moved = _with_field(moved, f"{_BUCKET}{bound!r}", count)
    return moved
