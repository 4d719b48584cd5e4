"""Finds a block of addresses, 127.77.N.0/24, that no other lab and no other program uses.

A lab claims its block by an abstract unix socket. Such a name is no file, is seen by all that
share the network name space, and vanishes with the last process that holds it, so a claim can
neither be forgotten nor outlive its lab.
"""

import errno
import socket
from collections.abc import Iterable
from typing import NamedTuple

from .errors import LabError
from .layout import HOSTS, PORTS

BLOCKS = tuple(f"127.77.{number}" for number in range(1, 255))


class Claim(NamedTuple):
    """A block and the socket that holds it."""

    block: str
    holder: socket.socket


def _hold(block: str) -> socket.socket | None:
    """Claim a block's name, or return None where another lab has it."""
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        holder.bind(f"\0smtp-probe-lab-{block}")
    except OSError as error:
        holder.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    return holder


def _taken(block: str) -> str | None:
    """Return the first address and port that cannot be had, or None when all are free."""
    tcp = [(socket.SOCK_STREAM, *listener) for part in PORTS.values() for listener in part]
    for kind, host, port in [(socket.SOCK_DGRAM, "dns", 53), *tcp]:
        address = f"{block}.{HOSTS[host]}"
        with socket.socket(socket.AF_INET, kind) as trial:
            if kind == socket.SOCK_STREAM:  # as the servers do; on UDP it would hide a conflict
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((address, port))
            except OSError as error:
                return f"{address}:{port} ({error.strerror})"
    return None


def claim_block(blocks: Iterable[str] = BLOCKS) -> Claim:
    """Claim the first free block."""
    taken = None
    for block in blocks:
        holder = _hold(block)
        if holder is None:
            continue
        taken = _taken(block)
        if taken is None:
            return Claim(block, holder)
        holder.close()
    why = f"another program has {taken}" if taken else "other labs have them all"
    raise LabError(f"no free block of addresses: {why}")
