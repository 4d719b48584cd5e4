"""Small chains for the tests of single parts. Instants are milliseconds after the final dot, unless named otherwise."""

from smtp_probe.mail.clocks.events import read_chain
from smtp_probe.mail.clocks.facts import (
    ChainObservation,
    ClockLimits,
    ClockStamp,
    Dialogue,
    HopStamp,
    Sighting,
)

DOT_NS = 1_790_000_000_000_000_000
MS = 1_000_000
SECOND_NS = 1_000_000_000
EXACT = ClockLimits(looseness_ns=0, drift_ppm=0.0)
"""Clocks that never drift and are read at once: what follows can be written down."""


def stamp(domain, at_ms, *, resolution_ms=0, event="end_of_data"):
    return ClockStamp(
        domain=domain,
        at_ns=DOT_NS + round(at_ms * MS),
        resolution_ns=round(resolution_ms * MS) or 1,
        event=event,
    )


def hop(domain, at_ms, **details):
    return HopStamp(label=domain, stamp=stamp(domain, at_ms, **details))


def bare(label):
    return HopStamp(label=label)


def dialogue(**instants):
    known = {f"{name}_ns": DOT_NS + round(at_ms * MS) for name, at_ms in instants.items()}
    return Dialogue(**{"final_dot_ns": DOT_NS, **known})


FULL = dialogue(
    connect=-10,
    mail=-8,
    mail_reply=-6,
    rcpt=-6,
    rcpt_reply=-4,
    data=-4,
    data_reply=-1,
    accepted=5,
)


def observe_chain(*hops, seen_ms=100, store=None, talk=FULL, later_ms=0, begins_at_peer=True, sightings=()):
    """One message. `later_ms` is only how much later it is sent than the first; its stamps are given as they are."""
    moved = {name: value + round(later_ms * MS) for name, value in _known(talk).items()}
    return ChainObservation(
        dialogue=Dialogue(**moved),
        hops=hops,
        seen_ns=DOT_NS + round((seen_ms + later_ms) * MS),
        store=store,
        begins_at_peer=begins_at_peer,
        sightings=sightings,
    )


def sighting(domain, at_ms, earliest_ms, latest_ms, **details):
    return Sighting(
        stamp=stamp(domain, at_ms, **details),
        earliest_ns=DOT_NS + round(earliest_ms * MS),
        latest_ns=DOT_NS + round(latest_ms * MS),
    )


def chain_of(*hops, limits=EXACT, **details):
    return read_chain(observe_chain(*hops, **details), limits)


def _known(talk):
    names = (
        "connect",
        "mail",
        "mail_reply",
        "rcpt",
        "rcpt_reply",
        "data",
        "data_reply",
        "final_dot",
        "accepted",
    )
    pairs = ((f"{name}_ns", getattr(talk, f"{name}_ns")) for name in names)
    return {name: value for name, value in pairs if value is not None}
