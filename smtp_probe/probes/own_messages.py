"""Which messages of a queue are our own probes.

In: the probes in flight. Out: a function that names the probe of a queue's entry. The id that the server gave in its final
reply is certain. In a queue further down the path, which has ids of its own, a message is ours by envelope sender and
recipient: then the youngest probe that was made before the message came into that queue is meant.
"""

from __future__ import annotations

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

    def recognise(entry: QueueEntry) -> OwnProbe | None:
        known = by_id.get(entry.queue_id)
        if known is not None or len(entry.recipients) != 1 or not entry.sender:
            return known
        envelope = (entry.sender.lower(), strip_tag(entry.recipients[0].address).lower())
        candidates = by_envelope.get(envelope, ())
        if entry.arrived_seconds is None:
            return max(candidates)[1] if candidates else None
        latest = entry.arrived_seconds + _CLOCKS_APART_SECONDS
        return max((each for each in candidates if each[0] <= latest), default=(0.0, None))[1]

    return recognise
