"""Drawings of a route, as SVG made on the server: heartbeat, sparkline, latency, and hops stacked.

In: numbers, and texts that are ours. Out: markup that needs no script and no style of its own: colours come from the
page's style sheet by class. Each drawing has a text that says the same; where a page has a table of it, that is named.
States differ in height and shape too, not in colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby, pairwise

from markupsafe import Markup, escape

from smtp_probe.report.history import HEARTBEAT, Beat, State
from smtp_probe.report.web.instants import show_seconds
from smtp_probe.report.web.route_view import HopStack, LatencyPoint

_BEAT_HEIGHT = 20
_MIDDLES = {State.GOOD: 13, State.FAILED: 10, State.UNOBSERVED: 17}
_CLASSES = {State.GOOD: "g", State.FAILED: "f", State.UNOBSERVED: "u"}
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 860, 220, 62, 24, 10
_TONES = 6
_NICE = (1, 2, 5)
_ROUND_TIMES = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 604_800)


def heartbeat(beats: Sequence[Beat]) -> Markup:
    """Draw the last probes, newest on the right. Three paths, however many probes: a page may have 500 of these."""
    shown = [beat.state for beat in beats[-HEARTBEAT:]]
    at = HEARTBEAT - len(shown)
    paths = dict.fromkeys(_MIDDLES, "")
    ends = dict.fromkeys(_MIDDLES, 0)
    for state, run in groupby(shown):
        count = len(tuple(run))
        if state in paths:  # the style sheet cuts a run into its probes with dashes
            paths[state] += (
                f"m{at - ends[state]} 0h{count}" if paths[state] else f"M{at} {_MIDDLES[state]}h{count}"
            )
            ends[state] = at + count
        at += count
    drawn = "".join(f'<path class="{_CLASSES[state]}" d="{path}"/>' for state, path in paths.items() if path)
    return Markup(  # noqa: S704 - numbers and our own words
        f'<svg class="beats" viewBox="0 0 {HEARTBEAT} {_BEAT_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{_beats_in_words(shown)}">{drawn}</svg>'
    )


def _beats_in_words(states: Sequence[State]) -> str:
    if not states:
        return "no probe has ended yet"
    counts = [(states.count(state), word) for state, word in _WORDS.items()]
    said = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f"last {len(states)} probes: {said}" if len(states) > 1 else f"the only probe so far: {said}"


_WORDS = {State.GOOD: "good", State.FAILED: "failed", State.UNOBSERVED: "not observed"}


def sparkline(beats: Sequence[Beat]) -> Markup:
    """Draw the delivery times of the last probes, from zero to the longest: a probe wide apart, and from point to point."""
    times = [beat.delivery_seconds for beat in beats[-HEARTBEAT:]]
    known = [seconds for seconds in times if seconds is not None]
    if len(known) < 2:
        return Markup("")
    scale = 18 / max(1e-9, *known)
    heights = [round(scale * seconds) if seconds > 0 else 0 for seconds in known]
    places = [number for number, seconds in enumerate(times) if seconds is not None]
    steps = "".join(
        f"l{right - left} {before - after}".replace(" -", "-")
        for (left, right), (before, after) in zip(pairwise(places), pairwise(heights), strict=True)
    )
    return Markup(  # noqa: S704 - numbers
        f'<svg class="spark" viewBox="0 0 {len(times) - 1} 20" preserveAspectRatio="none" aria-hidden="true">'
        f'<path d="M{places[0]} {19 - heights[0]}{steps}"/></svg>'
    )


def latency_plot(points: Sequence[LatencyPoint], base: str) -> Markup:
    """Draw each probe at its time: delivered ones by how long they took, others as a mark at the top."""
    taken = [point.seconds for point in points if point.seconds is not None]
    if not taken:
        return Markup("")
    axis = _Axis(min(taken), max(taken))
    count = max(1, len(points) - 1)
    marks: list[str] = []
    line = ""
    for number, point in enumerate(points):
        x = _LEFT + (_WIDTH - _LEFT - 12) * number / count
        title = f"{_time(point.at_ns)} {show_seconds(point.seconds)}, {_WORDS[point.state]}"
        if point.seconds is None:
            mark = f'<path class="{_CLASSES[point.state]}" d="M{x - 4:.1f} {_TOP}l8 8m0 -8l-8 8"/>'
        else:
            y = axis.y(point.seconds)
            line += f"{'L' if line else 'M'}{x:.1f} {y:.1f}"
            mark = f'<circle class="{_CLASSES[point.state]}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        marks.append(
            f'<a href="{base}probes/{escape(point.probe_id)}" tabindex="-1"><title>{escape(title)}</title>{mark}</a>'
        )
    label = f"Delivery time of the last {len(points)} probes, from {show_seconds(min(taken))} to {show_seconds(max(taken))}"
    ends = f"{_end_label(points[0].at_ns, 'start')}{_end_label(points[-1].at_ns, 'end')}"
    return _figure(label, f'{axis.draw()}<path class="line" d="{line}"/>{"".join(marks)}{ends}')


def stack_plot(stacks: Sequence[HopStack]) -> Markup:
    """Draw what each hop took of each of the last messages, one column a message, first hop at the bottom."""
    shown = stacks[-HEARTBEAT:]
    sums = [sum(max(0.0, seconds) for _, seconds in stack.parts) for stack in shown]
    most = max(sums, default=0.0)
    if most <= 0:
        return Markup("")
    axis = _Axis(0.0, most)
    step = (_WIDTH - _LEFT - 12) / max(len(shown), 12)
    columns = "".join(_column(stack, _LEFT + step * number, step, axis) for number, stack in enumerate(shown))
    label = f"Time by hop of the last {len(shown)} messages, longest {show_seconds(most)} in all"
    return _figure(label, axis.draw() + columns)


def legend(names: Sequence[str]) -> Markup:
    """Name the tones of the stacked hops, in the order in which they stand."""
    items = "".join(
        f'<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="{tone(name)}" width="10" height="10"/></svg>'
        f"{escape(name)}</li>"
        for name in names
    )
    return Markup(f'<ul class="legend">{items}</ul>')  # noqa: S704 - names are escaped


def tone(name: str) -> str:
    """Give the tone of a hop by its position, which its name begins with."""
    return f"t{int(name.split(' ', 1)[0]) % _TONES}"


def _column(stack: HopStack, x: float, step: float, axis: _Axis) -> str:
    title = escape(f"{_time(stack.at_ns)}: " + ", ".join(f"{n} {show_seconds(s)}" for n, s in stack.parts))
    bars, below = "", 0.0
    for name, seconds in stack.parts:
        if seconds > 0:
            top, bottom = axis.y(below + seconds), axis.y(below)
            bars += (
                f'<rect class="{tone(name)}" x="{x:.1f}" y="{top:.1f}" width="{max(1.0, step - 2):.1f}" '
                f'height="{max(0.5, bottom - top):.1f}"/>'
            )
            below += seconds
    return f"<g><title>{title}</title>{bars}</g>"


_SHORTEST = 1e-6
"""No axis shows less than a microsecond."""


class _Axis:
    """The vertical axis: from zero, or in powers where the longest is fifty times the shortest."""

    def __init__(self, least: float, most: float) -> None:
        self._most = max(most * 1.05, _SHORTEST)
        self._is_logarithmic = least > 0 and most / max(least, _SHORTEST) > 50
        self._least = 10 ** math.floor(math.log10(max(least, _SHORTEST))) if self._is_logarithmic else 0.0

    def y(self, seconds: float) -> float:
        """Give the height of a value in the drawing."""
        if self._is_logarithmic:
            ratio = math.log(max(seconds, self._least) / self._least) / math.log(self._most / self._least)
        else:
            ratio = max(0.0, seconds) / self._most
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * min(1.0, ratio)

    def draw(self) -> str:
        """Draw a line and a word at each round value."""
        return "".join(
            f'<path class="grid" d="M{_LEFT} {self.y(value):.1f}H{_WIDTH - 8}"/>'
            f'<text class="tick" x="{_LEFT - 8}" y="{self.y(value) + 4:.1f}" text-anchor="end">'
            f"{escape(_tick(value))}</text>"
            for value in self._ticks()
        )

    def _ticks(self) -> Iterable[float]:
        if self._is_logarithmic:
            first, last = math.log10(self._least), math.log10(self._most)
            yield from (10.0**power for power in range(math.floor(first), math.floor(last) + 1))
            return
        if self._most > 120:  # people count minutes and hours by other numbers
            time = next((each for each in _ROUND_TIMES if self._most / each <= 6), _ROUND_TIMES[-1])
            yield from (float(time * number) for number in range(min(8, int(self._most / time) + 1)))
            return
        step = 10.0 ** math.floor(math.log10(self._most / 3))
        step *= next((nice for nice in _NICE if self._most / (step * nice) <= 5), 10)
        yield from (step * number for number in range(int(self._most / step) + 1))


def _figure(label: str, content: str) -> Markup:
    return Markup(  # noqa: S704 - numbers, and texts escaped before
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="group" aria-label="{escape(label)}">{content}</svg>'
    )


def _end_label(at_ns: int, side: str) -> str:
    x = _LEFT if side == "start" else _WIDTH - 12
    return f'<text class="tick" x="{x}" y="{_HEIGHT - 6}" text-anchor="{side}">{_time(at_ns)}</text>'


def _time(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}"


def _tick(seconds: float) -> str:
    if seconds == 0:
        return "0"
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    if seconds < 60:
        return f"{seconds:g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"
