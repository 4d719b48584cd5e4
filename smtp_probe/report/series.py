"""All samples of this process, in groups that change together, and which of them are shown.

In: values from `totals`, `last_results` and `observations`. Out: for the renderer, which groups changed and a copy of
each. A group is everything about one route, one sender, one mailbox, ...: its `group_label` names it. Knows
nothing of the text format, and copies only what changed, so that a scrape costs what happened since the last one.

Everything here runs on the event loop's thread. The renderer's thread sees copies only, so that what one event changed
in a group is seen as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from smtp_probe.report.metric import Metric
from smtp_probe.report.metrics import METRICS

Labels = tuple[str, ...]
InfoLabels = tuple[tuple[str, str], ...]
"""Names and values of the labels of an info metric."""
GroupKey = tuple[str, str]
"""The name and value of a metric's `group_label`; two empty strings for metrics that have none."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One observation that can be looked up: the probe that made it."""

    probe_id: str
    value: float


@dataclass(frozen=True, slots=True)
class HistogramValue:
    """One histogram of seconds. `counts` is not cumulative, and one longer than `bounds`: the last has no bound.

    `sum_us` is in whole microseconds, as a float below 2**53 (285 years), so that adding is exact.
    """

    bounds: tuple[float, ...]
    counts: tuple[float, ...]
    sum_us: float = 0.0
    exemplars: tuple[Exemplar | None, ...] = ()

    @classmethod
    def empty(cls, bounds: tuple[float, ...]) -> HistogramValue:
        """Give a histogram in which nothing has been observed."""
        size = len(bounds) + 1
        return cls(bounds, (0.0,) * size, 0.0, (None,) * size)


Value = float | HistogramValue | InfoLabels
Samples = dict[Labels, Value]
GroupSamples = dict[str, Samples]
"""The samples of one group, by the name of the metric."""


@dataclass(slots=True)
class _Group:
    version: int = 0
    samples: GroupSamples = field(default_factory=dict)


_DURABLE = frozenset(metric.name for metric in METRICS if metric.is_durable)


def group_of(metric: Metric, labels: Labels) -> GroupKey:
    """Name the group to which a sample belongs."""
    return (metric.group_label, labels[0]) if metric.group_label else ("", "")


class Series:
    """The samples, and which groups are shown."""

    def __init__(self) -> None:
        self._groups: dict[GroupKey, _Group] = {}
        self._shown: dict[str, frozenset[str]] = {}
        self._left_out: frozenset[str] = frozenset()
        self._version = 0
        self._order: tuple[GroupKey, ...] | None = None

    # Writing.

    def put(self, metric: Metric, labels: Labels, value: Value) -> None:
        """Set one sample."""
        group = self._changed((metric.group_label, labels[0]) if metric.group_label else ("", ""))
        samples = group.samples.get(metric.name)
        if samples is None:
            group.samples[metric.name] = {labels: value}
        else:
            samples[labels] = value

    def put_new(self, metric: Metric, labels: Labels, value: Value) -> None:
        """Set one sample, unless it exists."""
        if self.get(metric, labels) is None:
            self.put(metric, labels, value)

    def add(self, metric: Metric, labels: Labels, amount: float) -> None:
        """Add to a counter, which begins at zero."""
        samples = self._samples(metric, labels)
        before = samples.get(labels, 0.0)
        assert isinstance(before, float)
        samples[labels] = before + amount

    def replace(self, metric: Metric, name: str, samples: Mapping[Labels, float]) -> None:
        """Set all samples of a metric within one group, and remove those that are not given."""
        group = self._changed((metric.labels[0], name))
        group.samples[metric.name] = dict(samples)

    def remove(self, metric: Metric, labels: Labels) -> None:
        """Remove one sample, if it exists."""
        if self.get(metric, labels) is not None:
            del self._samples(metric, labels)[labels]

    def forget(self, metric: Metric) -> None:
        """Remove all samples of a metric, shown or not."""
        for key, group in self._groups.items():
            if metric.name in group.samples:
                del self._changed(key).samples[metric.name]

    def show_only(self, label: str, names: Collection[str]) -> None:
        """Show the groups of this label for these names only.

        The others keep their durable counters, unseen, and lose the rest: what was last measured says nothing of a
        thing that comes back later.
        """
        self._shown[label] = frozenset(names)
        self._order = None
        for key in list(self._groups):
            if key[0] == label and key[1] not in names:
                group = self._changed(key)
                group.samples = {name: samples for name, samples in group.samples.items() if name in _DURABLE}

    def leave_out(self, names: frozenset[str]) -> None:
        """Show no samples of the metrics of these names. They are kept all the same."""
        if names != self._left_out:
            self._left_out = names
            for key in self._groups:
                self._changed(key)

    # Reading.

    def get(self, metric: Metric, labels: Labels) -> Value | None:
        """Give one sample, shown or not; None when it does not exist."""
        group = self._groups.get(group_of(metric, labels))
        samples = None if group is None else group.samples.get(metric.name)
        return None if samples is None else samples.get(labels)

    def all(self, metric: Metric) -> Iterator[tuple[Labels, Value]]:
        """Give all samples of a metric, shown or not."""
        for group in self._groups.values():
            yield from group.samples.get(metric.name, {}).items()

    def shown(self) -> tuple[GroupKey, ...]:
        """Name the groups that are shown, sorted."""
        if self._order is None:
            self._order = tuple(sorted(key for key in self._groups if self._is_shown(key)))
        return self._order

    def version(self, key: GroupKey) -> int:
        """Give a number that grows with every change of a group."""
        return self._groups[key].version

    def copy(self, key: GroupKey) -> GroupSamples:
        """Give the samples of a group as they are shown now. Values are immutable, so the copy does not change."""
        samples_by_name = self._groups[key].samples.items()
        return {
            name: dict(samples) for name, samples in samples_by_name if samples and name not in self._left_out
        }

    def _is_shown(self, key: GroupKey) -> bool:
        names = self._shown.get(key[0])
        return names is None or key[1] in names

    def _samples(self, metric: Metric, labels: Labels) -> Samples:
        return self._changed(group_of(metric, labels)).samples.setdefault(metric.name, {})

    def _changed(self, key: GroupKey) -> _Group:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group()
            self._order = None
        self._version += 1
        group.version = self._version
        return group
