"""What each path of the API answers with: types, by the name that the description uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue, TypeAdapter

from smtp_probe.report.web.views import (
    ObserverView,
    OverviewView,
    PartView,
    ProbeView,
    RouteDetailView,
    RouteView,
    SubjectView,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorView:
    """Why there is no answer."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedView:
    """A probe is being sent."""

    route: str
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """A route began to stand otherwise than before."""

    route: str
    at: str
    before: str
    state: str
    sentence: str
    probe_id: str


ANSWERS: dict[str, TypeAdapter[Any]] = {
    "overview": TypeAdapter(OverviewView),
    "health": TypeAdapter(ObserverView),
    "routes": TypeAdapter(tuple[RouteView, ...]),
    "route": TypeAdapter(RouteDetailView),
    "probe": TypeAdapter(ProbeView),
    "part": TypeAdapter(PartView),
    "subject": TypeAdapter(SubjectView),
    "changes": TypeAdapter(tuple[ChangeView, ...]),
    "config": TypeAdapter(dict[str, JsonValue]),
}
