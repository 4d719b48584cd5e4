"""The template engine of the pages: escaping on, its filters, the assets with their names, and the security policy.

In: views. Out: HTML, complete without a script, with nothing in it from elsewhere. Every value is escaped; what servers
wrote has been sanitised before. A style sheet or script is named by its content, so that it may be cached for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import smtp_probe
from smtp_probe.model import Stamp
from smtp_probe.model.words import in_words, spaced
from smtp_probe.report.history import State
from smtp_probe.report.web import plots
from smtp_probe.report.web.instants import show_instant, show_precisely, show_seconds

if TYPE_CHECKING:
    from jinja2 import Environment

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_PAGES = (
    ("", "Routes"),
    ("domains", "Domains"),
    ("exchangers", "Exchangers"),
    ("queue", "Queue"),
    ("drills", "Drills"),
    ("config", "Configuration"),
)
_ASSET_TYPES = {"style.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}
_ROUTE_WORDS = {
    State.GOOD: "delivering",
    State.FAILED: "failing",
    State.UNOBSERVED: "not observed",
    State.WAITING: "waiting",
}
_CHECK_WORDS = {
    State.GOOD: "sound",
    State.FAILED: "to be mended",
    State.UNOBSERVED: "not seen",
    State.WAITING: "not looked at yet",
}
_CONFIGURED_BY = {
    "domains": "The section domains of the configuration names what to look at",
    "exchangers": "Those of each domain in the section domains of the configuration are looked at",
    "queue": "The section queues of the configuration names what to look at",
    "drills": "The section drills of the configuration names what to try",
}
_VERDICT_STATES = {"pass": "good", "fail": "failed", "permerror": "failed", "temperror": "unobserved"}
_SEVERITY_STATES = {"critical": "failed", "error": "failed", "warning": "unobserved", "info": "waiting"}


def _read_assets() -> tuple[dict[str, str], dict[str, tuple[bytes, str]]]:
    """Give the public name of each asset, and content and type by public name."""
    names, contents = {}, {}
    for name, content_type in _ASSET_TYPES.items():
        content = files(__package__).joinpath("assets", name).read_bytes()
        stem, _, suffix = name.partition(".")
        names[name] = f"{stem}.{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"
        contents[names[name]] = (content, content_type)
    return names, contents


_ASSET_NAMES, ASSETS = _read_assets()
_FILTERS: Mapping[str, Callable[..., Any]] = {
    "instant": show_instant,
    "precise": show_precisely,
    "seconds": show_seconds,
    "state_word": _ROUTE_WORDS.__getitem__,
    "state_name": lambda name: _ROUTE_WORDS[State(name)],
    "check_word": _CHECK_WORDS.__getitem__,
    "severity_state": lambda severity: _SEVERITY_STATES.get(severity, "waiting"),
    "verdict_state": lambda result: _VERDICT_STATES.get(result, "waiting"),
    "configured_by": _CONFIGURED_BY.__getitem__,
    "stamp_words": lambda stamp: in_words(Stamp(stamp)),
    "spaced": spaced,
    "heartbeat": plots.heartbeat,
    "sparkline": plots.sparkline,
    "latency_plot": plots.latency_plot,
    "stack_plot": plots.stack_plot,
    "legend": plots.legend,
    "urlencode": lambda text: quote(text, safe=""),
}


@cache
def _templates() -> Environment:
    """The engine: made, and its library imported, by the thread that makes the first page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("smtp_probe.report.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= _FILTERS
    templates.globals |= {"assets": _ASSET_NAMES, "pages": _PAGES, "version": smtp_probe.__version__}
    return templates


def render(template: str, *, base: str, here: str = "", seen: str = "", **values: object) -> str:
    """Render one page: `base` is the path of all, `here` its place in the navigation, `seen` the name of what it shows."""
    return _templates().get_template(template).render(base=base, here=here, seen=seen, **values)
