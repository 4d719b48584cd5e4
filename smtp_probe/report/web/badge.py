"""The badge of a route: its state in words, as a small SVG for a README or a wiki.

In: a route's view. Out: SVG that stands alone: a badge is shown on other pages, so its colours are its own.
"""

from __future__ import annotations

from markupsafe import escape

from smtp_probe.report.history import State
from smtp_probe.report.web.instants import show_seconds
from smtp_probe.report.web.views import RouteView

_COLOURS = {
    State.GOOD: "#1a6b3c",
    State.FAILED: "#b3201f",
    State.UNOBSERVED: "#7d4e00",
    State.WAITING: "#57606a",
}
_WORDS = {
    State.GOOD: "delivering",
    State.FAILED: "failing",
    State.UNOBSERVED: "not observed",
    State.WAITING: "waiting",
}
_CHARACTER = 6.6
_LONGEST_NAME = 40


def render_badge(route: RouteView) -> str:
    """Draw the badge of one route."""
    name = route.name if len(route.name) <= _LONGEST_NAME else route.name[: _LONGEST_NAME - 1] + "…"
    said = _WORDS[route.state]
    if route.state is State.GOOD and route.latency.p50_seconds is not None:
        said += f", {show_seconds(route.latency.p50_seconds)}"
    left, right = (round(len(text) * _CHARACTER + 14) for text in (name, said))
    title = escape(f"{name}: {said}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{title}">'
        f'<title>{title}</title><rect width="{left + right}" height="20" rx="3" fill="#30363d"/>'
        f'<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-{right - 3}z" fill="{_COLOURS[route.state]}"/>'
        '<g fill="#fff" font-family="DejaVu Sans,Verdana,sans-serif" font-size="11">'
        f"{_text(name, 7, left - 14)}{_text(said, left + 7, right - 14)}</g></svg>\n"
    )


def _text(text: str, x: int, width: int) -> str:
    return f'<text x="{x}" y="14" textLength="{width}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
