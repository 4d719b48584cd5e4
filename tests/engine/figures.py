"""Measures an engine on this machine: `python -m tests.engine.figures [ROUTES] [INTERVAL] [SECONDS]`.

Three servers, three workers, two watchers, two exporters and a controller, against the embedded receiver. Prints runs a
second, how late they are, processor and memory by role, and how long it takes until things go on after each kill. All of it
shares the processors of one machine, the receiver included, so the figures are a lower bound.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil

from tests.engine.cluster import Cluster
from tests.engine.site import Member, Receiver, Site, ended, wait_until

ROLES = {"controller": 1, "worker": 3, "watcher": 2, "exporter": 2}


def _lag(mails: list[dict[str, Any]], slots: dict[str, float]) -> list[float]:
    return [mail["at"] - slots[mail["probe_id"]] for mail in mails if mail["probe_id"] in slots]


def _slots(exporter: Member) -> dict[str, float]:
    return {key: row["outcome"]["probe"]["scheduled_ns"] / 1e9 for key, row in ended(exporter).items()}


def _usage(processes: dict[str, list[psutil.Process]]) -> dict[str, tuple[float, float]]:
    return {
        role: (
            sum(sum(each.cpu_times()[:2]) for each in found),
            max(each.memory_info().rss for each in found) / 1e6,
        )
        for role, found in processes.items()
    }


def _timed(claim: Callable[[], object], what: str) -> float:
    begun = time.monotonic()
    wait_until(claim, what, 60)
    return time.monotonic() - begun


def _measure(site: Site, count: int, seconds: float) -> None:
    members = {role: [site.start(role, f"{role}{n}") for n in range(size)] for role, size in ROLES.items()}
    exporter = members["exporter"][0]
    wait_until(lambda: exporter.is_ready() and len(site.mails()) > count / 20, "the first mails", 120)
    processes = {
        role: [psutil.Process(each.process.pid) for each in found] for role, found in members.items()
    }
    processes["nats"] = [psutil.Process(node.process.pid) for node in site.cluster.nodes if node.process]
    before, begun, mails = _usage(processes), time.monotonic(), len(site.mails())
    time.sleep(seconds)
    took, after = time.monotonic() - begun, _usage(processes)
    sent = site.mails()[mails:]
    ids = {mail["probe_id"] for mail in sent}
    wait_until(lambda: ids <= set(ended(exporter)), "the ends of what was sent", 120)
    lags = sorted(_lag(sent, _slots(exporter)))
    print(json.dumps({
        "routes": count, "seconds": round(took, 1), "runs_a_second": round(len(sent) / took, 2),
        "lag_p50_ms": round(lags[len(lags) // 2] * 1e3), "lag_p99_ms": round(quantiles(lags, n=100)[98] * 1e3),
        "load": psutil.getloadavg()[0],
    }))  # fmt: skip
    for role, (cpu, rss) in after.items():
        used = cpu - before[role][0]
        print(
            f"{role:12} {used / took * 100:6.1f} % of a processor, {used / len(sent) * 1e3:6.2f} ms a run, {rss:5.0f} MB"
        )
    _recover(site, members)


def _recover(site: Site, members: dict[str, list[Member]]) -> None:
    """Kill one after the other, and see how long it takes until what it did is done again."""
    watcher = members["watcher"]
    groups = sum(each.value("smtp_probe_engine_mailbox_groups") for each in watcher)
    watcher[0].kill()
    taken = _timed(lambda: watcher[1].value("smtp_probe_engine_mailbox_groups") == groups, "the takeover")
    print(f"watcher killed: its mailboxes are watched again after {taken:.1f} s")
    members["exporter"][0].kill()
    members["exporter"][0].start()
    back = _timed(members["exporter"][0].is_ready, "the exporter")
    print(f"exporter killed: started again it is ready after {back:.1f} s")
    for stream in ("FIGURES_RUNS", "FIGURES_EVENTS"):
        node = site.cluster.leader_of(stream)
        node.kill()
        known = len(site.mails())
        longest = _timed(lambda known=known: len(site.mails()) > known + 20, "mail")  # type: ignore[misc]
        print(f"leader of {stream} killed: 20 further mails after {longest:.1f} s")
        node.start()
        wait_until(node.is_ready, "the server", 30)
    counts = defaultdict(int)
    for mail in site.mails():
        counts[mail["probe_id"]] += 1
    print(f"{len(site.mails())} mails, at most {max(counts.values())} for a run")


def main(count: int = 1200, interval: int = 60, seconds: float = 60.0) -> None:
    """Measure."""
    users = [f"user{number}" for number in range(10)]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        with (
            Cluster(work / "nats") as cluster,
            Receiver(work / "mx", users) as receiver,
            Site(cluster, receiver, work / "members", "figures") as site,
        ):
            routes = {f"r{n:05}": {"user": users[n % len(users)], "interval": interval} for n in range(count)}
            site.configure(routes)
            _measure(site, count, seconds)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
