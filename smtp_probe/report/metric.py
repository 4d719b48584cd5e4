"""What a metric is: its kind, labels and bounds, and short ways to declare one. Declares none (see `metrics`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

GROUP_LABELS = ("route", "sender", "mailbox", "endpoint", "by", "domain", "queue", "drill", "credential")
"""Labels that may have thousands of values. All samples with one such value are kept and rendered together."""


class Kind(StrEnum):
    """How a metric behaves. An `info` is a gauge that is always 1; its labels are the news."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric. `known` are the values of its last label that exist from the start, besides the first label's."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds in seconds, ascending, without +Inf. Those of `DELIVERY_DURATION` are the default of a setting."""
    known: tuple[str, ...] = ()
    is_durable: bool = False
    """Whether the journal keeps it, so that it goes on after a restart as if there had been none."""

    group_label: str = field(init=False, repr=False, compare=False)
    """The label that says of which part of the configuration or path a sample speaks; empty for none."""

    def __post_init__(self) -> None:
        group = self.labels[0] if self.labels and self.labels[0] in GROUP_LABELS else ""
        object.__setattr__(self, "group_label", group)


def counter(name: str, text: str, *labels: str, known: tuple[str, ...] = (), durable: bool = True) -> Metric:
    """Declare a counter."""
    return Metric(
        name=f"smtp_probe_{name}",
        kind=Kind.COUNTER,
        help=text,
        labels=labels,
        known=known,
        is_durable=durable,
    )


def gauge(name: str, text: str, *labels: str) -> Metric:
    """Declare a gauge."""
    return Metric(name=f"smtp_probe_{name}", kind=Kind.GAUGE, help=text, labels=labels)


def histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...]) -> Metric:
    """Declare a histogram that the journal keeps."""
    return Metric(
        name=f"smtp_probe_{name}",
        kind=Kind.HISTOGRAM,
        help=text,
        labels=labels,
        buckets=buckets,
        is_durable=True,
    )


def info(name: str, text: str, *labels: str) -> Metric:
    """Declare a metric whose labels are the news."""
    return Metric(name=f"smtp_probe_{name}", kind=Kind.INFO, help=text, labels=labels)
