"""One of several daemons that share a configuration: which of its routes, domains and drills are this one's.

In: the words of `--shard`, a whole configuration. Out: the configuration of this shard. The part of a name depends on the
name and the number of shards alone, so daemons that never speak with each other agree. With one more shard, only the names
that move to it move (jump consistent hash, Lamping and Veach 2014), as kube-state-metrics shares its objects.

Mailboxes may be shared between shards: a tag is looked at for the routes of the own configuration only, so the messages of
the others are neither judged, counted nor deleted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

from smtp_probe.config.drills import KINDS
from smtp_probe.config.settings import Config

_FORM = re.compile(r"(?P<index>auto|\d{1,4})/(?P<count>\d{1,4})", re.ASCII)
_ORDINAL = re.compile(r"-(\d{1,4})\Z", re.ASCII)
_MULTIPLIER = 2862933555777941757
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard `index` of `count`, counted from zero."""

    index: int = 0
    count: int = 1

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @classmethod
    def parse(cls, text: str, host: str) -> Self:
        """Read `N/M`, or `auto/M` with the ordinal at the end of the host's name. Raises ValueError."""
        match = _FORM.fullmatch(text)
        if match is None:
            message = f"{text!r} is not of the form N/M or auto/M, such as 0/3"
            raise ValueError(message)
        index = _ordinal(host) if match["index"] == "auto" else int(match["index"])
        count = int(match["count"])
        if index >= count:
            message = f"shards count from zero: of {count} there is none with the number {index}"
            raise ValueError(message)
        return cls(index, count)

    def has(self, name: str) -> bool:
        """Whether what bears this name belongs to this shard."""
        return self.count == 1 or find_shard(name, self.count) == self.index

    def select(self, config: Config) -> Config:
        """The configuration of this shard. Mailboxes and senders stay whole; a queue belongs to its machine."""
        if self.count == 1:
            return config
        drills = {kind: self._own(getattr(config.drills, kind)) for kind in KINDS}
        parts = {
            "routes": self._own(config.routes),
            "domains": self._own(config.domains),
            "drills": config.drills.model_copy(update=drills),
        }
        return config.model_copy(update=parts)

    def _own(self, items: Mapping[str, _Item]) -> dict[str, _Item]:
        return {name: item for name, item in items.items() if self.has(name)}


WHOLE = Shard()
"""The only one: everything is its own."""


def find_shard(name: str, count: int) -> int:
    """The number of the shard, out of `count`, that a name belongs to. Never changes between versions."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    bucket, following = 0, 0
    while following < count:
        bucket = following
        key = (key * _MULTIPLIER + 1) % 2**64
        following = int((bucket + 1) * (2**31 / ((key >> 33) + 1)))
    return bucket


def _ordinal(host: str) -> int:
    match = _ORDINAL.search(host.partition(".")[0])
    if match is None:
        message = (
            f"auto needs a host name that ends in a number, as a StatefulSet gives it: {host!r} does not"
        )
        raise ValueError(message)
    return int(match[1])
