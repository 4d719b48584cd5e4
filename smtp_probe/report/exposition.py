"""The metrics page: samples to text, by prometheus_client, without holding the event loop up.

In: `Series`. Out: a page in the text format or in OpenMetrics, plain or gzipped.

How it stays fast: the lines of a group are kept, and rendered anew only when the group has changed. The lines are
rendered by the library, one group at a time. How it does not disturb: values are copied on the event loop's thread,
some groups at a time; everything else is done in another thread, which gives the interpreter up after each group.
"""

from __future__ import annotations

import asyncio
import math
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Sample,
)
from prometheus_client.core import Exemplar as ClientExemplar
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from smtp_probe.config.settings import Config
from smtp_probe.report.metric import Kind, Metric
from smtp_probe.report.metrics import METRICS
from smtp_probe.report.negotiation import Format, accepts_gzip, choose_format
from smtp_probe.report.series import (
    Exemplar,
    GroupKey,
    GroupSamples,
    HistogramValue,
    InfoLabels,
    Labels,
    Series,
    Value,
)

_COPIED_AT_ONCE = 50
"""Groups copied in one go on the event loop's thread: about a millisecond."""
_GZIP_LEVEL = 1
_GZIP_WINDOW = zlib.MAX_WBITS | 16
_EOF = b"# EOF\n"
_UTF8 = openmetrics.ALLOWUTF8
"""Our names need no escaping, and the library's check for that is the dearest part of a line."""

CONTENT_TYPES = {
    Format.TEXT: CONTENT_TYPE_PLAIN_0_0_4,
    Format.OPENMETRICS: openmetrics.CONTENT_TYPE_LATEST,
}
PROCESS_COLLECTORS: tuple[Collector, ...] = (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR)
"""The library's own metrics of the process: memory, CPU, open files, garbage collection."""

StartTimes = Callable[[Metric], int | None]
"""Since when a counter counts, in nanoseconds since the epoch; None for unknown."""


@dataclass(frozen=True, slots=True)
class Page:
    """A rendered page, in pieces that can be sent one by one."""

    pieces: tuple[bytes, ...]
    content_type: str
    is_gzipped: bool

    @property
    def body(self) -> bytes:
        """The whole page."""
        return b"".join(self.pieces)

    @property
    def size_bytes(self) -> int:
        """Length of the whole page as it is sent."""
        return sum(map(len, self.pieces))


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of one group, by metric, as of one version of it."""

    version: int
    by_metric: dict[str, bytes]


@dataclass(slots=True)
class _Store:
    """What is kept of one format."""

    groups: dict[GroupKey, _Lines] = field(default_factory=dict)
    headers: dict[str, bytes] = field(default_factory=dict)


class _Families:
    """A collector of families that exist already."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


