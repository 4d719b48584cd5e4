"""The way of a message, divided at the borders of organisations as far as its own header shows them.

In: the passages of a message, and which hosts are the receiver's own. Out: where the receiver's part begins, and up to
three legs with the time that each took: within the sender's organisation, between the two, and within the receiver's.

What the receiver's own hosts wrote can be trusted. What stands below it, any of the hosts before could have invented.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtp_probe.mail.path.organisations import is_own
from smtp_probe.mail.path.passages import Passage, measure_between, name_client


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A part of the way, from one hop's stamp to another's. `seconds` is raw, on two clocks: it may be negative."""

    leg: str
    """`outbound`, `transport` or `inbound`."""
    from_hop: int
    to_hop: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """Where the receiver's own part begins, and why."""

    own: tuple[str, ...] = ()
    """Hosts and domains that count as the receiver's."""
    is_assumed: bool = False
    """Whether nobody said so, and it is the organisation of the topmost line that shows one."""
    first_own_hop: int | None = None
    """Position of the first of the receiver's hops without a stranger's above it; None where there is none."""


def find_border(passages: Sequence[Passage], own: Sequence[str]) -> Border:
    """Find where the receiver's part begins. `own` is as `organisations.read_own` gives it; empty: assume it."""
    is_assumed = not own
    if is_assumed:
        own = [each.organisation for each in reversed(passages) if each.organisation][:1]
    first = None
    for passage in reversed(passages):
        if is_own(passage.host, own):
            first = passage.position
            client = name_client(passage.hop)
            if client and not any(is_own(name, own) for name in client):
                break  # it came in here, whatever the lines beneath say
        elif passage.organisation is not None:
            break  # hosts without a telling name belong to those around them
    return Border(own=tuple(own), is_assumed=is_assumed, first_own_hop=first)


def find_legs(passages: Sequence[Passage], border: Border) -> tuple[Leg, ...]:
    """Divide the way. A leg is left out where its ends are not known, have no stamp, or are one and the same hop."""
    return tuple(
        Leg(leg=name, from_hop=first, to_hop=last, seconds=seconds)
        for name, first, last in _divide(passages, border.first_own_hop)
        if first < last
        and (seconds := measure_between(passages[first - 1].hop, passages[last - 1].hop)) is not None
    )


def _divide(passages: Sequence[Passage], first_own: int | None) -> Iterator[tuple[str, int, int]]:
    leaves = _find_leaving(passages, first_own)
    if leaves is not None:
        yield "outbound", 1, leaves
    if leaves is not None and first_own is not None:
        yield "transport", leaves, first_own
    if first_own is not None:
        yield "inbound", first_own, len(passages)


def _find_leaving(passages: Sequence[Passage], first_own: int | None) -> int | None:
    """Position of the last hop in the organisation where the way began; None where that is not known."""
    end = len(passages) if first_own is None else first_own - 1
    sender = next((each.organisation for each in passages[:end] if each.organisation), None)
    last = None
    for passage in passages[:end]:
        if passage.organisation is not None and passage.organisation != sender:
            break
        if passage.organisation is not None:
            last = passage.position
    return last
