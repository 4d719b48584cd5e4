"""Where two copies of one message parted.

In: the traces of both. Out: how many hops they have in common, and the host that had the message once and passed it on
twice. Two lines are the same when one server wrote them in one go: same host, same id, same stamp.
"""

from __future__ import annotations

from smtp_probe.mail.hostnames import normalise_by
from smtp_probe.model import Fork, Hop, Trace


def find_fork(first: Trace, second: Trace) -> Fork:
    """Compare two traces from the sender's end."""
    common = 0
    for one, other in zip(first.hops, second.hops, strict=False):
        if _identify(one) != _identify(other):
            break
        common += 1
    at = first.hops[common - 1] if common else None
    return Fork(
        after_hop=common,
        host="" if at is None else normalise_by(at.by_host or at.by or ""),
        is_behind_last_hop=common == len(first.hops) == len(second.hops),
    )


def _identify(hop: Hop) -> tuple[str | None, str | None, int | None]:
    return (hop.by_host or hop.by, hop.id, hop.at_ns)
