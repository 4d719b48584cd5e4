"""The steps of one probe while it runs: what is waited for, since when, and how long that usually takes.

In: the names of steps as they begin, the passing of time, the usual delivery time of the route. Out: lines for a live view.
Pure but for the list that it keeps; safe to be read by one thread while another adds.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from smtp_probe.cli.drawing import cut, draw_bars, fit, wrap
from smtp_probe.cli.section import Bar
from smtp_probe.cli.terminal import Glyphs
from smtp_probe.cli.wording import describe_span
from smtp_probe.model import Phase
from smtp_probe.report.sentences import describe_duration

_WAITS = {
    "mailbox": "opening the mailbox: nothing is sent before it is in view",
    Phase.RESOLVE: "looking up the host",
    Phase.CONNECT: "connecting",
    Phase.TLS: "TLS handshake",
    Phase.GREETING: "waiting for the greeting",
    Phase.EHLO: "EHLO",
    Phase.STARTTLS: "STARTTLS",
    Phase.AUTH: "logging in",
    Phase.MAIL: "MAIL",
    Phase.RCPT: "RCPT",
    Phase.DATA: "handing the message over",
    Phase.ACCEPT: "waiting for the answer to the final dot",
    Phase.QUIT: "QUIT",
    "arrival": "watching the mailbox for the message",
    "removal": "deleting the message",
}
_NAME_COLUMNS = 10
_AMOUNT_COLUMNS = 9
_NARROW = 60
_INDENT = "    "
_BAR_COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Step:
    """A step, and when it began on a clock of the caller's, in seconds."""

    name: str
    began_seconds: float


class Steps:
    """All steps of one probe so far. The last one runs."""

    def __init__(
        self, route: str, deadline_seconds: float | None = None, usual_seconds: float | None = None
    ) -> None:
        self._route = route
        self._deadline_seconds = deadline_seconds
        self._usual_seconds = usual_seconds
        self._steps: tuple[Step, ...] = ()

    def begin(self, name: str, now_seconds: float) -> None:
        """A step begins, and the one before it has ended. A step that begins again goes on."""
        if not self._steps or self._steps[-1].name != name:
            self._steps = (*self._steps, Step(name, now_seconds))

    def explain(self, name: str) -> str:
        """What a step waits for, in words."""
        words = _WAITS.get(name, name)
        if name == "arrival" and self._deadline_seconds is not None:
            words += f", at most {describe_duration(self._deadline_seconds)}"
        return words

    def draw(self, now_seconds: float, width: int, height: int, glyphs: Glyphs) -> list[Text]:
        """The route and its steps, the newest of them where there is no room for all; at last how far the delivery is."""
        steps = self._steps
        since = now_seconds - (steps[0].began_seconds if steps else now_seconds)
        title = cut(Text().append(self._route, style="bold").append(f"  {since:.1f} s", style="dim"), width)
        if not steps:
            return [title]
        below = self._below(now_seconds, width, glyphs)
        room = max(height - 2 - len(below), 1)
        lines = [title]
        for index in range(max(len(steps) - room, 0), len(steps)):
            is_running = index == len(steps) - 1
            end = now_seconds if is_running else steps[index + 1].began_seconds
            is_told = is_running and width >= _NARROW
            line = self._line(steps[index], end, glyphs, is_running=is_running, is_told=is_told)
            lines.append(cut(line, width))
        return [*lines, *below][: max(height - 1, 2)]

    def _below(self, now_seconds: float, width: int, glyphs: Glyphs) -> list[Text]:
        """What stands under the steps: in a narrow terminal what is waited for; and the delivery."""
        said = self.explain(self._steps[-1].name)
        pieces = wrap(said, max(width - len(_INDENT), 1)) if width < _NARROW else []
        lines = [Text(f"{_INDENT}{piece}", style="dim") for piece in pieces]
        return [cut(line, width) for line in (*lines, *self._delivery(now_seconds, width, glyphs))]

    def _delivery(self, now_seconds: float, width: int, glyphs: Glyphs) -> list[Text]:
        """The time since the final dot against the route's usual one, in words and as a bar."""
        usual = self._usual_seconds
        told = "no usual time is known yet" if usual is None else f"usually {describe_duration(usual)}"
        dots = [step.began_seconds for step in self._steps if step.name == Phase.ACCEPT]
        if not dots:
            return [Text(f"  delivery: {told}", style="dim")] if usual is not None else []
        ends = [step.began_seconds for step in self._steps if step.name == "removal"]
        seconds = max((ends[-1] if ends else now_seconds) - dots[-1], 0.0)
        is_late = usual is not None and seconds >= usual
        line = Text("  delivery ").append(f"{seconds:.1f} s", style="yellow" if is_late else "cyan")
        line.append(f", {told}", style="dim")
        if usual is None:
            return [line]
        bar = draw_bars([Bar(begin=0.0, end=1.0 if is_late else seconds / usual)], _BAR_COLUMNS, glyphs)
        drawn = Text(f"[{bar}]", style="yellow" if is_late else "cyan")
        if width < _NARROW:
            return [line, Text("  ").append(drawn)]
        return [line.append("  ").append(drawn)]

    def _line(
        self, step: Step, end_seconds: float, glyphs: Glyphs, *, is_running: bool, is_told: bool
    ) -> Text:
        seconds = end_seconds - step.began_seconds
        amount = f"{seconds:.1f} s" if is_running else describe_span(seconds)
        mark, style = (glyphs.running, "cyan") if is_running else (glyphs.good, "green")
        line = Text().append(f"  {mark} ", style=style).append(fit(step.name, _NAME_COLUMNS))
        line.append(f" {amount:>{_AMOUNT_COLUMNS}}", style="" if is_running else "dim")
        return line.append(f"  {self.explain(step.name)}", style="dim") if is_told else line
