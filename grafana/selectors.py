"""Selectors of our metrics, each with the variables of the dashboard that it has labels for."""

import re

PREFIX = "smtp_probe_"
VARIABLES = {"by": "hop"}
"""The label that a variable fills where the two have not the same name."""


def select(name: str, *labels: str) -> str:
    """Select a metric by job and instance and these labels: a bare name takes its variable, `name=value` a value."""
    matchers = ['job=~"$job"', 'instance=~"$instance"', *(_matcher(label) for label in labels)]
    return f"{PREFIX}{name}{{{','.join(matchers)}}}"


def _matcher(label: str) -> str:
    name, operator, value = re.fullmatch(r"(\w+)(=~|!=|=|)(.*)", label).groups()  # type: ignore[union-attr]  # always
    return f'{name}{operator}"{value}"' if operator else f'{name}=~"${VARIABLES.get(name, name)}"'


def rate(name: str, *labels: str) -> str:
    """Count by second."""
    return f"rate({select(name, *labels)}[$__rate_interval])"


def increase(window: str, name: str, *labels: str) -> str:
    """Count in a window."""
    return f"increase({select(name, *labels)}[{window}])"


def quantile(share: float, window: str, name: str, *labels: str, by: str = "route", ago: str = "") -> str:
    """Quantile of a histogram over a window that is long enough to hold several probes."""
    offset = f" offset {ago}" if ago else ""
    counts = f"increase({select(f'{name}_bucket', *labels)}[{window}]{offset})"
    return f"histogram_quantile({share:g}, sum by (le, {by}) ({counts}))"


def usual(share: float, name: str, *labels: str, by: str = "route") -> str:
    """Quantile of a histogram at this hour in the three weeks before (their median); else a day before, else of the range shown."""
    weeks = " or ".join(
        f'label_replace({quantile(share, "1h", name, *labels, by=by, ago=f"{week}w")}, "week", "{week}", "", "")'
        for week in (1, 2, 3)
    )
    return (
        f"quantile by ({by}) (0.5, {weeks})"
        f" or {quantile(share, '1h', name, *labels, by=by, ago='1d')}"
        f" or {quantile(share, '$__range', name, *labels, by=by)}"
    )
