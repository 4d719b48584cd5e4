"""Sections of a waterfall as lines of a width, and nothing wider.

In: sections of `waterfall`, a width in columns, the signs. Out: rich texts without line ends, none wider than the
width. Pure. Every text is taken as it stands: a server that writes `[red]` gets `[red]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.cells import cell_len
from rich.text import Text

from smtp_probe.cli.terminal import Glyphs
from smtp_probe.cli.waterfall import Bar, Row, Section
from smtp_probe.cli.wording import short_names

WIDEST = 100
"""A bar that is longer than this takes the eye too far from its name."""
_LABEL_SHARE = 0.42
_AMOUNT_COLUMNS = 9
_SHORTEST_BAR = 4
_NARROW = 60


def draw_bars(bars: Sequence[Bar], columns: int, glyphs: Glyphs) -> str:
    """The bars of one row as `columns` signs: half a column is the finest, and the shortest is never nothing."""
    halves = columns * 2
    covered = [False] * halves
    backs = set()
    for bar in bars:
        first, last = (min(max(round(point * halves), 0), halves) for point in sorted((bar.begin, bar.end)))
        first = min(first, halves - 1)
        covered[first : max(last, first + 1)] = [True] * (max(last, first + 1) - first)
        if bar.end < bar.begin:
            backs.add(first // 2)
    signs = {(True, True): glyphs.both, (True, False): glyphs.left, (False, True): glyphs.right}
    drawn = [signs.get((covered[2 * column], covered[2 * column + 1]), " ") for column in range(columns)]
    return "".join(glyphs.back if column in backs else sign for column, sign in enumerate(drawn))


def draw_sections(found: Sequence[Section], width: int, glyphs: Glyphs, *, with_details: bool = False) -> list[Text]:
    """All sections under each other, their columns aligned."""
    width = min(width, WIDEST)
    labels = max((cell_len(row.label) for section in found for row in section.rows), default=0)
    label_columns = min(labels, int(width * _LABEL_SHARE))
    if labels > label_columns:
        found = [_with_short_names(section) for section in found]
    lines: list[Text] = []
    for section in found:
        lines.append(cut(_heading(section, label_columns, width), width))
        for row in section.rows:
            lines.append(cut(_line(row, label_columns, width, glyphs), width))
            if with_details and row.detail:
                lines += wrap_detail(row.detail, width)
    return lines


def wrap_detail(detail: str, width: int) -> Iterator[Text]:
    """A second line beneath a row, dim; two where one is too narrow."""
    room = max(width - 4, 1)
    for start in range(0, min(len(detail), 2 * room), room):
        yield cut(Text("    ").append(detail[start : start + room], style="dim"), width)


def cut(line: Text, width: int) -> Text:
    """The line, at most `width` columns wide, with an ellipsis where it was cut."""
    line.no_wrap = True
    line.truncate(width, overflow="ellipsis")
    line.rstrip()
    return line


def fit(text: str, columns: int) -> str:
    """The text in exactly so many columns."""
    piece = Text(text)
    piece.truncate(columns, overflow="ellipsis", pad=True)
    return piece.plain


def _with_short_names(section: Section) -> Section:
    names = short_names([row.label for row in section.rows])
    rows = tuple(replace(row, label=name) for row, name in zip(section.rows, names, strict=True))
    return replace(section, rows=rows)


def _heading(section: Section, label_columns: int, width: int) -> Text:
    """The title, aligned with the rows; where there is little room, the shorter note, and no empty column."""
    is_narrow = width < _NARROW
    style = "not bold yellow" if section.is_doubtful else "not bold dim"
    if is_narrow:
        heading = Text(section.title, style="bold")
        if section.amount:
            heading.append(f" {section.amount}", style="not bold")
        return heading.append(f"  {section.brief}", style=style)
    heading = Text(fit(section.title, label_columns + 2), style="bold")
    heading.append(f" {section.amount:>{_AMOUNT_COLUMNS}}", style="not bold")
    return heading.append(f"  {section.note}", style=style)


def _line(row: Row, label_columns: int, width: int, glyphs: Glyphs) -> Text:
    line = Text("  ").append(fit(row.label, label_columns))
    line.append(f" {row.amount:>{_AMOUNT_COLUMNS}}", style="" if row.bars else "dim")
    room = width - line.cell_len - 2
    if row.bars and room >= _SHORTEST_BAR:
        line.append("  ").append(draw_bars(row.bars, room, glyphs), style=row.style)
    return line
