"""What watching 200 domains costs: processor time and questions, when nothing is known and when all is.

A name server of the lab's kind serves 200 healthy domains of a TTL of a minute; a daemon looks at each every 20 seconds, with
all checks that DNS alone answers. The first round asks everything; the others ask what is over. The rate is measured over
several TTLs, so that it is the steady one: at most the questions of one look for each domain and TTL.
"""

from __future__ import annotations

import time
from pathlib import Path

from tests.acceptance.daemon import Daemon, route, write_config
from tests.zones.domains import Domain, write_zone
from tests.zones.nameserver import ADDRESS, serve

from .figures import Figure, Row
from .process import cpu_seconds
from .site import Site

DOMAINS = 200
_TTL_SECONDS = 60
_INTERVAL_SECONDS = 20


def measure_domains(site: Site) -> list[Row]:
    """Give processor milliseconds and questions: of the first look at a domain, and a minute of all of them."""
    folder = site.new_directory()
    domains = [Domain(name=f"d{number}", ttl=_TTL_SECONDS) for number in range(DOMAINS)]
    with (
        serve({".": write_zone(domains)}, folder) as port,
        Daemon(_configure(site, folder, port)) as daemon,
    ):
        assert daemon.process is not None
        pid = daemon.process.pid
        daemon.wait_until(lambda: _looked_at(daemon) == DOMAINS, "the first round", 300)
        first_cpu, first_asked = cpu_seconds(pid), daemon.value("smtp_probe_dns_queries_total")
        idle_seconds = site.choose(180.0, 120.0)
        time.sleep(idle_seconds)
        later_cpu, later_asked = cpu_seconds(pid), daemon.value("smtp_probe_dns_queries_total")
    minutes = idle_seconds / 60
    return [
        _row("questions of the first look at a domain", "", first_asked / DOMAINS),
        _row(f"CPU of the start and the first look at {DOMAINS} domains", "s", first_cpu),
        _row(
            f"questions a minute, {DOMAINS} domains each 20 s, TTL 1 min",
            "",
            (later_asked - first_asked) / minutes,
        ),
        _row(f"CPU, {DOMAINS} domains each 20 s, TTL 1 min", "s/min", (later_cpu - first_cpu) / minutes),
    ]


def _row(what: str, unit: str, value: float) -> Row:
    return Row(benchmark="domains", what=what, ours=Figure.of(unit, [value]))


def _configure(site: Site, folder: Path, port: int) -> Path:
    names = [f"d{number}.test" for number in range(DOMAINS)]
    settings = {"interval": _INTERVAL_SECONDS, "exchanger_interval": _INTERVAL_SECONDS, "dial": False}
    return write_config(
        site.lab,
        folder,
        {"idle": route(interval=86_400, give_up_after=86_400 * 2)},
        resolver={"nameservers": [ADDRESS], "port": port},
        domains={name: settings for name in names},
    )


def _looked_at(daemon: Daemon) -> int:
    return sum(name == "smtp_probe_domain_last_check_timestamp_seconds" for name, _ in daemon.samples())
