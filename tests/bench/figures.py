"""What a benchmark found: measured values, a baseline beside them, and whether the aim was met. Pure.

A value that was not measured is absent here, and so it is never shown.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """Repeated measurements of one thing, in one unit. At least one."""

    unit: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"nothing was measured, in {self.unit}")

    @classmethod
    def of(cls, unit: str, values: Iterable[float]) -> Figure:
        """Make a figure of any values."""
        return cls(unit, tuple(values))

    @property
    def median(self) -> float:
        """The middle of all repetitions."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        """Median, and where there are several repetitions the least and the greatest."""
        if len(self.values) == 1:
            return f"{_shown(self.median)} {self.unit}"
        return f"{_shown(self.median)} [{_shown(min(self.values))} {_shown(max(self.values))}] {self.unit}"

    def as_data(self) -> dict[str, Any]:
        """Give it as it stands in the JSON."""
        return {
            "unit": self.unit,
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "values": list(self.values),
        }


@dataclass(frozen=True)
class Baseline:
    """What the same was for somebody else, in the same run."""

    name: str
    figure: Figure


@dataclass(frozen=True)
class Aim:
    """What was to be reached: as people say it, and as a test of a row."""

    text: str
    holds: Callable[[Row], bool | None]
    """None says that this run cannot tell, because the machine itself was in the way."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the results."""

    benchmark: str
    what: str
    ours: Figure
    baseline: Baseline | None = None
    aim: Aim | None = None
    note: str = ""
    is_paired: bool = False
    """Whether each of our values was measured beside the baseline's of the same place, so that they share the noise."""

    @property
    def ratio(self) -> float | None:
        """Ours through the baseline's: of the medians, or the median of the pairs' ratios. None without a baseline."""
        if self.baseline is None:
            return None
        if not self.is_paired:
            return self.ours.median / self.baseline.figure.median
        pairs = zip(self.ours.values, self.baseline.figure.values, strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)

    @property
    def is_met(self) -> bool | None:
        """Whether the aim was met; None where there is none, or nobody can tell."""
        return None if self.aim is None else self.aim.holds(self)

    def as_data(self) -> dict[str, Any]:
        """Give it as it stands in the JSON."""
        baseline = self.baseline
        return {
            "benchmark": self.benchmark,
            "what": self.what,
            "ours": self.ours.as_data(),
            "baseline": None if baseline is None else {"name": baseline.name, **baseline.figure.as_data()},
            "ratio": self.ratio,
            "aim": None if self.aim is None else self.aim.text,
            "is_met": self.is_met,
            "note": self.note,
        }


def ratio_at_most(limit: float) -> Aim:
    """Our median may be so many times the baseline's."""
    return Aim(f"ratio at most {limit:g}", lambda row: row.ratio is not None and row.ratio <= limit)


def ratio_at_least(limit: float) -> Aim:
    """Our median has to be so many times the baseline's."""
    return Aim(f"ratio at least {limit:g}", lambda row: row.ratio is not None and row.ratio >= limit)


def below(limit: float, unit: str) -> Aim:
    """Our median has to be under a bound."""
    return Aim(f"under {limit:g} {unit}", lambda row: row.ours.median < limit)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