class Exposition:
    """Renders the samples. One for the program; several scrapes may come at once."""

    def __init__(
        self,
        series: Series,
        *,
        collectors: Sequence[Collector] = PROCESS_COLLECTORS,
        start_times: StartTimes = lambda _: None,
        before_scrape: Callable[[], None] = lambda: None,
    ) -> None:
        self.common_labels: InfoLabels = ()
        """Labels that every sample of ours bears, besides its own. To be set before the first page."""
        self._shows_start_times = False
        self._series = series
        self._collectors = tuple(collectors)
        self._start_times = start_times
        self._before_scrape = before_scrape
        self._stores = {page_format: _Store() for page_format in Format}
        self._lock = asyncio.Lock()

    def declare(self, config: Config) -> None:
        """Take over a configuration: whether OpenMetrics pages have `_created` series (start times of counters)."""
        if config.metrics.created_series != self._shows_start_times:
            self._shows_start_times = config.metrics.created_series
            self._stores = {page_format: _Store() for page_format in Format}

    async def page(self, accept: str = "", accept_encoding: str = "") -> Page:
        """Render the page as a client asks for it, by its request headers."""
        page_format, is_gzipped = choose_format(accept), accepts_gzip(accept_encoding)
        async with self._lock:
            self._before_scrape()
            keys = await self._refresh(page_format)
            pieces = await asyncio.to_thread(self._assemble, page_format, keys, is_gzipped)
        return Page(pieces, CONTENT_TYPES[page_format], is_gzipped)

    async def warm(self, page_format: Format = Format.OPENMETRICS) -> None:
        """Render all lines beforehand, so that the first scrape is as quick as the others."""
        async with self._lock:
            await self._refresh(page_format)

    async def _refresh(self, page_format: Format) -> tuple[GroupKey, ...]:
        """Render the groups that have changed, and name all that are shown."""
        store, keys = self._stores[page_format], self._series.shown()
        stale = [key for key in keys if not self._is_fresh(store, key)]
        for start in range(0, len(stale), _COPIED_AT_ONCE):
            batch = [
                (key, self._series.version(key), self._series.copy(key))
                for key in stale[start : start + _COPIED_AT_ONCE]
            ]
            await asyncio.to_thread(self._render_groups, page_format, store, batch)
        for key in store.groups.keys() - set(keys):
            del store.groups[key]
        return keys

    def _is_fresh(self, store: _Store, key: GroupKey) -> bool:
        lines = store.groups.get(key)
        return lines is not None and lines.version == self._series.version(key)

    # In the renderer's thread.

    def _render_groups(
        self, page_format: Format, store: _Store, batch: Sequence[tuple[GroupKey, int, GroupSamples]]
    ) -> None:
        for key, version, samples in batch:
            store.groups[key] = _Lines(version, self._render_lines(page_format, key[0], samples))
            # Lets the event loop have the interpreter now, not after its switch interval.
            time.sleep(0)

    def _render_lines(self, page_format: Format, group_label: str, samples: GroupSamples) -> dict[str, bytes]:
        """Give the sample lines of one group, by metric, without their headers."""
        metrics = [
            metric for metric in METRICS if metric.name in samples and metric.group_label == group_label
        ]
        starts = self._start_times if self._shows_start_times and page_format is Format.OPENMETRICS else None
        families = [_family(*self._bearing(metric, samples[metric.name]), starts) for metric in metrics]
        text = _render(page_format, families)
        # A line break in a label value or a help text is escaped, so this splits between families only.
        parts = (b"\n" + text).split(b"\n# HELP ")[1:]
        return {
            metric.name: part.split(b"\n", 2)[2].removesuffix(b"\n") + b"\n"
            for metric, part in zip(metrics, parts, strict=True)
        }

    def _bearing(self, metric: Metric, samples: dict[Labels, Value]) -> tuple[Metric, dict[Labels, Value]]:
        """Add the labels that all samples bear."""
        if not self.common_labels:
            return metric, samples
        names = tuple(name for name, _ in self.common_labels)
        values = tuple(value for _, value in self.common_labels)
        if metric.kind is Kind.INFO:
            return metric, {
                labels: tuple({**dict(pairs), **dict(self.common_labels)}.items())
                for labels, pairs in samples.items()
                if isinstance(pairs, tuple)
            }
        wider = replace(metric, labels=(*metric.labels, *names))
        return wider, {(*labels, *values): value for labels, value in samples.items()}

    def _assemble(self, page_format: Format, keys: Sequence[GroupKey], is_gzipped: bool) -> tuple[bytes, ...]:
        pieces = self._pieces(page_format, keys)
        if not is_gzipped:
            return tuple(pieces)
        compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        return (*(compressor.compress(piece) for piece in pieces), compressor.flush())

    def _pieces(self, page_format: Format, keys: Sequence[GroupKey]) -> Iterator[bytes]:
        """Give the page family by family."""
        store = self._stores[page_format]
        by_label: dict[str, list[dict[str, bytes]]] = {}
        for key in keys:
            by_label.setdefault(key[0], []).append(store.groups[key].by_metric)
        before = ""
        for metric in METRICS:
            groups = by_label.get(metric.group_label, [])
            lines = b"".join([group[metric.name] for group in groups if metric.name in group])
            time.sleep(0)
            if lines:  # a metric in two forms has one header
                yield lines if metric.name == before else self._header(page_format, store, metric) + lines
                before = metric.name
        yield _render(page_format, [family for c in self._collectors for family in c.collect()])
        if page_format is Format.OPENMETRICS:
            yield _EOF

    @staticmethod
    def _header(page_format: Format, store: _Store, metric: Metric) -> bytes:
        if metric.name not in store.headers:
            store.headers[metric.name] = _render(page_format, [_family(metric, {}, None)])
        return store.headers[metric.name]


def _render(page_format: Format, families: Iterable[Family]) -> bytes:
    """Have the library render families, without the mark of the end."""
    if page_format is Format.TEXT:
        return generate_latest(_Families(families), escaping=_UTF8)
    text: bytes = openmetrics.generate_latest(_Families(families), escaping=_UTF8)  # type: ignore[no-untyped-call]
    return text.removesuffix(_EOF)


def _family(metric: Metric, samples: dict[Labels, Value], starts: StartTimes | None) -> Family:
    start_ns = starts(metric) if starts is not None and metric.kind is not Kind.GAUGE else None
    start = None if start_ns is None else start_ns / 1e9
    match metric.kind:
        case Kind.COUNTER:
            return _counter_family(metric, samples, start)
        case Kind.HISTOGRAM:
            return _histogram_family(metric, samples, start)
        case Kind.GAUGE:
            return _gauge_family(metric, samples)
        case Kind.INFO:
            return _info_family(metric, samples)


def _counter_family(metric: Metric, samples: dict[Labels, Value], start: float | None) -> Family:
    family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples.items():
        assert isinstance(value, float)
        family.add_metric(labels, value, created=start)
    return family


def _gauge_family(metric: Metric, samples: dict[Labels, Value]) -> Family:
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples.items():
        assert isinstance(value, float)
        family.add_metric(labels, value)
    return family


def _info_family(metric: Metric, samples: dict[Labels, Value]) -> Family:
    family = InfoMetricFamily(metric.name.removesuffix("_info"), metric.help)
    for pairs in samples.values():
        assert isinstance(pairs, tuple)
        family.add_metric((), dict(pairs))
    return family


def _histogram_family(metric: Metric, samples: dict[Labels, Value], start: float | None) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples.items():
        assert isinstance(value, HistogramValue)
        family.add_metric(labels, list(_buckets(value)), value.sum_us / 1e6)
        if start is not None:
            named = dict(zip(metric.labels, labels, strict=True))
            family.samples.append(Sample(f"{metric.name}_created", named, start))
    return family


def _buckets(value: HistogramValue) -> Iterator[tuple[str, float] | tuple[str, float, ClientExemplar]]:
    """Give the buckets cumulated, as the format wants them."""
    running = 0.0
    exemplars: Sequence[Exemplar | None] = value.exemplars or (None,) * len(value.counts)
    for bound, count, exemplar in zip((*value.bounds, math.inf), value.counts, exemplars, strict=True):
        running += count
        name = "+Inf" if math.isinf(bound) else repr(bound)
        if exemplar is None:
            yield name, running
        else:
            yield name, running, ClientExemplar({"probe_id": exemplar.probe_id}, exemplar.value)
