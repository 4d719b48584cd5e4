"""Decoding the arrival time that mail software writes into its ids: hop stamps finer than the header's second.

In: a hop, as `received` gives it, and the stamps of its neighbours where they are known. Out: what its id tells, and
the hop with the finer stamp in the place of the date. Decoded is only what the software is known to write, from its
name in the header or a form that is its own sign, and believed only where it agrees with the date beside it: an id
that cannot be read, or not be believed, is no error, and the date stays.

A stamp from an id is of the same clock as the date, but often of another event: see `Hop.stamp_event`. Stamps from
other headers, and whole traces, are for `refinement`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from smtp_probe.mail.queue_ids.dovecot import decode_dovecot
from smtp_probe.mail.queue_ids.exim import decode_exim
from smtp_probe.mail.queue_ids.id_stamps import SECOND_NS, IdStamp, ModularStamp, agrees_with_date
from smtp_probe.mail.queue_ids.postfix import decode_postfix
from smtp_probe.mail.queue_ids.providers import decode_gmail, decode_halon, decode_stalwart, decode_zoho
from smtp_probe.model import Hop

_DECODERS: tuple[Callable[[Hop], IdStamp | ModularStamp | None], ...] = (
    decode_postfix,
    decode_exim,
    decode_dovecot,
    decode_gmail,
    decode_zoho,
    decode_halon,
    decode_stalwart,
)
"""Each reads the ids of one software and gives None for all others."""

INFERRED = "id_second_inferred"
"""A flag: the id tells a fraction, and its second is the likeliest, but a later one would be in order, too."""
UNSETTLED = "id_second_unsettled"
"""A flag: the id tells a fraction, and no second fits the neighbours."""

_TRUSTED_SKEW_NS = 100_000_000
"""How far two hosts' clocks may be apart before the order of their stamps is taken as a sign."""


def decode_id(hop: Hop) -> IdStamp | ModularStamp | None:
    """Read the time in a hop's id. None where there is none, or none that agrees with the header's date.

    A `ModularStamp` has no second of its own that could disagree: it is given wherever its software wrote the header.
    """
    stamp = next((read for decode in _DECODERS if (read := decode(hop)) is not None), None)
    if isinstance(stamp, IdStamp) and not agrees_with_date(stamp, hop):
        return None
    return stamp


def refine_hop(hop: Hop, *, after_ns: int | None = None, before_ns: int | None = None) -> Hop:
    """Give the hop the stamp that its id tells, if that is finer than its date; otherwise give it as it is.

    `after_ns` and `before_ns` are the earliest instant that the hop before can stand for, and the latest that the hop
    behind can: they settle the second of a short Postfix id. A Dovecot id of a connection that was used before is a
    lower bound, and changes nothing.
    """
    return use_stamp(hop, decode_id(hop), after_ns=after_ns, before_ns=before_ns)


def use_stamp(
    hop: Hop,
    stamp: IdStamp | ModularStamp | None,
    *,
    after_ns: int | None = None,
    before_ns: int | None = None,
) -> Hop:
    """Give the hop the stamp that was read from its id, as `refine_hop` does."""
    if isinstance(stamp, ModularStamp):
        settled = settle_second(stamp, hop, after_ns=after_ns, before_ns=before_ns)
        if settled is None:
            hop = replace(hop, flags=(*hop.flags, UNSETTLED))
        else:
            flags = () if _is_the_only_one(settled, before_ns) else (INFERRED,)
            hop = replace(hop, date_ns=hop.at_ns, flags=(*hop.flags, *flags))
        stamp = settled
    if stamp is None or stamp.is_lower_bound:
        return hop
    return put_stamp(hop, stamp)


def _is_the_only_one(settled: IdStamp, before_ns: int | None) -> bool:
    """Whether the hop behind leaves the chosen second and excludes the next, if its clock is hardly off."""
    if before_ns is None:
        return False
    return settled.at_ns <= before_ns + _TRUSTED_SKEW_NS < settled.at_ns + SECOND_NS


def put_stamp(hop: Hop, stamp: IdStamp) -> Hop:
    """Put a stamp in the place of one that is coarser."""
    if hop.resolution_seconds is not None and hop.resolution_seconds <= stamp.resolution_seconds:
        return hop
    return replace(
        hop,
        at_ns=stamp.at_ns,
        resolution_seconds=stamp.resolution_seconds,
        stamp_source=stamp.source,
        stamp_event=stamp.event,
    )


def settle_second(
    stamp: ModularStamp, hop: Hop, *, after_ns: int | None = None, before_ns: int | None = None
) -> IdStamp | None:
    """Choose the second of a fraction: the smallest from the date on that the order of the hops allows.

    The event is after the date's, nearly always by less than a second: either within the date's own second, or,
    where it had ended by then, in the next. The hop before speaks for the next one if its stamp is within the date's
    second and behind the fraction; if its stamp is later than that second, the two clocks disagree, and it says
    nothing. None where the hop behind contradicts that, or the date does not tell its second.
    """
    if hop.at_ns is None or hop.resolution_seconds != 1.0:
        return None
    at_ns = hop.at_ns - hop.at_ns % SECOND_NS + stamp.fraction_ns
    is_in_order = (
        after_ns is None or after_ns >= hop.at_ns + SECOND_NS or after_ns <= at_ns + _TRUSTED_SKEW_NS
    )
    if not is_in_order:
        at_ns += SECOND_NS
        if before_ns is not None and before_ns < at_ns - _TRUSTED_SKEW_NS:
            return None
    return IdStamp(
        at_ns=at_ns,
        resolution_seconds=stamp.resolution_seconds,
        source=stamp.source,
        event=stamp.event,
    )
