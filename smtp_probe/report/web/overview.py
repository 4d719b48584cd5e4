"""The view of everything: our own side, every route, and what the checks found; and which routes a reader asked for.

In: `Telemetry` and `Checks`. Out: views. To be called on the event loop's thread, where these change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import smtp_probe
from smtp_probe.config.settings import Config
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Authentication, Method, Source
from smtp_probe.report.history import Beat, PastProbe, RouteState, State
from smtp_probe.report.metrics import IN_FLIGHT, OLDEST_IN_FLIGHT
from smtp_probe.report.observations import Observations
from smtp_probe.report.telemetry import Telemetry
from smtp_probe.report.web.checked import PARTS, Checks, view_part
from smtp_probe.report.web.instants import instant, instant_or_none
from smtp_probe.report.web.views import (
    BeatsView,
    LatencyView,
    MailboxView,
    ObserverView,
    OverviewView,
    ProbeLine,
    RouteView,
)

MAX_ROUTES = 500
"""Routes on one page at most, those that need a look first; a filter finds the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which routes a reader wants to see. Empty is all."""

    state: str = ""
    text: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_set(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.state or self.text or self.labels)

    def admits(self, route: RouteState, labels: Mapping[str, str]) -> bool:
        """Say whether a route is among those asked for."""
        if self.state and route.state.value != self.state:
            return False
        if self.text and self.text.lower() not in f"{route.route} {route.sentence}".lower():
            return False
        return all(labels.get(name) == value for name, value in self.labels.items())


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


def take_overview(telemetry: Telemetry, config: Config, checks: Checks, wanted: Filter) -> Overview:
    """Copy what the page shows, as it is now."""
    history = telemetry.history
    states = history.routes()
    labels = {name: route.labels for name, route in config.routes.items()}
    admitted = [state for state in states if wanted.admits(state, labels.get(state.route, {}))]
    rows = tuple(take_row(telemetry, state, labels.get(state.route, {})) for state in admitted[:MAX_ROUTES])
    counts = Counter(state.state.value for state in states)
    return Overview(
        view=OverviewView(
            observer=view_observer(telemetry.observations),
            counts={state.value: counts[state.value] for state in State},
            routes=tuple(row.view for row in rows),
            parts=tuple(view_part(checks, part) for part in PARTS),
        ),
        rows=rows,
        recent=tuple(view_line(past) for past in history.probes()[:15]),
        left_out=len(admitted) - len(rows),
        label_choices=tuple(sorted({f"{n}={v}" for each in labels.values() for n, v in each.items()}))[:200],
    )


def take_row(telemetry: Telemetry, state: RouteState, labels: Mapping[str, str]) -> RouteRow:
    """Give one route with its beats."""
    beats = telemetry.history.beats(state.route)
    return RouteRow(view_route(telemetry, state, labels, beats), beats)


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


def view_route(
    telemetry: Telemetry, state: RouteState, labels: Mapping[str, str], beats: Sequence[Beat]
) -> RouteView:
    """Give one route."""
    history, series = telemetry.history, telemetry.series
    found = telemetry.verdicts.latest.get(state.route)
    failure = history.last_failure(state.route)
    oldest = series.get(OLDEST_IN_FLIGHT, (state.route,))
    ends = Counter(beat.state for beat in beats)
    return RouteView(
        name=state.route,
        state=state.state,
        sentence=state.sentence,
        at=instant_or_none(state.at_ns),
        probe_id=state.probe_id or None,
        in_flight=int(_number(series.get(IN_FLIGHT, (state.route,)))),
        oldest_in_flight_at=instant(round(oldest * 1e9)) if isinstance(oldest, float) else None,
        labels=dict(labels),
        latency=view_latency([b.delivery_seconds for b in beats if b.delivery_seconds is not None]),
        beats=BeatsView(good=ends[State.GOOD], failed=ends[State.FAILED], unobserved=ends[State.UNOBSERVED]),
        placement=next((b.placement.value for b in reversed(beats) if b.placement is not None), None),
        verdicts={} if found is None else view_verdicts(found),
        last_failure=None if failure is None else view_line(failure),
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


def view_observer(observations: Observations) -> ObserverView:
    """Give the state of our own side."""
    health = observations.health()
    return ObserverView(
        version=smtp_probe.__version__,
        started_at=instant(observations.started_ns),
        is_ready=health.is_ready,
        is_journal_writable=health.is_journal_up,
        is_configuration_good=health.is_config_good,
        is_engine_reached=health.is_engine_up,
        mailboxes=tuple(
            MailboxView(name=box.name, is_watched=box.is_up, why=sanitise(box.why))
            for box in health.mailboxes
        ),
    )


def _number(value: object) -> float:
    return value if isinstance(value, float) else 0.0
