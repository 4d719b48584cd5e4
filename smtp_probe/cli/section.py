"""The shape of a waterfall: sections of rows, and bars that are fractions of the section's own scale.

Values without behaviour. `waterfall` and `hops` make them, `drawing` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """From where to where, as fractions of the scale. It runs backwards where `end` is before `begin`."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: what, how long, and its bars, for a phase may come in two parts. `detail` wants a second line."""

    label: str
    amount: str
    bars: tuple[Bar, ...] = ()
    style: str = "cyan"
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows on one scale. `note` says what the numbers are worth, `brief` the same where there is little room;
    `is_doubtful` that they cannot be true.
    """

    title: str
    amount: str
    note: str
    brief: str
    rows: tuple[Row, ...]
    is_doubtful: bool = False


def make_bar(begin: float, end: float, total: float) -> Bar:
    """A bar on a scale that is so long; at its beginning where the scale has no length."""
    return Bar(begin=begin / total, end=end / total) if total > 0 else Bar(begin=0.0, end=0.0)
