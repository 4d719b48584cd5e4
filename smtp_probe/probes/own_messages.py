"""Which messages of a queue are our own probes.

In: the probes in flight. Out: a function that names the probe of a queue's entry. The id that the server gave in its final
reply is certain. In a queue further down the path, which has ids of its own, a message is ours by envelope sender and
recipient: then the youngest probe that was made before the message came into that queue is meant, and that no other
entry of the same listing stands for: probes that were sent within the same two seconds may be taken for each other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from smtp_probe.mail.addresses import strip_tag
from smtp_probe.mail.queue_listing.survey import OwnProbe, Recognise
from smtp_probe.model import QueueEntry
from smtp_probe.probes.ledger import Flight

_NS = 1_000_000_000
_CLOCKS_APART_SECONDS = 2
"""The server has the clock of this machine, in whole seconds; ours may have been stepped away from it."""


def make_recogniser(flights: Sequence[Flight], senders: Mapping[str, str]) -> Recognise:
    """Make it for the probes in flight as they are now. `senders` gives the envelope sender of each sender by name."""
    by_id: dict[str, OwnProbe] = {}
    by_envelope: defaultdict[tuple[str, str], list[tuple[float, OwnProbe]]] = defaultdict(list)
    for flight in flights:
        probe = flight.probe
        own = (probe.probe_id, probe.route)
        if flight.submission is not None and flight.submission.queue_id:
            by_id[flight.submission.queue_id] = own
        envelope = (senders.get(probe.sender, "").lower(), probe.recipient.lower())
        by_envelope[envelope].append((probe.created_ns / _NS, own))

    taken: set[OwnProbe] = set()

    def recognise(entry: QueueEntry) -> OwnProbe | None:
        known = by_id.get(entry.queue_id)
        if known is not None:
            taken.add(known)
            return known
        if len(entry.recipients) != 1 or not entry.sender:
            return None
        envelope = (strip_tag(entry.sender).lower(), strip_tag(entry.recipients[0].address).lower())
        arrived = entry.arrived_seconds
        latest = math.inf if arrived is None else arrived + _CLOCKS_APART_SECONDS
        made_before = sorted(each for each in by_envelope.get(envelope, ()) if each[0] <= latest)
        if not made_before:
            return None
        youngest = next((own for _, own in reversed(made_before) if own not in taken), made_before[-1][1])
        taken.add(youngest)
        return youngest

    return recognise
