"""Reading the whole way of a message from its header: the raw trace.

In: the header of a message as a mailbox gave it. Out: the hops, oldest first, in the order in which the lines stand
(never by their dates), each with the finest stamp that the message has for it, and what each hop cost by the clocks of
the two hosts. Nothing is corrected here: two clocks that disagree give a delay that is too long, too short or
negative, and it is left so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from smtp_probe.mail.hostnames import normalise_by
from smtp_probe.mail.queue_ids.id_stamps import SECOND_NS
from smtp_probe.mail.queue_ids.refinement import refine_trace
from smtp_probe.mail.received.forms import read_received
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.model import Hop, HopDelay, Trace

_REMEMBERED = 8
"""Several parts of the program read one message, one after the other: its trace is made once."""
MAX_RECEIVED = 64
"""More lines are not read: the topmost are the trustworthy ones, and RFC 5321 section 6.3 ends loops at 100."""


@lru_cache(maxsize=_REMEMBERED)
def read_trace(header: bytes) -> Trace:
    """Read the trace of a message. Never raises.

    Flags: `too_many_hops` (lines below the topmost 64 were left out, so positions are not from the true beginning),
    `retrieval_dropped` (fetchmail and its like were here: the hop above has their waiting time in its delay),
    `no_received`.
    """
    fields = split_fields(header)
    values, is_cut = _collect(fields)
    hops: list[Hop] = []
    flags = ["too_many_hops"] if is_cut else []
    waiting_ids: list[str] = []
    for name, value in values:
        hop = read_received(value)
        if name == "x-received":
            waiting_ids += [hop.id] if hop.id else []
        elif "retrieval" in hop.flags:
            flags.append("retrieval_dropped")
        else:
            hops.append(replace(hop, relay_ids=tuple(waiting_ids)) if waiting_ids else hop)
            waiting_ids = []
    if not hops:
        flags.append("no_received")
    refined = refine_trace(fields, hops[::-1])
    return Trace(hops=refined, delays=tuple(measure_delays(refined)), flags=tuple(dict.fromkeys(flags)))


def measure_delays(hops: Sequence[Hop]) -> list[HopDelay]:
    """Give each hop's stamp less the one before it that there is. None where either is unknown, and for the first."""
    delays: list[HopDelay] = []
    before: Hop | None = None
    for position, hop in enumerate(hops, 1):
        delay = None if before is None else _measure_delay(before, hop)
        by = normalise_by(hop.by_host or hop.by)
        delays.append(HopDelay(position=position, by=by, delay_seconds=delay))
        before = before if hop.at_ns is None else hop
    return delays


def _measure_delay(before: Hop, hop: Hop) -> float | None:
    """Subtract the two stamps as they are: the delays of a message add up to its last stamp less its first.

    A date of whole seconds has lost its fraction, so a delay to one from a finer stamp may be negative by less than a
    second without any fault of the clocks. How far a delay can be off so is told beside it (`path.passages`).
    """
    if before.at_ns is None or hop.at_ns is None:
        return None
    return (hop.at_ns - before.at_ns) / SECOND_NS


def _collect(fields: Iterable[tuple[str, bytes]]) -> tuple[list[tuple[str, bytes]], bool]:
    """Give the topmost Received lines, and Gmail's X-Received among them; and whether any was left out.

    An X-Received line belongs to the Received line below it: both are written when Google takes a message in.
    """
    values: list[tuple[str, bytes]] = []
    counts = {"received": 0, "x-received": 0}
    for name, value in fields:
        if name not in counts:
            continue
        counts[name] += 1
        if counts[name] <= MAX_RECEIVED:
            values.append((name, value))
    return values, counts["received"] > MAX_RECEIVED
