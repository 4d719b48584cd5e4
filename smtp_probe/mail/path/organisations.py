"""Whose host it is, as far as its name shows.

In: the name of a host, as a Received header has it. Out: the organisation that it seems to belong to, and whether it is
one of those that somebody calls their own. Looks nothing up and knows no list of all public suffixes: an organisation
is the last two labels of a name, or three under the usual second levels of a country (`co.uk`), or the one name of a
large provider. Names that mean something only inside of a network (`store1`, `ex01.corp.local`) and addresses tell none.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from ipaddress import ip_address, ip_network

from smtp_probe.mail.hostnames import find_provider, read_address

_MAX_NAME_CHARACTERS = 255
_SECOND_LEVELS = frozenset(
    {
        "ac",
        "co",
        "com",
        "edu",
        "go",
        "gob",
        "gouv",
        "gov",
        "govt",
        "gv",
        "ltd",
        "mil",
        "ne",
        "net",
        "nom",
        "or",
        "org",
    }
)
_PRIVATE_DOMAINS = (
    *(".local", ".lan", ".internal", ".intra", ".intranet", ".corp", ".private", ".home", ".home.arpa"),
    *(".localdomain", ".localhost", ".cluster", ".invalid"),
)
"""What is used inside of networks: reserved (RFC 6762, 8375, 6761), or never delegated."""
_PRIVATE_NETWORKS = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
"""RFC 1918, 6598, 3927, 4193, 4291. The standard library counts documentation addresses as private, too."""
_LOOPBACK_NETWORKS = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def find_organisation(host: str | None) -> str | None:
    """Give the organisation's domain, in lower case; None where the name does not show one."""
    return _find_organisation(_normalise(host))


@lru_cache(maxsize=1024)  # every message of a route bears the same names, or nearly so
def _find_organisation(name: str) -> str | None:
    if not name or read_address(name) is not None or ":" in name or name.startswith("["):
        return None
    provider = find_provider(name)
    if provider is not None:
        return provider
    labels = name.split(".")
    if len(labels) < 2 or not all(labels) or f".{name}".endswith(_PRIVATE_DOMAINS):
        return None
    wanted = 3 if len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS else 2
    return ".".join(labels[-wanted:])


def read_own(written: str) -> str | None:
    """Give a host, domain or address as `is_own` takes it; None for what is none. `@`, `*.` and dots in front go."""
    name = _normalise(written.removeprefix("*").lstrip("@."))
    if not name or any(character.isspace() or character in "<>()/,;*@" for character in name):
        return None
    return read_address(name) or name


def is_own(host: str | None, own: Collection[str]) -> bool:
    """Whether a host is one of these, lies in one of these domains, or belongs to one of these providers."""
    name = _normalise(host)
    if not name:
        return False
    address = read_address(name)
    if address is not None:
        return address in own
    return _find_organisation(name) in own or any(
        name == domain or name.endswith(f".{domain}") for domain in own
    )


def is_private_address(text: str | None) -> bool:
    """Whether an address is one that no host outside of its network can have."""
    address = read_address(text or "")
    return address is not None and any(ip_address(address) in network for network in _PRIVATE_NETWORKS)


def is_loopback_address(text: str | None) -> bool:
    """Whether an address is the host's own."""
    address = read_address(text or "")
    return address is not None and any(ip_address(address) in network for network in _LOOPBACK_NETWORKS)


@lru_cache(maxsize=1024)
def _normalise(host: str | None) -> str:
    return (host or "")[-_MAX_NAME_CHARACTERS:].strip().strip("<>\"'").rstrip(".").lower()
