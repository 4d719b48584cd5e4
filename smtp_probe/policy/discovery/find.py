"""Finding an account's servers: each source in turn, until there is a server of each kind.

In: an address, a way to ask DNS, a way to fetch a page. Out: a `Discovery`. SRV records come first, since they are the
standard's; then the domain's own autoconfig files, over HTTPS alone; then what is known of providers; a guess is the last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import quote, urljoin, urlsplit

from smtp_probe.mail.hostnames import as_host_name
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import AccountProtocol, Discovery, FoundServer, WebAnswer, WebFailure
from smtp_probe.model.words import in_words
from smtp_probe.policy.discovery.autoconfig import LARGEST_BYTES, AutoconfigError, read_autoconfig
from smtp_probe.policy.discovery.providers import ask_for_provider, guess
from smtp_probe.policy.discovery.service_records import Person, ask_for_services
from smtp_probe.ports import Ask

_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)

Fetch = Callable[[str, str, int], Awaitable[WebAnswer]]
"""Fetches one page over HTTPS: host, path, most bytes. Follows no redirect, and never raises for what a server does."""


async def find_servers(person: Person, ask: Ask, fetch: Fetch) -> Discovery:
    """Every source until both protocols have servers; a later source adds only what is still missing."""
    servers, notes, unobserved = await ask_for_services(person, ask)
    if _missing(servers):
        more, said, failed = await _read_autoconfig(person, fetch)
        servers += _of(more, _missing(servers))
        notes += said
        unobserved += failed
    if _missing(servers):
        more, said, exchangers = await ask_for_provider(person, ask)
        servers += _of(more, _missing(servers))
        notes += said
        for protocol in _missing(servers):
            servers += await guess(person, protocol, exchangers, ask)
    return Discovery(servers=tuple(servers), notes=tuple(notes), unobserved=tuple(unobserved))


def _missing(servers: Iterable[FoundServer]) -> list[AccountProtocol]:
    known = {server.protocol for server in servers}
    return [protocol for protocol in AccountProtocol if protocol not in known]


def _of(servers: Iterable[FoundServer], protocols: list[AccountProtocol]) -> list[FoundServer]:
    return [server for server in servers if server.protocol in protocols]


async def _read_autoconfig(person: Person, fetch: Fetch) -> tuple[list[FoundServer], list[str], list[str]]:
    """The first of the two places of a domain that has a file with servers in it."""
    notes: list[str] = []
    unobserved: list[str] = []
    for host, path in (
        (
            f"autoconfig.{person.domain}",
            f"/mail/config-v1.1.xml?emailaddress={quote(person.address, safe='@')}",
        ),
        (person.domain, "/.well-known/autoconfig/mail/config-v1.1.xml"),
    ):
        place = f"https://{host}{path.partition('?')[0]}"
        answer = await _fetch_following(host, path, fetch)
        if answer.failure is WebFailure.OURS:
            unobserved.append(f"{place}: {answer.detail}")
            continue
        if answer.failure is not None or answer.status != 200:
            failure = f"status {answer.status}" if answer.failure is None else in_words(answer.failure)
            notes.append(f"{place}: {sanitise(answer.detail) or failure}")
            continue
        try:
            found = read_autoconfig(answer.body, person, place)
        except AutoconfigError as error:
            notes.append(f"{place}: {error}")
            continue
        notes.append(f"{place}: " + (", ".join(f"{s.host}:{s.port}" for s in found) or "no usable server"))
        if found:
            return found, notes, unobserved
    return [], notes, unobserved


async def _fetch_following(host: str, path: str, fetch: Fetch) -> WebAnswer:
    """Fetch a page, and after a few redirects the one that it has moved to: over HTTPS alone, to the port of HTTPS."""
    answer = await fetch(host, path, LARGEST_BYTES)
    for _ in range(_MOST_REDIRECTS):
        if answer.failure is not None or answer.status not in _REDIRECTS:
            return answer
        place = _read_place(f"https://{host}{path}", answer.location)
        if place is None:
            detail = f"a redirect that is not followed: {answer.location[:200]}"
            return WebAnswer(failure=WebFailure.PROTOCOL, detail=detail)
        host, path = place
        answer = await fetch(host, path, LARGEST_BYTES)
    if answer.status in _REDIRECTS:
        return WebAnswer(failure=WebFailure.PROTOCOL, detail=f"more than {_MOST_REDIRECTS} redirects")
    return answer


def _read_place(base: str, location: str) -> tuple[str, str] | None:
    """Host and path of a place that may be followed. None for one without TLS, with a port, a login or no name."""
    try:
        parts = urlsplit(urljoin(base, location))
        port = parts.port
    except ValueError:
        return None
    host = as_host_name(parts.hostname)
    if parts.scheme != "https" or port not in (None, 443) or "@" in parts.netloc or host is None:
        return None
    return host, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
