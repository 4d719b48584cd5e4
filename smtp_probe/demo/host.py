"""Who one host of the demo is, and what all its parts share.

In: the making of a path. Out: one frozen value that the reception and the carrying of mail both read. No behaviour.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from smtp_probe.demo.addresses import AddressBook
from smtp_probe.demo.dialects import Dialect
from smtp_probe.demo.hop_clock import HopClock
from smtp_probe.demo.path_log import Happening, PathLog
from smtp_probe.demo.scenarios import HopName


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host: its place in the path, its name and dialect, its clock, whom it knows and where it reports."""

    hop: HopName
    name: str
    dialect: Dialect
    clock: HopClock
    addresses: AddressBook
    log: PathLog
    tls: ssl.SSLContext | None = None
    """What it encrypts with, where it offers STARTTLS."""
    login: tuple[str, str] | None = field(default=None, repr=False)
    """User name and password, where the host takes mail from authenticated users only."""

    def report(self, happening: Happening, recipient: str, *, queue_id: str = "", detail: str = "") -> None:
        """Say to the log of the path what this host did."""
        self.log.record(self.name, happening, recipient, queue_id=queue_id, detail=detail)
