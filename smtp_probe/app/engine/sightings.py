"""What watchers see of a domain's mail, told to whoever checks domains: from which addresses it leaves, by which names and signatures.

In: what each delivered probe shows. Out: for each route and domain one key, which is written when something new is seen, or something
has not been seen for long; and the same, read back by the checker.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict

from pydantic import TypeAdapter

from smtp_probe.app.engine.outbox import Outbox
from smtp_probe.model import SeenMail
from smtp_probe.network.jetstream.bucket import Bucket
from smtp_probe.network.jetstream.names import word

_log = logging.getLogger(__name__)
_PREFIX = "seen."
_MOST_PROBES = 24
"""So many probes of a route count: what none of them shows is told no more."""
_MOST_TOLD = 6
_LIST = TypeAdapter(tuple[SeenMail, ...])


class Sightings:
    """What one watcher has seen. `is_checked` tells whether anybody looks at a domain."""

    def __init__(self, bucket: Bucket, is_checked: Callable[[str], bool]) -> None:
        self._outbox = Outbox(bucket)
        self._is_checked = is_checked
        self._seen: dict[tuple[str, str], deque[SeenMail]] = {}
        self._told: dict[tuple[str, str], bytes] = {}

    def note(self, route: str, domain: str, seen: SeenMail) -> None:
        """Learn what a probe shows. Fits `VerdictWatch.on_seen`."""
        if not self._is_checked(domain):
            return
        place = route, domain
        probes = self._seen.setdefault(place, deque(maxlen=_MOST_PROBES))
        probes.append(seen)
        newest = list(dict.fromkeys(reversed(probes)))[:_MOST_TOLD]
        value = _write(route, domain, sorted(newest, key=repr))
        if self._told.get(place) != value:
            self._told[place] = value
            self._outbox.put(f"{_PREFIX}{word(domain)}.{word(route)}", value)

    async def run(self) -> None:
        """Tell it, until cancelled."""
        await self._outbox.run()


async def read_sightings(bucket: Bucket) -> AsyncIterator[tuple[str, str, SeenMail]]:
    """What all watchers have seen and see: route, domain, and how its mail leaves. Never ends."""
    async for entry in bucket.entries(_PREFIX):
        if entry is None or entry.value is None:
            continue
        try:
            data = json.loads(entry.value)
            route, domain, found = (
                str(data["route"]),
                str(data["domain"]),
                _LIST.validate_python(data["seen"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            _log.warning(
                "what was seen of a domain's mail cannot be read: %s", error, extra={"key": entry.key}
            )
            continue
        for seen in found:
            yield route, domain, seen


def _write(route: str, domain: str, found: list[SeenMail]) -> bytes:
    data = {"route": route, "domain": domain, "seen": [asdict(each) for each in found]}
    return json.dumps(data, separators=(",", ":")).encode()
