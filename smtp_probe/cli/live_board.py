"""How a run of the demo is shown on a terminal: lines that scroll by, and a frame beneath them that is drawn anew.

In: events with their instants, remarks of the log, the passing of time. Out: what is written to the terminal, never wider
or taller than it is at that moment. Used by one thread only; lets OSError through when the terminal is gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from smtp_probe.cli.boards import Opening, draw_opening, print_summary, route_columns
from smtp_probe.cli.drawing import cut, draw_sections
from smtp_probe.cli.lines import Told, event_line, waiting_lines
from smtp_probe.cli.tally import Tally
from smtp_probe.cli.terminal import Glyphs
from smtp_probe.cli.waterfall import sections
from smtp_probe.cli.wording import describe_time, style_of
from smtp_probe.model import Outcome, ProbeEnded
from smtp_probe.report.sentences import describe

_HOLD_NS = 2_000_000_000
"""How long a waterfall stays at least: nobody can read faster."""
_REMEMBERED_LINES = 300
_LINES_ABOVE = 3
"""Lines of ended probes that stay visible above the frame, however small the terminal is."""
_FRAME_EDGE = 3
"""Lines of a frame that are not its waterfall, beside what is on the way: an edge, a title, an empty line."""
_LEAST_SECTIONS = 3


class LiveBoard:
    """Lines that scroll by, and beneath them the waterfall of a probe that ended lately and what is on its way.

    A terminal that has been made narrower has broken our lines in places that nobody knows: then all is drawn anew.
    """

    def __init__(self, tally: Tally, console: Console, glyphs: Glyphs, now_ns: Callable[[], int]) -> None:
        self._tally = tally
        self._console = console
        self._glyphs = glyphs
        self._now_ns = now_ns
        self._said: deque[Told | str] = deque(maxlen=_REMEMBERED_LINES)
        self._shown: Outcome | None = None
        self._shown_since_ns = 0
        self._newest: dict[str, Outcome] = {}
        self._routes_shown: dict[str, int] = {}
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

    def show(self, told: Told) -> None:
        """Add the line of an event; a probe that has ended is the next to be looked at."""
        if isinstance(told.event, ProbeEnded):
            self._newest[told.event.outcome.probe.route] = told.event.outcome
        self._add(told)

    def remark(self, text: str) -> None:
        """Add a line of the log."""
        self._add(text)

    def tick(self, now_ns: int) -> None:
        """Draw the frame of this moment."""
        if self._newest and now_ns - self._shown_since_ns >= _HOLD_NS:
            self._show_next(now_ns)
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

    def _show_next(self, now_ns: int) -> None:
        """Turn to the newest probe of the route that was not looked at for the longest time."""
        route = min(self._newest, key=lambda name: self._routes_shown.get(name, 0))
        self._shown, self._shown_since_ns = self._newest.pop(route), now_ns
        self._routes_shown[route] = now_ns

    def _start(self) -> None:
        self._live = Live(
            self._frame(self._now_ns()),
            console=self._console,
            auto_refresh=False,
            transient=True,
            vertical_overflow="crop",
        )
        self._live.start()

    def _add(self, said: Told | str) -> None:
        line = self._line(said)
        if line is not None:
            self._said.append(said)
            self._console.print(line)

    def _line(self, said: Told | str) -> Text | None:
        width = self._console.width - 1
        if isinstance(said, str):
            return cut(Text(said, style="magenta"), width)
        return event_line(said, route_columns(self._tally), width)

    def _draw_anew(self) -> None:
        """Clear the screen and fill it again: with as many of the newest lines as there is room for."""
        self.leave()
        self._size = self._console.size
        self._tallest = 0
        self._console.clear(home=True)
        room = max(self._console.height - 1 - len(self._frame_lines(self._now_ns())), 0)
        for said in list(self._said)[len(self._said) - room :] if room < len(self._said) else self._said:
            self._console.print(self._line(said))
        self._start()

    def _frame(self, now_ns: int) -> Group:
        """The frame, as tall as the tallest before it, so that nothing above it moves."""
        lines = self._frame_lines(now_ns)
        self._tallest = max(self._tallest, len(lines))
        return Group(*[Text()] * (self._tallest - len(lines)), *lines)

    def _frame_lines(self, now_ns: int) -> list[Text]:
        width, height = self._console.width - 1, self._console.height
        room = height - 1 - _LINES_ABOVE
        waiting = waiting_lines(self._tally.waiting(), now_ns, width)[: max(room, 0)]
        left = room - _FRAME_EDGE - len(waiting)
        if self._shown is None or left < _LEAST_SECTIONS:
            return waiting
        drawn = draw_sections(sections(self._shown, left), width, self._glyphs)
        return [Text(), _title(self._shown, width), *drawn, Text(), *waiting]


def _title(outcome: Outcome, width: int) -> Text:
    line = Text().append(outcome.probe.route, style="bold").append("  ")
    line.append(describe(outcome), style=style_of(outcome))
    return cut(line.append(f"  {describe_time(outcome.ended_ns)}", style="dim"), width)
