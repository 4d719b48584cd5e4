"""What each path of the API answers with: types, by the name that the description uses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
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


ANSWERS: dict[str, Any] = {
    "overview": OverviewView,
    "health": ObserverView,
    "routes": tuple[RouteView, ...],
    "route": RouteDetailView,
    "probe": ProbeView,
    "part": PartView,
    "subject": SubjectView,
    "changes": tuple[ChangeView, ...],
    "config": dict[str, JsonValue],
    "error": ErrorView,
    "accepted": AcceptedView,
}
"""The kinds of answers, by the names that `components/schemas` has for them."""


@cache
def adapter(answer: str) -> TypeAdapter[Any]:
    """How that kind of answer is written: made when it is first asked for, which takes tens of milliseconds of a thread."""
    return TypeAdapter(ANSWERS[answer])


def dump(answer: str, value: object) -> bytes:
    """The answer as JSON."""
    return adapter(answer).dump_json(value)
