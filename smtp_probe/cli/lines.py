"""The lines of the demo: one for each thing that ended or was seen, what is on its way, and the summary.

In: events, a tally, a width. Out: rich texts and a table, nothing wider than asked for. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from smtp_probe.cli.drawing import cut, fit
from smtp_probe.cli.hops import describe_hops
from smtp_probe.cli.tally import RouteTally, Tally, Waiting
from smtp_probe.cli.wording import (
    LONGEST_WORD,
    OUTCOME_WORDS,
    OVERDUE_STYLE,
    UNKNOWN,
    clean,
    describe_time,
    short_names,
    style_of,
)
from smtp_probe.model import DuplicateSeen, Event, ForgerySeen, Location, Outcome, ProbeEnded, ProbeOverdue
from smtp_probe.report.sentences import describe, describe_change, describe_duration

_LATENCY_COLUMNS = 9
_NARROW_LATENCY_COLUMNS = 8
_NARROW = 60
_NARROW_ROUTE_COLUMNS = 9
_WAITING_LINES = 3


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and when it was told."""

    event: Event
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What one line says, column by column."""

    at_ns: int
    route: str
    word: str
    style: str
    latency: str = ""
    remark: str = ""


def event_line(told: Told, route_columns: int, width: int | None = None) -> Text | None:
    """What an event says to somebody who watches; None where it says nothing. Uncut without a width."""
    entry = _read(told)
    if entry is None:
        return None
    if width is None:
        return _compose(entry, route_columns)
    if width >= _NARROW:
        return cut(_compose(entry, route_columns), width)
    return cut(_compose_narrow(entry, min(route_columns, _NARROW_ROUTE_COLUMNS)), width)


def _read(told: Told) -> _Entry | None:
    at_ns = told.at_ns
    match told.event:
        case ProbeEnded(outcome=outcome):
            return _Entry(
                at_ns=outcome.ended_ns,
                route=outcome.probe.route,
                word=OUTCOME_WORDS[outcome.kind],
                style=style_of(outcome),
                latency=describe_duration(outcome.delivery_seconds) or UNKNOWN,
                remark=_remark(outcome),
            )
        case ProbeOverdue(probe=probe):
            remark = f"not arrived within {describe_duration(probe.deadline_seconds)}, and still watched for"
            return _Entry(at_ns=at_ns, route=probe.route, word="overdue", style=OVERDUE_STYLE, remark=remark)
        case ForgerySeen(location=location):
            remark = f"somebody else's message with a forged tag in {_place(location)}: not believed"
            return _Entry(at_ns=at_ns, route=UNKNOWN, word="forged", style="magenta", remark=remark)
        case DuplicateSeen(route=route, location=location):
            remark = f"a second copy in {_place(location)}"
            return _Entry(at_ns=at_ns, route=route, word="duplicate", style="yellow", remark=remark)
        case _:
            return None


def waiting_lines(waiting: Iterable[Waiting], now_ns: int, width: int) -> list[Text]:
    """What is waited for on each route, since when, and how long it usually takes; at most three lines."""
    title = "on the way "
    lines = [Text().append(title, style="bold")]
    is_first = True
    for entry in waiting:
        for piece in _describe_waiting(entry, now_ns):
            if not is_first and lines[-1].cell_len + piece.cell_len > width and len(lines) < _WAITING_LINES:
                lines.append(Text())
            lines[-1].append(piece)
            is_first = False
        lines[-1].append(";", style="dim")
    if not is_first:
        lines[-1].right_crop(1)
    if lines[0].plain == title:
        lines[0].append(" nothing: waiting for the next slot", style="dim")
    return [cut(line, width) for line in lines]


def _describe_waiting(entry: Waiting, now_ns: int) -> Iterator[Text]:
    """In pieces between which a line may be broken."""
    age = max(0.0, (now_ns - entry.oldest_ns) / 1e9)
    what = "arrival" if entry.is_submitted else "submission"
    several = f" ({entry.count})" if entry.count > 1 else ""
    is_told = entry.is_submitted and entry.usual_seconds is not None
    said = Text(" ").append(entry.route, style="yellow" if entry.is_overdue else "")
    yield said.append(f": {what} {age:.0f} s{several}" + ("," if is_told else ""), style="dim")
    if is_told:
        yield Text(f" usually {describe_duration(entry.usual_seconds)}", style="dim")


def summary_table(tally: Tally) -> Table:
    """Every route: probes sent, how they ended, and the median of the delivery times."""
    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("route", overflow="fold")
    table.add_column("probes", justify="right")
    table.add_column("outcomes", overflow="fold")
    table.add_column("median", justify="right", overflow="fold")
    for name, route in tally.routes.items():
        median = describe_duration(route.median_seconds) or UNKNOWN
        table.add_row(Text(name), Text(str(route.started)), _outcomes(route), Text(median))
    return table


def summary_sentence(tally: Tally, seconds: float) -> str:
    """The run in one sentence."""
    under_way = sum(route.under_way for route in tally.routes.values())
    said = [f"{_count(tally.ended, 'probe')} ended in {describe_duration(seconds)}"]
    if under_way:
        said.append(f"{under_way} still on the way at the end")
    if tally.forged:
        said.append(f"{_count(tally.forged, 'forged message')} not believed")
    if tally.duplicates:
        said.append(_count(tally.duplicates, "duplicate"))
    if tally.missed_slots:
        said.append(f"{_count(tally.missed_slots, 'slot')} missed")
    return ", ".join(said) + "."


def _compose(entry: _Entry, route_columns: int) -> Text:
    line = Text().append(describe_time(entry.at_ns), style="dim")
    line.append(f"  {fit(entry.route, route_columns)}  ")
    line.append(f"{entry.word:<{LONGEST_WORD}}", style=entry.style)
    line.append(f"{entry.latency:>{_LATENCY_COLUMNS}}")
    line.append(f"  {entry.remark}", style="dim")
    line.rstrip()
    return line


def _compose_narrow(entry: _Entry, route_columns: int) -> Text:
    """The same without remark, for forty columns."""
    line = Text().append(describe_time(entry.at_ns).removesuffix("Z"), style="dim")
    line.append(f" {fit(entry.route, route_columns)} ")
    line.append(f"{entry.word:<{LONGEST_WORD}}", style=entry.style)
    return line.append(f"{entry.latency:>{_NARROW_LATENCY_COLUMNS}}")


def _remark(outcome: Outcome) -> str:
    """Why it went wrong, as the servers said it; what is new on its way; otherwise the hops."""
    if outcome.arrival is None:
        return describe(outcome)
    change = outcome.path.change if outcome.path is not None else None
    if change is not None:
        return f"came another way: {clean(describe_change(change))}"
    section = describe_hops(outcome)
    if section is None:
        return ""
    names = short_names([row.label for row in section.rows])
    said = [f"{name} {row.amount}" for name, row in zip(names, section.rows, strict=True)][1:]
    return f"hops: {', '.join(said)} ({section.brief})" if said else ""


def _outcomes(route: RouteTally) -> Text:
    line = Text()
    for kind, count in route.outcomes.most_common():
        line.append(", " if line else "").append(f"{count} {OUTCOME_WORDS[kind]}")
    if route.under_way:
        line.append(", " if line else "").append(f"{route.under_way} on the way", style="dim")
    return line or Text("none yet", style="dim")


def _place(location: Location) -> str:
    return f"{location.mailbox}/{clean(location.folder, 40) or UNKNOWN}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
