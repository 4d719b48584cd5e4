"""A daemon that probes over real servers whose clocks are wrong, and the truth beside what it read.

The truth is what the servers stamped, less what was put on their clocks: the machine has one true clock, and every stamp
here is finer than a second. Of a stamp that is not quite fine (Exim 4.96 counts in steps of 5 ms) the middle is taken.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from tests.acceptance.daemon import Daemon, account, route, write_config
from tests.lab import MailLab
from tests.lab.exim import start_exim
from tests.lab.wrong_clock import set_postfix_clock

NS = 1_000_000_000
WRONG = {"exim.example.test": 7.3, "relay.example.test": -41.0}
QUEUED_SECONDS = 1.4
_SLACK_NS = 3_500_000
CLOCK_FOLDER = "smtp-probe-clock"


class MeasuredHop(NamedTuple):
    """One hop: whose, what it was measured to be, and the truth. Nanoseconds."""

    by: str
    span: dict[str, int]
    true_ns: int

    @property
    def is_held(self) -> bool:
        """Whether the bounds contain the truth, as far as that is known: to half of Exim's 5 ms, and the scheduling."""
        return self.span["least_ns"] - _SLACK_NS <= self.true_ns <= self.span["most_ns"] + _SLACK_NS

    @property
    def error_ns(self) -> int:
        """How far the best value is from the truth."""
        return abs(self.span["took_ns"] - self.true_ns)


class Reading(NamedTuple):
    """One probe. `number` counts those of its route, from 1."""

    route: str
    number: int
    hops: tuple[MeasuredHop, ...]
    timing: dict[str, Any]


@contextmanager
def probe_wrong_clocks(lab: MailLab, work: Path, probes: int) -> Iterator[Daemon]:
    """Probe three routes, so many times each: over a Postfix that is 41 seconds slow, in whose queue mail of one route
    waits, and over an Exim that is 7.3 seconds fast.
    """
    work.chmod(0o700)
    exim = start_exim(lab, WRONG["exim.example.test"])
    set_postfix_clock(lab, "relay", WRONG["relay.example.test"])
    sender = {
        "host": exim.address,
        "port": exim.port,
        "tls": "none",
        "ehlo_name": "prober.example.test",
        "envelope_from": "probe1@example.test",
        "max_per_minute": 6000,
    }
    lab.set_delay(QUEUED_SECONDS)
    routes = {
        "postfix": route(interval=0.7),
        "exim": route("probe1", "probe1", interval=0.7) | {"sender": "exim"},
        "queued": route("delayed", "probe1", interval=0.7),
    }
    mailboxes = {"probe2": account(lab, "probe2") | {"clock_folder": CLOCK_FOLDER}}
    config = write_config(
        lab, work, routes, senders={"exim": sender}, mailboxes=mailboxes, metrics={"detail": "full"}
    )
    with Daemon(config) as daemon:
        daemon.wait_until(
            lambda: sum(daemon.outcomes().values()) >= 3 * probes, "the ends", 60 + 1.5 * probes
        )
        daemon.rest()
        daemon.wait_until(lambda: _is_quiet(daemon), "everything to end, on the page and in the journal", 30)
        yield daemon


def _is_quiet(daemon: Daemon) -> bool:
    """Whether nothing is on its way, and page and journal tell of the same ends."""
    return Counter(daemon.kinds().values()) == daemon.outcomes() and daemon.in_flight() == 0


def read_truth(daemon: Daemon) -> Iterator[Reading]:
    """Give every probe of the journal with the truth beside it, in the order of their ends: the page shows what ended last.

    Where a machine is busy one look finds several, and the watcher takes them as the mailbox numbers them.
    """
    counts: dict[str, int] = {}
    ended = daemon.journal()
    ended.sort(
        key=lambda probe: (probe["outcome"]["ended_ns"], probe["outcome"]["arrival"]["location"]["uid"])
    )
    for probe in ended:
        outcome = probe["outcome"]
        trace, timing = outcome["arrival"]["trace"]["hops"], outcome["timing"]
        ends = [outcome["submission"]["final_dot_ns"]]
        for hop in timing["hops"][:-1]:
            line = trace[hop["last"] - 1]
            middle_ns = line["at_ns"] + round(line["resolution_seconds"] * NS / 2)
            ends.append(max(middle_ns - round(WRONG.get(line["by"], 0.0) * NS), ends[0]))
        hops = tuple(
            MeasuredHop(hop["by"], hop["span"], after - before)
            for hop, (before, after) in zip(timing["hops"][:-1], pairwise(ends), strict=True)
        )
        number = counts[probe["route"]] = counts.get(probe["route"], 0) + 1
        yield Reading(probe["route"], number, hops, timing)
