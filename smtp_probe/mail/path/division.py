"""The trust boundary of a probe's way: which hosts are the sending side's, which the receiving side's, which neither.

In: the passages of a message, and the hosts and domains of both sides. Out: where the way leaves the one and enters the
other, the role of each hop, the time of each leg, and the egress. What a host in between wrote is its claim.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtp_probe.mail.hostnames import as_host_name, normalise_by
from smtp_probe.mail.path.encryption import is_encrypted
from smtp_probe.mail.path.legs import find_border
from smtp_probe.mail.path.organisations import find_organisation, is_own
from smtp_probe.mail.path.passages import Passage
from smtp_probe.model import Egress, HopRole, HopTime, Leg, LegTime, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Hosts and domains of both sides, as `organisations.read_own` gives them; empty: it is assumed from names."""

    sending: tuple[str, ...] = ()
    receiving: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """Hops up to `leaves` are the sending side's (0: none); those from `enters` on the receiving side's."""

    leaves: int = 0
    enters: int | None = None

    def leg_of(self, position: int) -> Leg | None:
        """The leg in which the host at this position took the message in."""
        if position <= self.leaves:
            return Leg.OUTBOUND
        if self.enters is None:
            return None
        return Leg.INBOUND if position > self.enters else Leg.TRANSPORT


def divide(passages: Sequence[Passage], sides: Sides) -> Division:
    """Find where the way leaves the sending side and enters the receiving one.

    What is said of a side counts for more than what is assumed of the other. Nothing is said: the receiving side is the
    organisation of the topmost line, and the sending side that of the lowest, where that is another.
    """
    enters = find_border(passages, sides.receiving).first_own_hop
    if sides.sending:
        leaves = _count_own(passages, sides.sending)
        if enters is not None and enters <= leaves:
            if sides.receiving:
                leaves = enters - 1
            else:
                enters = leaves + 1 if leaves < len(passages) else None
        return Division(leaves=leaves, enters=enters)
    outside = passages[: len(passages) if enters is None else enters - 1]
    first = find_organisation(outside[0].host) if outside else None
    return Division(leaves=_count_own(outside, (first,)) if first else 0, enters=enters)


def assign_roles(passages: Sequence[Passage], division: Division) -> tuple[HopRole, ...]:
    """Say of each hop what it is in the path."""
    return tuple(
        HopRole(
            position=passage.position,
            by=normalise_by(passage.host),
            leg=division.leg_of(passage.position),
            is_trusted=_is_trusted(passage.position, division),
            is_encrypted=is_encrypted(passage.hop),
            tls_version=passage.hop.tls_version,
            tls_cipher=passage.hop.tls_cipher,
        )
        for passage in passages
    )


def find_egress(passages: Sequence[Passage], division: Division) -> Egress | None:
    """Give what the first foreign host saw of the sending side. None where no foreign host is in the chain.

    A submission with a login is no egress: it is how mail gets in.
    """
    if division.leaves >= len(passages):
        return None
    seen = passages[division.leaves]
    if seen.position == 1 and seen.hop.authenticated:
        return None
    return Egress(
        address=seen.hop.from_ip,
        ehlo_name=as_host_name(seen.hop.from_name),
        reverse_name=as_host_name(seen.hop.from_host),
        seen_by=normalise_by(seen.host),
        hop=seen.position,
        is_trusted=_is_trusted(seen.position, division),
    )


def time_legs(hops: Sequence[HopTime], division: Division) -> tuple[LegTime, ...]:
    """Sum the hops' times up by legs. Legs whose border lies inside of merged hops are left out: nobody knows it."""
    return tuple(_sum_legs(hops, division))


def time_echo(hops: Sequence[HopTime], outbound_hops: int) -> tuple[LegTime, ...]:
    """Divide the way there from the way back: at the last hop that an answer quotes, or else at its own first one.

    Nothing, where that lies inside of merged hops. The time that it took to answer is part of the way back where the
    answer quotes, else of the way there.
    """
    border = {hop.last: index for index, hop in enumerate(hops, 1)}.get(outbound_hops or 1)
    if border is None or border == len(hops):
        return ()
    return (
        LegTime(leg=Leg.OUTBOUND, span=_sum_spans(hops[:border])),
        LegTime(leg=Leg.RETURN, span=_sum_spans(hops[border:])),
    )


def echo_roles(passages: Sequence[Passage], outbound_hops: int, sides: Sides) -> tuple[HopRole, ...]:
    """Say of each hop whether it is of the way there or back. What an answer quotes is a claim of its author."""
    back = passages[outbound_hops:]
    enters = find_border(back, sides.receiving).first_own_hop
    return tuple(
        HopRole(
            position=passage.position,
            by=normalise_by(passage.host),
            leg=Leg.OUTBOUND if index < outbound_hops else Leg.RETURN,
            is_trusted=index >= outbound_hops and enters is not None and passage.position >= enters,
            is_encrypted=is_encrypted(passage.hop),
            tls_version=passage.hop.tls_version,
            tls_cipher=passage.hop.tls_cipher,
        )
        for index, passage in enumerate(passages)
    )


def _sum_legs(hops: Sequence[HopTime], division: Division) -> Iterator[LegTime]:
    enters = division.enters
    ends = {hop.last: index for index, hop in enumerate(hops, 1)}
    leaving = ends.get(division.leaves) if division.leaves else 0
    if leaving:
        yield LegTime(leg=Leg.OUTBOUND, span=_sum_spans(hops[:leaving]))
    entering = ends.get(enters) if enters is not None else None
    if leaving is not None and entering is not None:
        yield LegTime(leg=Leg.TRANSPORT, span=_sum_spans(hops[leaving:entering]))
    if entering is not None:
        yield LegTime(leg=Leg.INBOUND, span=_sum_spans(hops[entering:]))


def _sum_spans(hops: Sequence[HopTime]) -> Span:
    return Span(
        took_ns=sum(hop.span.took_ns for hop in hops),
        least_ns=sum(hop.span.least_ns for hop in hops),
        most_ns=sum(hop.span.most_ns for hop in hops),
    )


def _count_own(passages: Sequence[Passage], own: Sequence[str]) -> int:
    """Count the hops at the beginning that are of these; hosts without a telling name belong to those around them."""
    count = 0
    for passage in passages:
        if is_own(passage.host, own):
            count = passage.position
        elif passage.organisation is not None:
            break
    return count


def _is_trusted(position: int, division: Division) -> bool:
    is_receiving = division.enters is not None and position >= division.enters
    return position == 1 or position <= division.leaves or is_receiving
