"""The changes of state, as an Atom feed (RFC 4287).

In: changes, and the address of our pages. Out: XML. An entry keeps its id for ever, also when the daemon reads the change
from its journal after a start: the route, the probe that showed it, and how the route stood then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from smtp_probe.report.history import Change, State
from smtp_probe.report.web.instants import instant

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

_ATOM = "http://www.w3.org/2005/Atom"
_WORDS = {
    State.GOOD: "delivers again",
    State.FAILED: "fails",
    State.UNOBSERVED: "cannot be observed",
    State.WAITING: "waits",
}


def render_feed(changes: Sequence[Change], base_url: str, started_ns: int) -> bytes:
    """Write the feed. `base_url` ends with a slash; without an external URL it is a path."""
    from xml.etree import ElementTree as ET  # for whom asks

    feed = ET.Element("feed", {"xmlns": _ATOM})
    _add(feed, "id", "urn:smtp-probe:changes:" + _quoted(base_url))
    _add(feed, "title", "smtp-probe: changes of state")
    _add(feed, "updated", instant(changes[0].at_ns if changes else started_ns))
    _add(_add(feed, "author"), "name", "smtp-probe")
    _add(feed, "link", attributes={"rel": "self", "href": base_url + "feed.atom"})
    _add(feed, "link", attributes={"rel": "alternate", "href": base_url})
    for change in changes:
        entry = _add(feed, "entry")
        _add(
            entry,
            "id",
            ":".join(map(_quoted, ("urn", "smtp-probe", "change", change.route, *_origin(change)))),
        )
        word = (
            "delivers"
            if change.before is State.WAITING and change.state is State.GOOD
            else _WORDS[change.state]
        )
        _add(entry, "title", f"{change.route} {word}")
        _add(entry, "updated", instant(change.at_ns))
        _add(entry, "summary", change.sentence)
        target = (
            f"probes/{_quoted(change.probe_id)}" if change.probe_id else f"routes/{_quoted(change.route)}"
        )
        _add(entry, "link", attributes={"rel": "alternate", "href": base_url + target})
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True))


def _origin(change: Change) -> tuple[str, str]:
    return change.state.value, change.probe_id or str(change.at_ns)


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _add(
    parent: ET.Element, name: str, text: str | None = None, attributes: Mapping[str, str] | None = None
) -> ET.Element:
    element = parent.makeelement(name, dict(attributes or {}))
    element.text = text
    parent.append(element)
    return element
