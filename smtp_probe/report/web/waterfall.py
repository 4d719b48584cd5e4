"""The waterfall of one message, as SVG: its submission, and its way to the mailbox.

In: the view of a probe. Out: two drawings, since a submission takes milliseconds and a delivery may take hours: the
first begins with the first SYN, the second has all of the first as its first bar, and ends when we saw the message. The
tables below say the same in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup, escape

from smtp_probe.report.web.instants import show_seconds
from smtp_probe.report.web.views import ProbeView

_WIDTH, _ROW, _LABEL, _VALUE, _GAP = 860, 22, 210, 80, 14
"""The time stands beside the name, so that a narrow screen shows both before the bars."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a waterfall, in seconds from its beginning."""

    label: str
    start: float
    seconds: float
    tone: str = "ours"


def submission_waterfall(probe: ProbeView) -> Markup:
    """Draw the phases of the SMTP transaction."""
    if not probe.phases:
        return Markup("")
    zero = _seconds(probe.phases[0].started_at)
    bars = [
        Bar(phase.phase, _seconds(phase.started_at) - zero, phase.duration_seconds) for phase in probe.phases
    ]
    return _draw(f"Submission in {len(bars)} phases", bars)


def way_waterfall(probe: ProbeView) -> Markup:
    """Draw the way from the first SYN to our seeing the message, on our clock; hops by their corrected times."""
    if not probe.phases or probe.final_dot_at is None or probe.arrival is None:
        return Markup("")
    zero, dot = _seconds(probe.phases[0].started_at), _seconds(probe.final_dot_at)
    bars = [Bar("until the final dot", 0.0, dot - zero)]
    if probe.accepted_at is not None:
        bars.append(Bar("accept: the server takes it", dot - zero, _seconds(probe.accepted_at) - dot))
    at = dot - zero
    for hop in probe.corrected_hops:
        bars.append(Bar(f"hop {hop.label}", at, hop.seconds, "theirs"))
        at += hop.seconds
    stored, seen = _seconds(probe.arrival.stored_at), _seconds(probe.arrival.seen_at)
    bars.append(Bar("stored in the mailbox", dot - zero, stored - dot, "theirs"))
    bars.append(Bar("until we saw it", stored - zero, seen - stored, "seen"))
    return _draw("From the first SYN to the mailbox", bars)


def _draw(label: str, bars: list[Bar]) -> Markup:
    whole = max(1e-9, *(bar.start + max(0.0, bar.seconds) for bar in bars))
    room = _WIDTH - _LABEL - _VALUE - _GAP
    rows = "".join(_row(number, bar, room / whole) for number, bar in enumerate(bars))
    return Markup(  # noqa: S704 - numbers, and texts escaped before
        f'<svg class="waterfall" viewBox="0 0 {_WIDTH} {_ROW * len(bars)}" role="img" '
        f'aria-label="{escape(label)}: the table has the numbers">{rows}</svg>'
    )


def _row(number: int, bar: Bar, scale: float) -> str:
    y = number * _ROW
    x, width = _LABEL + _VALUE + _GAP + max(0.0, bar.start) * scale, max(1.5, bar.seconds * scale)
    return (
        f'<text class="name" x="0" y="{y + 15}">{escape(bar.label[:36])}</text>'
        f'<rect class="{bar.tone}" x="{x:.1f}" y="{y + 5}" width="{width:.1f}" height="12" rx="2"/>'
        f'<text class="value" x="{_LABEL + _VALUE}" y="{y + 15}" text-anchor="end">{escape(show_seconds(bar.seconds))}</text>'
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
