"""The rules that need two sections: names that point at something, and intervals that can be kept.

In: a valid `Config`. Out: what is wrong in it, each with its path. Reads nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from smtp_probe.config.drills import KINDS, SHORTEST_INTERVAL_SECONDS, AnyDrill
from smtp_probe.config.nodes import KeyPath
from smtp_probe.config.section import Settings
from smtp_probe.config.settings import Config, Route
from smtp_probe.config.values import format_duration

_SHOWN_NAMES = 10
_ROUNDING = 1.0001
_PATIENCE = 2
"""After so many times `give_up_after` every probe has ended."""


class Contradiction(NamedTuple):
    """Settings that cannot both be meant. `path` is the one to change; `involved` are all that take part."""

    path: KeyPath
    message: str
    involved: tuple[KeyPath, ...] = ()


def references(config: Config) -> list[Contradiction]:
    """Every name in `routes`, `drills` and logins that points at nothing, and every interval that the limits do not allow."""
    found = [wrong for name, route in config.routes.items() for wrong in _judge_route(config, name, route)]
    found += _judge_credentials(config)
    found += _judge_retention(config)
    found += _judge_budget(("schedule", "max_per_minute"), config.schedule.max_per_minute, config.routes)
    found += [
        wrong
        for kind in KINDS
        for name, drill in getattr(config.drills, kind).items()
        for wrong in _judge_drill(config, ("drills", kind, name), drill)
    ]
    routes_of: defaultdict[str, dict[str, Route]] = defaultdict(dict)
    for name, route in config.routes.items():
        routes_of[route.sender][name] = route
    for name, sender in config.senders.items():
        found += _judge_budget(("senders", name, "max_per_minute"), sender.max_per_minute, routes_of[name])
    return found


def _judge_names(config: Config, place: KeyPath, settings: Settings) -> Iterator[Contradiction]:
    """Names of senders and mailboxes that a section gives and nobody has."""
    for field, known, section in (
        ("sender", config.senders, "senders"),
        ("mailbox", config.mailboxes, "mailboxes"),
        ("bounce_mailbox", config.mailboxes, "mailboxes"),
        ("other_mailbox", config.mailboxes, "mailboxes"),
    ):
        value = getattr(settings, field, None)
        if value is not None and value not in known:
            message = f"{value!r} is not one of {section}: {_list_names(known)}"
            path = (*place, field)
            yield Contradiction(path, message, (path, (section,)))


def _judge_drill(config: Config, place: KeyPath, settings: AnyDrill) -> Iterator[Contradiction]:
    """The mail of a drill and that of a route are told apart by their names, which are in the tag."""
    yield from _judge_names(config, place, settings)
    yield from _judge_drill_interval(config, place, settings)
    name = str(place[-1])
    if name in config.routes:
        message = f"a drill cannot be named like a route: {name!r}"
        yield Contradiction(place, message, (place, ("routes", name)))


def _judge_drill_interval(config: Config, place: KeyPath, drill: AnyDrill) -> Iterator[Contradiction]:
    """A run ends before the next begins, and no server is drilled all the time."""
    path, interval = (*place, "interval"), format_duration(drill.interval)
    if drill.interval < SHORTEST_INTERVAL_SECONDS and not config.drills.lab:
        floor = format_duration(SHORTEST_INTERVAL_SECONDS)
        message = f"{interval} is too often for a drill: {floor} at least, unless drills.lab is true"
        yield Contradiction(path, message, (path, ("drills", "lab")))
    for field in drill.deadlines():
        if getattr(drill, field) > drill.interval:
            message = f"{field} ({format_duration(getattr(drill, field))}) must not be longer than interval ({interval})"
            yield Contradiction(path, message, (path, (*place, field)))


def _judge_retention(config: Config) -> Iterator[Contradiction]:
    """A probe whose events have passed away before its end could not be taken over: it would never end."""
    if config.engine is None:
        return
    name, route = max(config.routes.items(), key=lambda item: item[1].give_up_after)
    if config.engine.retention < _PATIENCE * route.give_up_after:
        path = ("engine", "retention")
        message = (
            f"{format_duration(config.engine.retention)} is shorter than twice the longest give_up_after "
            f"({format_duration(route.give_up_after)}): events must outlive their probes"
        )
        yield Contradiction(path, message, (path, ("routes", name, "give_up_after")))


def _judge_credentials(config: Config) -> Iterator[Contradiction]:
    """Names of credentials that a login gives and nobody has."""
    for section, endpoints in (("senders", config.senders), ("mailboxes", config.mailboxes)):
        for name, endpoint in endpoints.items():
            wanted = None if endpoint.auth is None else endpoint.auth.oauth
            if wanted is not None and wanted not in config.credentials:
                message = f"{wanted!r} is not one of credentials: {_list_names(config.credentials) or 'there is none'}"
                path = (section, name, "auth", "oauth")
                yield Contradiction(path, message, (path, ("credentials",)))


def _judge_route(config: Config, name: str, route: Route) -> Iterator[Contradiction]:
    yield from _judge_names(config, ("routes", name), route)
    minimum = config.schedule.minimum_interval
    if route.interval < minimum:
        path = ("routes", name, "interval")
        message = f"{format_duration(route.interval)} is below schedule.minimum_interval ({format_duration(minimum)})"
        yield Contradiction(path, message, (path, ("schedule", "minimum_interval")))


def _judge_budget(path: KeyPath, budget: int, routes: dict[str, Route]) -> Iterator[Contradiction]:
    """Compare what the routes ask for with what is allowed: more can never be sent, only missed."""
    wanted = sum(60.0 / route.interval for route in routes.values())
    if wanted > budget * _ROUNDING:
        message = (
            f"{'.'.join(map(str, path))} is {budget}, but its routes ask for {wanted:.4g} messages a minute: "
            "raise it, or make the intervals longer"
        )
        yield Contradiction(path, message, (path, *(("routes", name, "interval") for name in routes)))


def _list_names(names: Iterable[str]) -> str:
    known = sorted(names)
    rest = len(known) - _SHOWN_NAMES
    return ", ".join(known[:_SHOWN_NAMES]) + (f" and {rest} more" if rest > 0 else "")
