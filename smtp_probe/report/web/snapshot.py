"""What a page of routes is made of, copied in one go; and which routes a reader asked for.

In: `Telemetry` and `Checks`. Out: frozen facts, from which `overview` makes views in a thread. To be called on the event
loop's thread, where these change, and so short that nothing on it has to wait: some 4 ms for 500 routes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import smtp_probe
from smtp_probe.config.settings import Config
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Authentication
from smtp_probe.report.history import Beat, PastProbe, RouteState, State
from smtp_probe.report.metrics import IN_FLIGHT, OLDEST_IN_FLIGHT
from smtp_probe.report.observations import Observations
from smtp_probe.report.telemetry import Telemetry
from smtp_probe.report.web.checked import Checks
from smtp_probe.report.web.instants import instant
from smtp_probe.report.web.views import MailboxView, ObserverView

_RECENT = 15
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


class RouteSnapshot(NamedTuple):
    """All that is shown of one route, as it was at one moment. A tuple, since that is made in a quarter of the time."""

    state: RouteState
    labels: Mapping[str, str]
    beats: tuple[Beat, ...]
    last_failure: PastProbe | None
    verdicts: Authentication | None
    in_flight: int
    oldest_in_flight_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything at one moment. `routes` are those asked for, as many as are shown."""

    observer: ObserverView
    counts: Mapping[State, int]
    routes: tuple[RouteSnapshot, ...]
    left_out: int
    recent: tuple[PastProbe, ...]
    checks: Checks
    labels: tuple[Mapping[str, str], ...]


def take_snapshot(telemetry: Telemetry, config: Config, checks: Checks, wanted: Filter) -> Snapshot:
    """Copy what the page shows, as it is now."""
    telemetry.before_page()
    history = telemetry.history
    states = history.routes()
    labels = {name: route.labels for name, route in config.routes.items()}
    admitted = states
    if wanted.is_set:
        admitted = tuple(state for state in states if wanted.admits(state, labels.get(state.route, {})))
    shown = admitted[:MAX_ROUTES]
    return Snapshot(
        observer=view_observer(telemetry.observations),
        counts=Counter([state.state for state in states]),
        routes=tuple([take_route(telemetry, state, labels.get(state.route, {})) for state in shown]),
        left_out=len(admitted) - len(shown),
        recent=history.newest(_RECENT),
        checks=checks,
        labels=tuple(labels.values()),
    )


def find_route(telemetry: Telemetry, config: Config, name: str) -> RouteSnapshot | None:
    """Copy what is shown of the route of this name; None where there is none."""
    telemetry.before_page()
    state, settings = telemetry.history.route(name), config.routes.get(name)
    return None if state is None or settings is None else take_route(telemetry, state, settings.labels)


def take_route(telemetry: Telemetry, state: RouteState, labels: Mapping[str, str]) -> RouteSnapshot:
    """Copy what is shown of one route."""
    history, series, name = telemetry.history, telemetry.series, state.route
    oldest = series.get(OLDEST_IN_FLIGHT, (name,))
    return RouteSnapshot(
        state=state,
        labels=labels,
        beats=history.beats(name),
        last_failure=history.last_failure(name),
        verdicts=telemetry.verdicts.latest.get(name),
        in_flight=int(_number(series.get(IN_FLIGHT, (name,)))),
        oldest_in_flight_seconds=oldest if isinstance(oldest, float) else None,
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
        is_caught_up=health.events_to_count == 0,
        shard=health.shard or None,
        mailboxes=tuple(
            MailboxView(name=box.name, is_watched=box.is_up, why=sanitise(box.why))
            for box in health.mailboxes
        ),
    )


def _number(value: object) -> float:
    return value if isinstance(value, float) else 0.0
