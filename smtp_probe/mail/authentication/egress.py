"""From which address a message left its own organisation, as the first host of the receiver's saw it.

In: the header of a message, and the receiver's hosts. Out: the address and the EHLO name; None where no line of the
receiver's tells them. What is written below that line is a claim of strangers, and is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smtp_probe.mail.path.legs import find_border
from smtp_probe.mail.path.passages import read_passages
from smtp_probe.mail.trace import read_trace

_AUTHENTICATED = frozenset({"ESMTPA", "ESMTPSA", "LMTPA", "LMTPSA", "UTF8SMTPA", "UTF8SMTPSA", "ASMTP"})


@dataclass(frozen=True, slots=True)
class SeenClient:
    """Who handed the message in."""

    address: str
    ehlo_name: str | None
    hop: int
    """Position of the line that tells it, from 1, the oldest."""
    is_authenticated: bool = False
    """Whether it logged in (RFC 3848): then it is a client of that host, and SPF does not apply to it."""


def find_client(header: bytes, own: Sequence[str] = ()) -> SeenClient | None:
    """Find it. `own` is as `organisations.read_own` gives it; empty: the topmost line's organisation."""
    passages = read_passages(read_trace(header))
    position = find_border(passages, own).first_own_hop
    if position is None:
        return None
    hop = passages[position - 1].hop
    if hop.from_ip is None:
        return None
    protocol = (hop.with_ or "").upper()
    is_authenticated = protocol in _AUTHENTICATED
    return SeenClient(hop.from_ip, hop.from_name, position, is_authenticated)
