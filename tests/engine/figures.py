"""Measures an engine on this machine: `make bench-engine ARGS="--routes 10000 --interval 60"`.

Three servers, three workers, two watchers, two exporters and a controller, against the embedded receiver. Prints runs a
second, how late they are, processor and memory by role, and how long it takes until things go on after each kill. With further
sizes (`--beside`), at the same rate: how each grows with the routes, as the slope of a line through logarithms. All of it shares
the processors of one machine, the receiver included, so the figures are a lower bound.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import linear_regression
from typing import Any

import psutil

from smtp_probe.report.metrics import SCHEDULE_MISSED
from tests.bench.machine import describe_machine
from tests.engine.cluster import Cluster
from tests.engine.site import Member, Receiver, Site, change_config, ended, have_ended, wait_until

ROLES = {"controller": 1, "worker": 3, "watcher": 2, "exporter": 2}
_USERS = [f"user{number}" for number in range(10)]
_START_SECONDS = 300.0
_END_SECONDS = 180.0
_RECOVERY_SECONDS = 120.0
_CAUGHT_UP_SECONDS = 3.0


@dataclass(frozen=True)
class Measured:
    """What one size came to. `usage` is, by role, milliseconds of processor time a run and megabytes of the largest process."""

    routes: int
    rate: float
    wanted: float
    lag_p50: float
    lag_p99: float
    missed: float
    without_end: int
    """Messages that have no end as the exporter knows it, three minutes later."""
    usage: dict[str, tuple[float, float]]

    def tell(self) -> None:
        print(
            f"{self.routes} routes: {self.rate:.1f} runs a second of {self.wanted:.1f}, {self.missed:.0f} slots missed, {self.without_end} without an end; "
            f"begun after {self.lag_p50 * 1e3:.0f} ms in the median, {self.lag_p99 * 1e3:.0f} ms in 99 of 100",
            flush=True,
        )
        for role, (milliseconds, megabytes) in self.usage.items():
            share = milliseconds * self.rate / 10
            print(
                f"  {role:12} {milliseconds:6.2f} ms a run, {share:5.1f} % of a processor, {megabytes:5.0f} MB"
            )


def _usage(processes: dict[str, list[psutil.Process]]) -> dict[str, tuple[float, float]]:
    return {
        role: (
            sum(sum(each.cpu_times()[:2]) for each in found),
            max(each.memory_info().rss for each in found) / 1e6,
        )
        for role, found in processes.items()
    }


def _processes(site: Site, members: dict[str, list[Member]]) -> dict[str, list[psutil.Process]]:
    found = {
        role: [psutil.Process(each.process.pid) for each in some if each.process]
        for role, some in members.items()
    }
    found["nats-server"] = [psutil.Process(node.process.pid) for node in site.cluster.nodes if node.process]
    found["(receiver)"] = [psutil.Process(site.receiver.pid)]
    return found


def _journal(exporter: Member) -> str:
    return f"file:{exporter.config.parent / 'state' / 'journal.db'}?mode=ro"


def _missed(exporter: Member) -> float:
    """Slots that were missed, from the journal: a page of ten thousand routes would be a part of what is measured."""
    with sqlite3.connect(_journal(exporter), uri=True, timeout=10) as database:
        query = "SELECT total(value) FROM totals WHERE metric = ?"
        return float(database.execute(query, (SCHEDULE_MISSED.name,)).fetchone()[0])


def _have_ended(exporter: Member, ids: set[str]) -> bool:
    """Whether these probes have ended; asked once a second, since all of the journal is gone through."""
    time.sleep(1)
    return have_ended(exporter, ids)


class Recovery:
    """How long it takes until things go on after a kill. What does not go on is told, and the rest is measured all the same."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def time(self, fault: str, what: str, claim: Callable[[], object]) -> None:
        begun = time.monotonic()
        while not self._holds(claim):
            if time.monotonic() - begun > _RECOVERY_SECONDS:
                self.failures.append(fault)
                print(f"{fault}: {what} not within {_RECOVERY_SECONDS:.0f} s", flush=True)
                return
            time.sleep(0.2)
        print(f"{fault}: {what} after {time.monotonic() - begun:.1f} s", flush=True)

    @staticmethod
    def _holds(claim: Callable[[], object]) -> bool:
        """Whether it is so now: a page that does not come in time says nothing yet."""
        with suppress(OSError):
            return bool(claim())
        return False


