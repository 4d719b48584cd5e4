"""The system's table of hosts: names that are known without asking DNS (hosts(5)).

In: the path of the file. Out: the addresses of a name, as they stand there. The file is read again when it has
changed; one that cannot be read is an empty one, as for the C library.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

_READ_BYTES = 1 << 20


class HostsFile:
    """One such file, kept in memory between changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: tuple[int, int, int] | None = None
        self._names: dict[str, tuple[str, ...]] = {}

    def addresses(self, name: str) -> tuple[str, ...]:
        """Every address of a name, in the file's order; none when it is not there."""
        try:
            state = self._path.stat()
            version = state.st_mtime_ns, state.st_ino, state.st_size
            if version != self._version:
                self._names = parse_hosts(self._read())
                self._version = version
        except OSError:
            self._names, self._version = {}, None
        return self._names.get(name.lower().removesuffix("."), ())

    def _read(self) -> str:
        with self._path.open("rb") as file:
            return file.read(_READ_BYTES).decode("utf-8", "replace")


def parse_hosts(text: str) -> dict[str, tuple[str, ...]]:
    """Read lines of an address and its names; what is none of that is passed over."""
    names: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        address, *given = line.partition("#")[0].split() or [""]
        if not _is_address(address):
            continue
        for name in given:
            key = name.lower().removesuffix(".")
            if address not in names.get(key, ()):
                names[key] = (*names.get(key, ()), address)
    return names


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
