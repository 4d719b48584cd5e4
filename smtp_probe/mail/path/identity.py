"""Which way a message took, and whether it is the one that the route's messages took before.

In: the hosts of a message, and what is remembered of its route. Out: the identity of the way, what changed in it, and the
memory with it, of bounded size. A host is its normalised name; hosts of one large provider in a row are one. Hosts that
differ only in a number, or in letters and digits as machines make them up, are a pool, once three of them have been met
on the route: from then on they are one host, `mx#.example.net`. Two of them are not: `mx2` in the place of `mx1` is news.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from smtp_probe.mail.hostnames import find_provider
from smtp_probe.model import PathChange, PathIdentity

_POOL = 3
"""So many hosts of one pattern are a pool."""
_MOST_PATTERNS = 32
"""More patterns of one route are not watched for pools."""
_MOST_HOSTS = 64
_DIGITS = re.compile(r"[0-9]+")
_MADE_UP = re.compile(r"[a-z]*#(?:[a-z]+#)+[a-z]*|#[a-z]+|[a-z]+#[a-z]+")
_FINGERPRINT_DIGITS = 8


@dataclass(frozen=True, slots=True)
class PathMemory:
    """What is remembered of the ways of one route."""

    current: PathIdentity | None = None
    previous: PathIdentity | None = None
    changed_ns: int | None = None
    pools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By pattern: the first hosts that were met of it."""


def recognise(
    memory: PathMemory, labels: Sequence[str], now_ns: int
) -> tuple[PathMemory, PathIdentity, PathChange | None]:
    """Learn from one message. `labels` are its hosts' normalised names, oldest first."""
    names = _merge_providers(labels[:_MOST_HOSTS])
    pools = _learn_pools(memory.pools, names)
    hosts = tuple(_pool(name, pools) for name in names)
    before = memory.current
    if before is not None and tuple(_pool(name, pools) for name in before.hosts) == hosts:
        identity = PathIdentity(
            fingerprint=_fingerprint(hosts), hosts=hosts, first_seen_ns=before.first_seen_ns
        )
        return PathMemory(identity, memory.previous, memory.changed_ns, pools), identity, None
    identity = PathIdentity(fingerprint=_fingerprint(hosts), hosts=hosts, first_seen_ns=now_ns)
    if before is None:
        return PathMemory(identity, None, None, pools), identity, None
    now, then = Counter(hosts), Counter(before.hosts)
    change = PathChange(
        previous=before, appeared=tuple((now - then).elements()), vanished=tuple((then - now).elements())
    )
    return PathMemory(identity, before, now_ns, pools), identity, change


def write_memory(memory: PathMemory) -> dict[str, Any]:
    """Give the memory of a route as plain data, for the journal."""
    return {
        "current": _write_identity(memory.current),
        "previous": _write_identity(memory.previous),
        "changed_ns": memory.changed_ns,
        "pools": {pattern: list(hosts) for pattern, hosts in memory.pools.items()},
    }


def read_memory(data: object) -> PathMemory | None:
    """Read what `write_memory` gave; None where it is damaged."""
    try:
        if not isinstance(data, dict):
            return None
        changed_ns = data["changed_ns"]
        return PathMemory(
            _read_identity(data["current"]),
            _read_identity(data["previous"]),
            None if changed_ns is None else int(changed_ns),
            {str(pattern): tuple(map(str, hosts)) for pattern, hosts in data["pools"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _merge_providers(labels: Sequence[str]) -> tuple[str, ...]:
    """Within a large provider the number of lines changes from message to message, and tells nobody anything."""
    merged: list[str] = []
    for label in labels:
        if not merged or label != merged[-1] or find_provider(label) is None:
            merged.append(label)
    return tuple(merged)


def _learn_pools(pools: Mapping[str, tuple[str, ...]], names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    learned = dict(pools)
    for name in names:
        pattern = _find_pattern(name)
        known = learned.get(pattern, ())
        has_room = len(known) < _POOL and (bool(known) or len(learned) < _MOST_PATTERNS)
        if pattern != name and name not in known and has_room:
            learned[pattern] = (*known, name)
    return learned


def _pool(name: str, pools: Mapping[str, tuple[str, ...]]) -> str:
    pattern = _find_pattern(name)
    return pattern if len(pools.get(pattern, ())) >= _POOL else name


@lru_cache(maxsize=1024)  # every message of a route bears the same names, or nearly so
def _find_pattern(name: str) -> str:
    """The name without what tells a machine from its sisters: numbers, and words mixed of letters and digits."""
    labels = _DIGITS.sub("#", name).split(".")
    return ".".join(
        "-".join("#" if _MADE_UP.fullmatch(word) else word for word in label.split("-")) for label in labels
    )


def _fingerprint(hosts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(hosts).encode()).hexdigest()[:_FINGERPRINT_DIGITS]


def _write_identity(identity: PathIdentity | None) -> dict[str, Any] | None:
    if identity is None:
        return None
    return {"hosts": list(identity.hosts), "first_seen_ns": identity.first_seen_ns}


def _read_identity(data: Any) -> PathIdentity | None:
    if data is None:
        return None
    hosts = tuple(map(str, data["hosts"]))
    return PathIdentity(
        fingerprint=_fingerprint(hosts), hosts=hosts, first_seen_ns=int(data["first_seen_ns"])
    )
