"""The landing page: how our own side stands, how each route stands, and the probes that ended last.

In: plain values from `observations` and `history`. Out: one HTML page, complete in itself, that needs no script. Every
value is escaped by the template engine; what servers wrote has been sanitised before (see `sentences`). Times are
absolute, in UTC: a page does not know when it is read.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

import smtp_probe
from smtp_probe.report.history import History, PastProbe, RouteState
from smtp_probe.report.observations import Health, Observations

MAX_ROUTES = 500
"""Routes shown at most, those that need a look first."""

_TEMPLATES = Environment(
    loader=PackageLoader("smtp_probe.report", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the landing page shows, as it was at one moment."""

    health: Health
    routes: tuple[RouteState, ...]
    route_count: int
    probes: tuple[PastProbe, ...]


def take_overview(observations: Observations, history: History) -> Overview:
    """Copy what the page shows. To be called on the event loop's thread."""
    routes = history.routes()
    return Overview(
        health=observations.health(),
        routes=routes[:MAX_ROUTES],
        route_count=len(routes),
        probes=history.probes(),
    )


def render_landing_page(overview: Overview) -> str:
    """Render the page. Takes some milliseconds with many routes: to be called in a thread."""
    page = _TEMPLATES.get_template("landing.html")
    return page.render(overview=overview, version=smtp_probe.__version__, style=_STYLE)


def style_hash() -> str:
    """Name the page's style sheet for a content security policy (CSP level 2, section 4.2.3)."""
    digest = hashlib.sha256(_STYLE.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def show_time(at_ns: int | None) -> str:
    """Give an instant in UTC, to the second; a dash for None."""
    if at_ns is None:
        return "\N{EN DASH}"
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


_TEMPLATES.filters["show_time"] = show_time
_STYLE = _TEMPLATES.get_template("landing.css").render()