def _measure(
    site: Site, members: dict[str, list[Member]], routes: int, interval: int, seconds: float
) -> Measured:
    """Wait until all is under way, and look for so long. Every message that was sent then must have an end."""
    exporter = members["exporter"][0]
    everybody = [member for some in members.values() for member in some]
    wait_until(lambda: all(member.is_ready() for member in everybody), "the processes", _START_SECONDS)
    wait_until(lambda: len(site.mails()) > 10 + routes / interval * 10, "the first mails", _START_SECONDS)
    processes = _processes(site, members)
    before, begun, mails = _usage(processes), time.monotonic(), len(site.mails())
    missed = _missed(exporter)
    time.sleep(seconds)
    took, after, sent = time.monotonic() - begun, _usage(processes), site.mails()[mails:]
    ids = {mail["probe_id"] for mail in sent}
    with suppress(AssertionError):
        wait_until(lambda: _have_ended(exporter, ids), "the ends of what was sent", _END_SECONDS)
    known = ended(exporter)
    lags = sorted(
        mail["at"] - known[mail["probe_id"]]["outcome"]["probe"]["scheduled_ns"] / 1e9
        for mail in sent
        if mail["probe_id"] in known
    )
    return Measured(
        routes=routes,
        rate=len(sent) / took,
        wanted=routes / interval,
        lag_p50=lags[len(lags) // 2],
        lag_p99=lags[round(len(lags) * 0.99) - 1],
        missed=_missed(exporter) - missed,
        without_end=len(ids - known.keys()),
        usage={
            role: ((after[role][0] - before[role][0]) / len(sent) * 1e3, after[role][1]) for role in after
        },
    )


def _is_up_to_date(exporter: Member) -> bool:
    """Whether an exporter is ready and has just counted an end. Not asked of its page, which is 13 MB with 10,000 routes."""
    if not exporter.is_ready():
        return False
    with sqlite3.connect(_journal(exporter), uri=True, timeout=10) as database:
        newest = database.execute("SELECT max(ended_ns) FROM probes").fetchone()[0]
    return newest is not None and time.time_ns() - newest < _CAUGHT_UP_SECONDS * 1e9


def _recover(site: Site, members: dict[str, list[Member]]) -> None:
    """Kill one after the other, and see how long it takes until what it did is done again."""
    watcher, exporter, recovery = members["watcher"], members["exporter"][0], Recovery()

    def further(count: int) -> Callable[[], bool]:
        known = len(site.mails())
        return lambda: len(site.mails()) >= known + count

    groups = len(_USERS)
    watcher[0].kill()
    recovery.time(
        "watcher killed",
        "its mailboxes are watched again",
        lambda: watcher[1].value("smtp_probe_engine_mailbox_groups") == groups,
    )
    recovery.time(
        "watcher killed",
        "after that, all mailboxes are in view",
        lambda: watcher[1].value("smtp_probe_mailbox_up") == len(_USERS),
    )
    members["worker"][0].kill()
    recovery.time("worker killed", "the next 20 mails", further(20))
    exporter.kill()
    exporter.start()
    recovery.time(
        "exporter killed",
        "started again it is ready and has counted what has just ended",
        lambda: _is_up_to_date(exporter),
    )
    for stream in ("FIGURES_RUNS", "FIGURES_EVENTS"):
        node = site.cluster.leader_of(stream)
        node.kill()
        recovery.time(f"leader of {stream} killed", "20 further mails", further(20))
        node.start()
        recovery.time(f"that server, {node.name}, started again", "it is in step", node.is_ready)
    members["controller"][0].kill()
    recovery.time("controller killed", "the next 20 mails", further(20))
    counts = Counter(mail["probe_id"] for mail in site.mails())
    print(f"{len(site.mails())} mails, at most {max(counts.values())} for a run")
    _tell_ends(exporter, counts.keys())
    assert max(counts.values()) == 1
    assert not recovery.failures, recovery.failures


def _tell_ends(exporter: Member, ids: Collection[str]) -> None:
    """Print how the messages ended, as an exporter knows it, and what its journal takes."""
    with suppress(AssertionError):
        wait_until(lambda: _have_ended(exporter, set(ids)), "the ends of what was sent", _END_SECONDS)
    known = ended(exporter)
    kinds = Counter(known[each]["kind"] if each in known else "without an end" for each in ids)
    found = sorted((exporter.config.parent / "state").glob("journal.db*"))
    sizes = ", ".join(f"{each.name} {each.stat().st_size / 1e6:.1f} MB" for each in found)
    print(f"ends: {dict(kinds)}; an exporter's {sizes} for {len(known)} probes; load {os.getloadavg()}")


def measure(
    routes: int, interval: int, seconds: float, workers: int, lease: float, *, recovers: bool
) -> Measured:
    """Measure one size, on servers of its own."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        with (
            Cluster(work / "nats") as cluster,
            Receiver(work / "mx", _USERS) as receiver,
            Site(cluster, receiver, work / "members", "figures") as site,
        ):
            plan: dict[str, dict[str, Any]] = {
                f"r{n:05}": {"user": _USERS[n % len(_USERS)], "interval": interval} for n in range(routes)
            }
            site.configure(plan, max_bytes=268_435_456, lease=lease)
            change_config(site.config, lambda config: config.update(metrics={"detail": "minimal"}))
            sizes = {**ROLES, "worker": workers}
            members = {
                role: [site.start(role, f"{role}{n}") for n in range(size)] for role, size in sizes.items()
            }
            measured = _measure(site, members, routes, interval, seconds)
            measured.tell()
            print(f"the load: {os.getloadavg()}", flush=True)
            if recovers:
                _recover(site, members)
            return measured


def _tell_growth(found: list[Measured]) -> None:
    """Print the slopes over the number of routes: 1 is linear, 0 is no growth."""
    sizes = [float(each.routes) for each in found]
    figures: dict[str, list[float]] = {"lag p99": [each.lag_p99 for each in found]}
    for role in found[0].usage:
        figures[f"{role}: processor time a run"] = [each.usage[role][0] for each in found]
        figures[f"{role}: memory"] = [each.usage[role][1] for each in found]
    print("log-log slopes over routes " + ", ".join(f"{size:.0f}" for size in sizes))
    for name, values in figures.items():
        print(f"  {name:36} {slope(sizes, values):6.2f}")


def slope(sizes: list[float], values: list[float]) -> float:
    """The slope of the line that fits the logarithms best; a value of nothing counts as a thousandth."""
    return linear_regression(
        [log(size) for size in sizes], [log(max(value, 0.001)) for value in values]
    ).slope


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(prog="make bench-engine", description=__doc__)
    parser.add_argument("--routes", type=int, default=1200)
    parser.add_argument("--interval", type=int, default=60, help="seconds between two runs of a route")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long is looked")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--lease", type=float, default=10.0, help="engine.lease, in seconds")
    parser.add_argument(
        "--beside", type=int, nargs="*", default=[], help="further numbers of routes, at the same rate"
    )
    options = parser.parse_args()
    print(json.dumps(describe_machine()))
    sizes = sorted({*options.beside, options.routes})
    found = [
        measure(
            size,
            max(1, round(options.interval * size / options.routes)),
            options.seconds,
            options.workers,
            options.lease,
            recovers=size == options.routes,
        )
        for size in sizes
    ]
    if len(found) > 1:
        _tell_growth(found)


if __name__ == "__main__":
    main()
