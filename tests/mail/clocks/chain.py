"""A simulated mail path with scripted clocks, whose truth is known: the four hosts of the embedded path and a mailbox.

Deterministic by its seed. The passages have the resting times of the demo's hosts as their medians and vary by a
log-normal factor; every passage has a least duration besides.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from smtp_probe.mail.clocks.facts import (
    ChainObservation,
    ClockReading,
    ClockStamp,
    Dialogue,
    HopStamp,
)

EPOCH_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000
MICROSECOND_NS = 1_000
GOLDEN = 0.6180339887498949


@dataclass
class Host:
    """One host: how its clock goes, and what its stamp is of."""

    name: str
    event: str
    offset_seconds: float = 0.0
    drift_ppm: float = 0.0
    resolution_ns: int = MICROSECOND_NS
    steps: dict[int, float] = field(default_factory=dict)
    """By the number of the probe (from 0) before which the clock is set: by how many seconds."""

    def offset_ns(self, true_ns: int, probe: int) -> int:
        set_by = sum(shift for number, shift in self.steps.items() if number <= probe)
        drifted = (true_ns - EPOCH_NS) * self.drift_ppm * 1e-6
        return round((self.offset_seconds + set_by) * SECOND_NS + drifted)

    def stamp(self, true_ns: int, probe: int, *, resolution_ns: int | None = None) -> ClockStamp:
        resolution = resolution_ns or self.resolution_ns
        shown = true_ns + self.offset_ns(true_ns, probe)
        return ClockStamp(
            domain=self.name,
            at_ns=shown // resolution * resolution,
            resolution_ns=resolution,
            event=self.event,
        )


@dataclass
class Journey:
    """One probe: what the prober can know of it, and the truth."""

    number: int
    observation: ChainObservation
    dot_ns: int
    event_ns: list[int]
    """When each hop's event truly was, and last the store."""
    offset_ns: dict[str, int]

    def durations_ns(self) -> list[int]:
        ends = [self.dot_ns, *(max(at, self.dot_ns) for at in self.event_ns)]
        return [after - before for before, after in pairwise(ends)]


OFFSETS = (3.21, -0.74, 121.5, 0.03)
EVENTS = ("rcpt", "data", "end_of_data", "connection")
NAMES = ("submission.example", "relay.example", "filter.example", "store.example")


def make_hosts(
    *,
    resolutions_ns: Sequence[int] = (MICROSECOND_NS,) * 4,
    offsets: Sequence[float] = OFFSETS,
    drifts: Sequence[float] = (0.0,) * 4,
) -> list[Host]:
    return [
        Host(name, event, offset, drift, resolution)
        for name, event, offset, drift, resolution in zip(
            NAMES, EVENTS, offsets, drifts, resolutions_ns, strict=True
        )
    ]


class Path:
    """The mail path. `send` lets one probe pass."""

    def __init__(
        self,
        hosts: Sequence[Host],
        seed: int = 1,
        *,
        interval_seconds: float = 60.0,
        medians_seconds: Sequence[float] = (0.02, 0.08, 0.12, 0.01),
        sigma: float = 1.0,
        least_seconds: float = 0.001,
        dithered: bool = True,
        store_resolution_ns: int | None = None,
    ) -> None:
        self.hosts = list(hosts)
        self._random = random.Random(seed)
        self._interval = interval_seconds
        self._medians = medians_seconds
        self._sigma = sigma
        self._least = least_seconds
        self._dithered = dithered
        self._store_resolution_ns = store_resolution_ns
        self._number = 0

    def send(self) -> Journey:
        number, self._number = self._number, self._number + 1
        dither = number * GOLDEN % 1.0 if self._dithered else 0.0
        start = EPOCH_NS + round((number * self._interval + dither) * SECOND_NS)
        dialogue, accepted_event = self._talk(start)
        at = dialogue.final_dot_ns + self._travel(0.0005)
        events = [accepted_event]
        for median in self._medians[:-1]:
            at += self._travel(median)
            events.append(at)
        at += self._travel(self._medians[-1])
        events.append(at)
        stamps = [host.stamp(event, number) for host, event in zip(self.hosts, events, strict=False)]
        store = self.hosts[-1].stamp(at, number, resolution_ns=self._store_resolution_ns)
        observation = ChainObservation(
            dialogue=dialogue,
            hops=[HopStamp(label=stamp.domain.partition(".")[0], stamp=stamp) for stamp in stamps],
            store=store,
            seen_ns=at + round(self._random.uniform(0.003, 0.03) * SECOND_NS),
        )
        truth = {host.name: host.offset_ns(at, number) for host in self.hosts}
        return Journey(number, observation, dialogue.final_dot_ns, events, truth)

    def _talk(self, start: int) -> tuple[Dialogue, int]:
        """A dialogue whose every command takes one round trip, and when the server took the recipient."""
        trips = [round(0.002 * SECOND_NS * math.exp(self._random.gauss(0, 0.3))) for _ in range(5)]
        instants = [start]
        for trip in trips:
            instants.append(instants[-1] + trip)
        accepted = instants[4] + trips[4] + self._travel(0.004)
        dialogue = Dialogue(
            connect_ns=instants[0],
            mail_ns=instants[1],
            mail_reply_ns=instants[2],
            rcpt_ns=instants[2],
            rcpt_reply_ns=instants[3],
            data_ns=instants[3],
            data_reply_ns=instants[4],
            final_dot_ns=instants[4],
            accepted_ns=accepted,
        )
        return dialogue, instants[2] + round(trips[2] * self._random.uniform(0.3, 0.7))

    def _travel(self, median_seconds: float) -> int:
        varied = median_seconds * math.exp(self._random.gauss(0, self._sigma))
        return round((self._least + varied) * SECOND_NS)


def hop_errors_ns(journey: Journey, reading: ClockReading) -> list[int]:
    return [
        abs(hop.duration.value_ns - truth)
        for hop, truth in zip(reading.hops, journey.durations_ns(), strict=True)
    ]


def bounds_held(journey: Journey, reading: ClockReading) -> list[bool]:
    """Of every hop, every clock and the store, whether the bounds contain the truth."""
    pairs = [(hop.duration, truth) for hop, truth in zip(reading.hops, journey.durations_ns(), strict=True)]
    pairs += [(each.offset, journey.offset_ns[each.domain]) for each in reading.offsets]
    pairs.append((reading.stored, journey.event_ns[-1]))
    return [estimate.lower_ns <= truth <= estimate.upper_ns for estimate, truth in pairs]
