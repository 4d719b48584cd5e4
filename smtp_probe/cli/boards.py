"""How a run of the demo is shown where nothing moves: as plain lines, or as JSON; and what every board can do.

In: events with their instants, remarks of the log, the passing of time. Out: what is written to the streams. A board is
used by one thread only, and lets OSError through when its stream is gone. The one that moves is in `live_board`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.text import Text

from smtp_probe.cli.lines import Told, event_line, summary_sentence, summary_table
from smtp_probe.cli.rendering import outcome_to_json
from smtp_probe.cli.tally import Tally
from smtp_probe.model import ProbeEnded


@dataclass(frozen=True, slots=True)
class Opening:
    """What is said first: how it is called, where its pages are, and what there will be to see."""

    title: str
    addresses: tuple[tuple[str, str], ...]
    scenarios: tuple[tuple[str, str], ...]
    closing: str


class Board(Protocol):
    """One way to show a run."""

    def open(self, opening: Opening) -> None:
        """Say what is going to be seen, and where."""
        ...

    def show(self, told: Told) -> None:
        """Show one event, if it is worth it."""
        ...

    def remark(self, text: str) -> None:
        """Show a line of the log."""
        ...

    def tick(self, now_ns: int) -> None:
        """Show that time passes; called a few times a second."""
        ...

    def close(self, seconds: float) -> None:
        """Give the summary of a run that took so long."""
        ...

    def leave(self) -> None:
        """Give the terminal back, whatever has happened. May be called twice."""
        ...


class JsonBoard:
    """One JSON object for each ended probe on standard output; everything for people on standard error."""

    def __init__(self, tally: Tally, objects: Console, words: Console) -> None:
        self._tally = tally
        self._objects = objects
        self._words = words

    def open(self, opening: Opening) -> None:
        """Tell the addresses."""
        for name, address in opening.addresses:
            self._words.print(Text(f"{name}: {address}"), soft_wrap=True)

    def show(self, told: Told) -> None:
        """Write the object of an ended probe."""
        if isinstance(told.event, ProbeEnded):
            self._objects.file.write(outcome_to_json(told.event.outcome) + "\n")
            self._objects.file.flush()

    def remark(self, text: str) -> None:
        """Write a line of the log."""
        self._words.print(Text(text), soft_wrap=True)

    def tick(self, now_ns: int) -> None:
        """Nothing moves here."""

    def close(self, seconds: float) -> None:
        """Print the summary."""
        print_summary(self._words, self._tally, seconds)

    def leave(self) -> None:
        """Nothing was taken."""


class PlainBoard:
    """A line for each event, none of them cut: for files, pipes and simple terminals."""

    def __init__(self, tally: Tally, console: Console) -> None:
        self._tally = tally
        self._console = console

    def open(self, opening: Opening) -> None:
        """Tell what there will be to see."""
        for line in draw_opening(opening):
            self._console.print(line, soft_wrap=True)

    def show(self, told: Told) -> None:
        """Print the line of an event."""
        line = event_line(told, route_columns(self._tally))
        if line is not None:
            self._console.print(line, soft_wrap=True)

    def remark(self, text: str) -> None:
        """Print a line of the log."""
        self._console.print(Text(text), soft_wrap=True)

    def tick(self, now_ns: int) -> None:
        """Nothing moves here."""

    def close(self, seconds: float) -> None:
        """Print the summary."""
        print_summary(self._console, self._tally, seconds)

    def leave(self) -> None:
        """Nothing was taken."""


def draw_opening(opening: Opening) -> list[Text]:
    """The first lines. Pure."""
    columns = max(len(name) for name, _ in (*opening.addresses, *opening.scenarios))
    lines = [Text().append(opening.title, style="bold"), Text()]
    for name, address in opening.addresses:
        lines.append(Text().append(f"  {name:<{columns}}  ", style="dim").append(address, style="cyan"))
    lines.append(Text())
    for name, sees in opening.scenarios:
        lines.append(Text().append(f"  {name:<{columns}}  ").append(sees, style="dim"))
    return [*lines, Text(), Text().append(opening.closing, style="dim")]


def print_summary(console: Console, tally: Tally, seconds: float) -> None:
    """Print the table and the sentence."""
    console.print()
    console.print(summary_table(tally))
    console.print()
    console.print(Text(summary_sentence(tally, seconds)), soft_wrap=not console.is_terminal)


def route_columns(tally: Tally) -> int:
    """How wide the column of route names is."""
    return max((len(name) for name in tally.routes), default=0)
