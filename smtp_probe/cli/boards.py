"""How a run of the demo is shown: live on a terminal, as plain lines, or as JSON.

In: events with their instants, remarks of the log, the passing of time. Out: what is written to the streams. A board is
used by one thread only, and lets OSError through when its stream is gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from smtp_probe.cli.drawing import cut, draw_sections
from smtp_probe.cli.lines import event_line, summary_sentence, summary_table, waiting_line
from smtp_probe.cli.rendering import outcome_to_json
from smtp_probe.cli.tally import Tally
from smtp_probe.cli.terminal import Glyphs
from smtp_probe.cli.waterfall import sections
from smtp_probe.cli.wording import OUTCOME_WORDS, clean, describe_time, style_of
from smtp_probe.model import Event, Outcome, ProbeEnded
from smtp_probe.report.sentences import describe

_HOLD_NS = 2_000_000_000
"""How long a waterfall stays at least: nobody can read faster."""
_REMEMBERED_LINES = 300
_LINES_ABOVE = 3
"""Lines of ended probes that stay visible above the live view, however small the terminal is."""
_FRAME_EDGE = 4
"""Lines of a frame that are not its waterfall: an edge, a title, an empty line, and what is on the way."""
_LEAST_SECTIONS = 3


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

    def show(self, event: Event, at_ns: int) -> None:
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

    def show(self, event: Event, at_ns: int) -> None:
        """Write the object of an ended probe."""
        if isinstance(event, ProbeEnded):
            self._objects.file.write(outcome_to_json(event.outcome) + "\n")
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

    def show(self, event: Event, at_ns: int) -> None:
        """Print the line of an event."""
        line = event_line(event, at_ns, route_columns(self._tally))
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


class LiveBoard:
    """Lines that scroll by, and beneath them the waterfall of a probe that ended lately and what is on its way.

    A terminal that has been made narrower has broken our lines in places that nobody knows: then all is drawn anew.
    """

    def __init__(self, tally: Tally, console: Console, glyphs: Glyphs, now_ns: Callable[[], int]) -> None:
        self._tally = tally
        self._console = console
        self._glyphs = glyphs
        self._now_ns = now_ns
        self._said: deque[Event | str] = deque(maxlen=_REMEMBERED_LINES)
        self._at_ns: deque[int] = deque(maxlen=_REMEMBERED_LINES)
        self._shown: Outcome | None = None
        self._shown_since_ns = 0
        self._newest: Outcome | None = None
        self._size = console.size
        self._tallest = 0
        self._live: Live | None = None

    def open(self, opening: Opening) -> None:
        """Tell what there will be to see, and begin."""
        width = self._console.width - 1
        for line in draw_opening(opening):
            self._console.print(cut(line, width))
        self._console.print()
        self._start()

    def show(self, event: Event, at_ns: int) -> None:
        """Add the line of an event; a probe that has ended is the next to be looked at."""
        if isinstance(event, ProbeEnded):
            self._newest = event.outcome
        self._add(event, at_ns)

    def remark(self, text: str) -> None:
        """Add a line of the log."""
        self._add(text, 0)

    def tick(self, now_ns: int) -> None:
        """Draw the frame of this moment."""
        if self._newest is not None and now_ns - self._shown_since_ns >= _HOLD_NS:
            self._shown, self._newest, self._shown_since_ns = self._newest, None, now_ns
        if self._console.size != self._size:
            self._draw_anew()
        if self._live is not None:
            self._live.update(self._frame(now_ns), refresh=True)

    def close(self, seconds: float) -> None:
        """Give the terminal back, and print the summary."""
        if self._console.size != self._size:
            self._draw_anew()
        self.leave()
        print_summary(self._console, self._tally, seconds)

    def leave(self) -> None:
        """Take the frame away, and show the cursor again."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _start(self) -> None:
        self._live = Live(
            self._frame(self._now_ns()),
            console=self._console,
            auto_refresh=False,
            transient=True,
            vertical_overflow="crop",
        )
        self._live.start()

    def _add(self, said: Event | str, at_ns: int) -> None:
        line = self._line(said, at_ns)
        if line is not None:
            self._said.append(said)
            self._at_ns.append(at_ns)
            self._console.print(line)

    def _line(self, said: Event | str, at_ns: int) -> Text | None:
        width = self._console.width - 1
        if isinstance(said, str):
            return cut(Text(said, style="magenta"), width)
        return event_line(said, at_ns, route_columns(self._tally), width)

    def _draw_anew(self) -> None:
        """Clear the screen and fill it again: with as many of the newest lines as there is room for."""
        self.leave()
        self._size = self._console.size
        self._tallest = 0
        self._console.clear(home=True)
        room = max(self._console.height - 1 - len(self._frame_lines(self._now_ns())), 0)
        lines = [self._line(said, at_ns) for said, at_ns in zip(self._said, self._at_ns, strict=True)]
        for line in [line for line in lines if line is not None][-room:] if room else []:
            self._console.print(line)
        self._start()

    def _frame(self, now_ns: int) -> Group:
        """The frame, as tall as the tallest before it, so that nothing above it moves."""
        lines = self._frame_lines(now_ns)
        self._tallest = max(self._tallest, len(lines))
        return Group(*[Text()] * (self._tallest - len(lines)), *lines)

    def _frame_lines(self, now_ns: int) -> list[Text]:
        width, height = self._console.width - 1, self._console.height
        room = height - 1 - _LINES_ABOVE
        waiting = waiting_line(self._tally.waiting(), now_ns, width)
        if self._shown is None or room < _FRAME_EDGE + _LEAST_SECTIONS:
            return [waiting] if room > 0 else []
        found = sections(self._shown, room - _FRAME_EDGE)
        drawn = draw_sections(found, width, self._glyphs)
        return [Text(), _title(self._shown, width), *drawn, Text(), waiting]


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


def _title(outcome: Outcome, width: int) -> Text:
    line = Text().append(outcome.probe.route, style="bold").append("  ")
    line.append(describe(outcome), style=style_of(outcome))
    return cut(line.append(f"  {describe_time(outcome.ended_ns)}", style="dim"), width)
