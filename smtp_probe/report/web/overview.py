"""The view of everything: our own side, every route, and what the checks found.

In: a snapshot. Out: views. Pure, so that a thread can do it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from smtp_probe.model import Authentication, Method, Source
from smtp_probe.report.history import Beat, PastProbe, State
from smtp_probe.report.web.checked import PARTS, view_part
from smtp_probe.report.web.instants import instant, instant_or_none
from smtp_probe.report.web.snapshot import RouteSnapshot, Snapshot
from smtp_probe.report.web.views import (
    BeatsView,
    LatencyView,
    OverviewView,
    ProbeLine,
    RouteView,
)


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route and its last probes, which a page draws."""

    view: RouteView
    beats: tuple[Beat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The view, the rows to be drawn, and the choices that the filter offers."""

    view: OverviewView
    rows: tuple[RouteRow, ...]
    recent: tuple[ProbeLine, ...]
    left_out: int
    label_choices: tuple[str, ...]


def view_overview(snapshot: Snapshot) -> Overview:
    """Make the views of a snapshot. Takes some 30 ms for 500 routes: to be called in a thread."""
    rows = tuple(map(view_row, snapshot.routes))
    return Overview(
        view=OverviewView(
            observer=snapshot.observer,
            counts={state.value: snapshot.counts.get(state, 0) for state in State},
            routes=tuple(row.view for row in rows),
            parts=tuple(view_part(snapshot.checks, part) for part in PARTS),
        ),
        rows=rows,
        recent=tuple(map(view_line, snapshot.recent)),
        left_out=snapshot.left_out,
        label_choices=tuple(
            sorted({f"{name}={value}" for each in snapshot.labels for name, value in each.items()})
        )[:200],
    )


def view_row(facts: RouteSnapshot) -> RouteRow:
    """Give one route with its beats."""
    return RouteRow(_view_route(facts), facts.beats)


def view_verdicts(found: Authentication) -> dict[str, str]:
    """Give for each method what we and the receiver say of a message: one word where both say the same."""
    said: dict[str, str] = {}
    for method in Method:
        own, theirs = (found.summary(method, source) for source in (Source.OWN, Source.RECEIVER))
        if own is not None and theirs is not None and own.result is not theirs.result:
            said[method.value] = f"{own.result.value}, the receiver says {theirs.result.value}"
        elif own is not None:
            said[method.value] = own.result.value if theirs is not None else f"{own.result.value} (by us)"
        elif theirs is not None:
            said[method.value] = f"{theirs.result.value} (by the receiver)"
    return said


def _view_route(facts: RouteSnapshot) -> RouteView:
    state, beats, oldest = facts.state, facts.beats, facts.oldest_in_flight_seconds
    ends = Counter([beat.state for beat in beats])
    return RouteView(
        name=state.route,
        state=state.state,
        sentence=state.sentence,
        at=instant_or_none(state.at_ns),
        probe_id=state.probe_id or None,
        in_flight=facts.in_flight,
        oldest_in_flight_at=None if oldest is None else instant(round(oldest * 1e9)),
        labels=dict(facts.labels),
        latency=view_latency([b.delivery_seconds for b in beats if b.delivery_seconds is not None]),
        beats=BeatsView(good=ends[State.GOOD], failed=ends[State.FAILED], unobserved=ends[State.UNOBSERVED]),
        placement=next((b.placement.value for b in reversed(beats) if b.placement is not None), None),
        verdicts={} if facts.verdicts is None else view_verdicts(facts.verdicts),
        last_failure=None if facts.last_failure is None else view_line(facts.last_failure),
    )


def view_latency(seconds: Sequence[float]) -> LatencyView:
    """Give the percentiles of some delivery times."""
    return LatencyView(
        count=len(seconds), p50_seconds=percentile(seconds, 0.5), p95_seconds=percentile(seconds, 0.95)
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """Give the value below which this share lies, by the nearest rank: a value that really occurred."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -int(-share * len(ranked) // 1) - 1))]


def view_line(past: PastProbe) -> ProbeLine:
    """Give one ended probe, as a list shows it."""
    return ProbeLine(
        probe_id=past.probe_id,
        route=past.route,
        state=past.state,
        kind=past.kind,
        sentence=past.sentence,
        sent_at=instant(past.sent_ns),
        ended_at=instant(past.ended_ns),
        delivery_seconds=past.delivery_seconds,
    )
