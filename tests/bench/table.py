"""The results of a run, for people (a table) and for programs (JSON)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .figures import Row

_VERDICTS = {True: "[green]met[/green]", False: "[red]not met[/red]", None: "machine too busy"}
_WIDTH = 165
"""Where the output is no terminal."""


def print_table(rows: Sequence[Row]) -> None:
    """Print all rows: median [least greatest]."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    table = Table(title="smtp-probe against its baselines: median \\[min max]")
    for heading in ("benchmark", "what", "smtp-probe", "baseline", "ratio", "aim", ""):
        table.add_column(heading, justify="right" if heading == "ratio" else "left")
    for row in rows:
        table.add_row(*_cells(row), end_section=row is _last_of(rows, row.benchmark))
    console.print(table)
    for row in rows:
        if row.note:
            console.print(f"{row.benchmark}, {row.what}: {row.note}", markup=False, highlight=False)


def _cells(row: Row) -> tuple[str, ...]:
    baseline, ratio = row.baseline, row.ratio
    return (
        row.benchmark,
        row.what,
        _escaped(str(row.ours)),
        "" if baseline is None else _escaped(f"{baseline.figure}\n{baseline.name}"),
        "" if ratio is None else f"{ratio:.2f}",
        "" if row.aim is None else row.aim.text,
        "" if row.aim is None else _VERDICTS[row.is_met],
    )


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")


def _last_of(rows: Sequence[Row], benchmark: str) -> Row:
    return [row for row in rows if row.benchmark == benchmark][-1]


def write_json(
    path: Path, machine: dict[str, Any], rows: Sequence[Row], *, is_quick: bool, failed: Sequence[str] = ()
) -> None:
    """Write machine, rows, and the names of what could not be measured. The folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {
        "machine": machine,
        "is_quick": is_quick,
        "rows": [row.as_data() for row in rows],
        "failed": list(failed),
    }
    path.write_text(json.dumps(data, indent=1) + "\n")
