"""Refining a trace: every hop's date replaced by the finest stamp that the message has for it.

In: the fields of a header, and the hops that were read from it. Out: the hops, with the stamps that their ids tell
(`queue_ids`), and those in other headers, given to the hop they belong to. Order is used where an id leaves the second
open; no clock is corrected, and no stamp is moved to make an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from smtp_probe.mail.queue_ids.decoding import decode_id, put_stamp, use_stamp
from smtp_probe.mail.queue_ids.exchange import find_exchange_stamps
from smtp_probe.mail.queue_ids.id_stamps import IdStamp, ModularStamp, agrees_with_date, to_ns
from smtp_probe.mail.queue_ids.providers import decode_ses
from smtp_probe.model import Hop

_MAX_ID_BYTES = 200
_Told = IdStamp | ModularStamp | None
"""What the id of a hop tells."""


def refine_trace(fields: Sequence[tuple[str, bytes]], hops: Sequence[Hop]) -> tuple[Hop, ...]:
    """Refine the stamps of all hops, which are oldest first. Never raises.

    A stamp that would turn time back between two hops, by more than their dates' resolution can explain, is not
    used: it is of an event that is too far from the message's coming, such as the opening of a connection that waited.
    """
    elsewhere = {**find_exchange_stamps(fields, hops), **_find_ses_stamps(fields, hops)}
    told = [decode_id(hop) for hop in hops]
    refined = _settle(_refine_absolute(hops, told, elsewhere), told)
    return _take_back(hops, refined)


def _refine_absolute(
    hops: Sequence[Hop], told: Sequence[_Told], elsewhere: Mapping[int, IdStamp]
) -> list[Hop]:
    """Refine all that needs no neighbours."""
    refined: list[Hop] = []
    for place, (hop, stamp) in enumerate(zip(hops, told, strict=True)):
        own = hop if isinstance(stamp, ModularStamp) else use_stamp(hop, stamp)
        refined.append(put_stamp(own, elsewhere[place]) if place in elsewhere else own)
    return refined


def _settle(hops: Sequence[Hop], told: Sequence[_Told]) -> list[Hop]:
    """Refine the hops whose ids leave the second open, oldest first, between the stamps around them."""
    settled: list[Hop] = []
    before: Hop | None = None
    for place, (hop, stamp) in enumerate(zip(hops, told, strict=True)):
        if isinstance(stamp, ModularStamp):
            behind = next((hops[n] for n in range(place + 1, len(hops)) if hops[n].at_ns is not None), None)
            after_ns = before.at_ns if before is not None else None
            settled.append(use_stamp(hop, stamp, after_ns=after_ns, before_ns=_end_ns(behind)))
        else:
            settled.append(hop)
        before = before if hop.at_ns is None else settled[-1]
    return settled


def _end_ns(hop: Hop | None) -> int | None:
    """Give the latest instant that a hop's stamp can stand for."""
    if hop is None or hop.at_ns is None:
        return None
    return hop.at_ns + _width_ns(hop)


def _find_ses_stamps(fields: Iterable[tuple[str, bytes]], hops: Sequence[Hop]) -> dict[int, IdStamp]:
    """Give the time in a Message-ID of SES to the oldest hop of SES whose date agrees with it.

    SES makes the id when it takes the message from its customer: not where it takes it from another part of its own.
    """
    written = next((value for name, value in fields if name == "message-id"), b"")
    stamp = decode_ses(written.decode("ascii", "replace")) if len(written) <= _MAX_ID_BYTES else None
    for place, hop in enumerate(hops):
        is_first = hop.software == "ses" and not (hop.from_name or "").lower().endswith(".amazonses.com")
        if stamp is not None and is_first and agrees_with_date(stamp, hop):
            return {place: stamp}
    return {}


def _take_back(dated: Sequence[Hop], refined: Sequence[Hop]) -> tuple[Hop, ...]:
    """Give hops their dates again, one after the other, until no pair of them contradicts its dates."""
    hops = list(refined)
    while (place := _find_contradiction(dated, hops)) is not None:
        hops[place] = dated[place]
    return tuple(hops)


def _find_contradiction(dated: Sequence[Hop], hops: Sequence[Hop]) -> int | None:
    """Find a hop whose stamp makes a delay more negative than the dates of both and their resolution do.

    Of the two hops of such a delay it is the one whose stamp is further outside of what its date stands for.
    """
    places = [place for place, hop in enumerate(hops) if hop.at_ns is not None]
    for before, behind in pairwise(places):
        unexplained_ns = _distance_ns(dated[before], hops[before]) - _distance_ns(dated[behind], hops[behind])
        slack_ns = max(_width_ns(dated[before]), _width_ns(dated[behind]))
        if _distance_ns(hops[before], hops[behind]) < 0 and unexplained_ns > slack_ns:
            return max(before, behind, key=lambda place: _excess_ns(dated[place], hops[place]))
    return None


def _excess_ns(dated: Hop, refined: Hop) -> int:
    """Give how far a stamp is before its date, or behind the end of its date's second."""
    moved_ns = _distance_ns(dated, refined)
    return max(-moved_ns, moved_ns - _width_ns(dated))


def _distance_ns(earlier: Hop, later: Hop) -> int:
    return (later.at_ns or 0) - (earlier.at_ns or 0)


def _width_ns(hop: Hop) -> int:
    return to_ns(hop.resolution_seconds or 1.0)
