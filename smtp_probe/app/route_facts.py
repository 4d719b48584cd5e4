"""What is to be known of each route by those who look at what arrives: made from a configuration, and handed out.

In: a configuration. Out: by mailbox, what a tag of each of its routes is signed over, what its path may be, and what verdicts
are formed on. Made once for a configuration: whoever watches now these mailboxes and now those puts the parts together. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from smtp_probe.app.paths import route_paths
from smtp_probe.config.settings import Config, Route, Sender
from smtp_probe.mail.tag import hash_route
from smtp_probe.probes.arrivals import RouteIdentity
from smtp_probe.probes.echoes import EchoTerms
from smtp_probe.probes.path_reading import RoutePath
from smtp_probe.probes.verdict_watch import VerdictTerms


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """Some routes. `identities` are by the hash that a tag carries, the others by name."""

    identities: dict[bytes, RouteIdentity] = field(default_factory=dict)
    paths: dict[str, RoutePath] = field(default_factory=dict)
    verdicts: dict[str, VerdictTerms] = field(default_factory=dict)
    """Only of routes on whose messages verdicts are formed."""


def facts_by_mailbox(config: Config) -> dict[str, RouteFacts]:
    """Make the facts of all routes, by the mailbox in which their messages arrive."""
    paths = route_paths(config)
    found: dict[str, RouteFacts] = {}
    for name, route in config.routes.items():
        facts = found.setdefault(route.mailbox, RouteFacts())
        facts.identities[hash_route(name)] = _identity(config, name, route)
        facts.paths[name] = paths[name]
        if route.authentication and not route.echo:
            facts.verdicts[name] = _verdict_terms(config, route)
    return found


def put_together(facts: Mapping[str, RouteFacts], mailboxes: Iterable[str]) -> RouteFacts:
    """The facts of all routes of some mailboxes."""
    whole = RouteFacts()
    for name in mailboxes:
        if (part := facts.get(name)) is not None:
            whole.identities.update(part.identities)
            whole.paths.update(part.paths)
            whole.verdicts.update(part.verdicts)
    return whole


def _identity(config: Config, name: str, route: Route) -> RouteIdentity:
    return RouteIdentity(
        name,
        route.recipient,
        config.mailboxes[route.mailbox].sweep_after,
        _author(config.senders[route.sender]),
        EchoTerms(route.mailbox, route.echo_authors) if route.echo else None,
        route.message_size,
    )


def _verdict_terms(config: Config, route: Route) -> VerdictTerms:
    mailbox = config.mailboxes[route.mailbox]
    return VerdictTerms(
        sender=config.senders[route.sender].envelope_from,
        trusted_ids=mailbox.authserv_ids,
        own_hosts=mailbox.own_hosts,
    )


def _author(sender: Sender) -> str:
    """Give the address in a sender's From header."""
    author = sender.from_ or sender.envelope_from
    return author.rpartition("<")[2].rstrip("> ")
