"""Network namespaces for the servers of a cluster: each in one of its own, with one link to the others and one to their clients.

A link that is down loses what is sent over it, and nobody is told: what a partition is between machines. Needs the right to
make namespaces and links (root, outside of most containers); `are_permitted` tries.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import Self

_HOSTS_BEGIN = 10
_SECONDS = 10
NETWORKS = {"a": "198.18", "b": "198.19"}
"""Set aside for measurements (RFC 2544): among the servers, and from their clients to them."""


@dataclass(frozen=True)
class Place:
    """Where a server runs: its addresses, and what its command begins with."""

    host: str = "127.0.0.1"
    cluster_host: str = "127.0.0.1"
    command: tuple[str, ...] = ()


LOOPBACK = Place()


def are_permitted() -> bool:
    """Whether we may make namespaces here, and links into them."""
    try:
        with Namespaces(1):
            return True
    except (OSError, subprocess.SubprocessError):
        return False


class Namespaces:
    """So many namespaces, joined by two bridges."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._stem = f"sp{os.getpid() % 100_000}"
        self._third = 0

    def __enter__(self) -> Self:
        taken = _ip("-o", "-4", "address")
        own = (os.getpid() + step for step in range(256))
        self._third = next(each % 256 for each in own if f"{NETWORKS['a']}.{each % 256}." not in taken)
        try:
            for letter in NETWORKS:
                _ip("link", "add", self._stem + letter, "type", "bridge")
                _ip("link", "set", self._stem + letter, "up")
            _ip("address", "add", f"{self._address('b', 1)}/24", "dev", f"{self._stem}b")
            # The bridge of the servers has an address too, so that others see that these numbers are taken.
            _ip("address", "add", f"{self._address('a', 1)}/24", "dev", f"{self._stem}a")
            for number in range(self._size):
                self._make(number)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for number in range(self._size):
            _ip("netns", "delete", self._name(number), is_needed=False)
        for letter in NETWORKS:
            _ip("link", "delete", self._stem + letter, is_needed=False)

    def place(self, number: int) -> Place:
        """Where the server of this number runs."""
        return Place(
            host=self._address("b", _HOSTS_BEGIN + number),
            cluster_host=self._address("a", _HOSTS_BEGIN + number),
            command=("ip", "netns", "exec", self._name(number)),
        )

    def cut(self, number: int, letters: str) -> None:
        """Take links of one server down: `a` to the other servers, `b` to the clients."""
        for letter in letters:
            _ip("link", "set", self._link(number, letter), "down")

    def mend(self, number: int) -> None:
        """Take all of its links up again."""
        for letter in NETWORKS:
            _ip("link", "set", self._link(number, letter), "up")

    def _make(self, number: int) -> None:
        name = self._name(number)
        _ip("netns", "add", name)
        _ip("-n", name, "link", "set", "lo", "up")
        for letter in NETWORKS:
            link, inner = self._link(number, letter), f"e{letter}"
            _ip("link", "add", link, "type", "veth", "peer", "name", inner, "netns", name)
            _ip("link", "set", link, "master", self._stem + letter, "up")
            address = f"{self._address(letter, _HOSTS_BEGIN + number)}/24"
            _ip("-n", name, "address", "add", address, "dev", inner)
            _ip("-n", name, "link", "set", inner, "up")

    def _name(self, number: int) -> str:
        return f"{self._stem}-{number}"

    def _link(self, number: int, letter: str) -> str:
        return f"{self._stem}{letter}{number}"

    def _address(self, letter: str, host: int) -> str:
        return f"{NETWORKS[letter]}.{self._third}.{host}"


def _ip(*arguments: str, is_needed: bool = True) -> str:
    done = subprocess.run(
        ["ip", *arguments], check=is_needed, capture_output=True, text=True, timeout=_SECONDS
    )
    return done.stdout
