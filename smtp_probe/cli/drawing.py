"""Sections of a waterfall as lines of a width, and nothing wider.

In: sections of `waterfall`, a width in columns, the signs. Out: rich texts without line ends, none wider than the
width. Pure. Every text is taken as it stands: a server that writes `[red]` gets `[red]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len, chop_cells
from rich.text import Text

from smtp_probe.cli.section import Bar, Row, Section
from smtp_probe.cli.terminal import Glyphs
from smtp_probe.cli.wording import short_names

WIDEST = 100
"""A bar that is longer than this takes the eye too far from its name."""
_LABEL_SHARE = 0.42
_LEAST_LABEL_COLUMNS = 8
"""Two less than the longest title of a section, which stands two columns further to the left."""
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


def draw_sections(
    found: Sequence[Section], width: int, glyphs: Glyphs, *, with_details: bool = False, gap: bool = False
) -> list[Text]:
    """All sections under each other, their columns aligned; with an empty line before each where `gap` asks for it."""
    width = min(width, WIDEST)
    most = max(int(width * _LABEL_SHARE), _LEAST_LABEL_COLUMNS)
    if _longest_label(found) > most:
        found = [_with_short_names(section) for section in found]
    label_columns = min(_longest_label(found), most)
    lines: list[Text] = []
    for section in found:
        lines += [Text()] if gap else []
        lines.append(cut(_heading(section, label_columns, width), width))
        for row in section.rows:
            lines.append(cut(_line(row, label_columns, width, glyphs), width))
            if with_details:
                lines += [Text("    ").append(piece, style="dim") for piece in wrap(row.detail, width - 4)]
    return lines


def draw_facts(facts: Sequence[tuple[str, str]], width: int) -> list[Text]:
    """Names and values in two columns. A value that is too long goes on beneath itself."""
    width = min(width, WIDEST)
    columns = max((cell_len(name) for name, _ in facts), default=0)
    lines: list[Text] = []
    for name, value in facts:
        for index, piece in enumerate(wrap(value, max(width - columns - 2, 1)) or [""]):
            heading = fit("" if index else name, columns)
            lines.append(Text().append(f"{heading}  ", style="dim").append(piece))
    return lines


def wrap(text: str, columns: int) -> list[str]:
    """The text in lines of at most so many columns, broken between words, or within one that is longer than a line."""
    lines: list[str] = []
    for word in text.split():
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= columns:
            lines[-1] += f" {word}"
        else:
            lines += chop_cells(word, columns)
    return lines


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


def _longest_label(found: Sequence[Section]) -> int:
    return max(_LEAST_LABEL_COLUMNS, *(cell_len(row.label) for section in found for row in section.rows), 0)


def _with_short_names(section: Section) -> Section:
    names = short_names([row.label for row in section.rows])
    rows = tuple(replace(row, label=name) for row, name in zip(section.rows, names, strict=True))
    return replace(section, rows=rows)


def _heading(section: Section, label_columns: int, width: int) -> Text:
    """The title, aligned with the rows; where there is little room, the shorter note, and no empty column."""
    is_narrow = width < _NARROW
    style = "yellow" if section.is_doubtful else "dim"
    if is_narrow:
        heading = Text().append(section.title, style="bold")
        if section.amount:
            heading.append(f" {section.amount}")
        return heading.append(f"  {section.brief}", style=style)
    heading = Text().append(fit(section.title, label_columns + 2), style="bold")
    heading.append(f" {section.amount:>{_AMOUNT_COLUMNS}}")
    has_room = heading.cell_len + 2 + cell_len(section.note) <= width
    return heading.append(f"  {section.note if has_room else section.brief}", style=style)


def _line(row: Row, label_columns: int, width: int, glyphs: Glyphs) -> Text:
    line = Text("  ").append(fit(row.label, label_columns))
    line.append(f" {row.amount:>{_AMOUNT_COLUMNS}}", style="" if row.bars else "dim")
    room = width - line.cell_len - 2
    if row.bars and room >= _SHORTEST_BAR:
        line.append("  ").append(draw_bars(row.bars, room, glyphs), style=row.style)
    return line
