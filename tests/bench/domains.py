"""What watching 200 domains with every check costs: processor time and questions, when nothing is known and when all is.

Two name servers serve 200 healthy domains of a TTL of a minute. A daemon looks at each every 20 seconds: DNS, an MTA-STS policy
over HTTPS, two block lists, the zone's own name servers one by one; and visits both MX hosts of each every minute, with STARTTLS.
That is fifteen times the pace of the default settings. The first round asks everything; the others ask what is over. The rate
is measured over several TTLs, so that it is the steady one.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.acceptance.daemon import Daemon, route, write_config
from tests.zones.domains import Domain, fill, write_zone
from tests.zones.nameserver import serve

from .figures import Figure, Row
from .hosts import MX_ADDRESSES, POLICY_ADDRESS, Hosts
from .process import cpu_seconds
from .site import Site

DOMAINS = 200
NAME_SERVERS = ("127.82.0.53", "127.82.0.54")
_TTL_SECONDS = 60
_INTERVAL_SECONDS = 20
_VISIT_SECONDS = 60
_LISTS = """
2.0.0.127.bl.test. A 127.0.0.2
test.dbl.test. A 127.0.1.2
"""
_MORE = f"""
@ MX 10 mx1.provider.test.
@ MX 20 mx2.provider.test.
_mta-sts TXT "v=STSv1; id=1;"
mta-sts A {POLICY_ADDRESS}
"""


def measure_domains(site: Site) -> list[Row]:
    """Give processor time and questions: of the first look at all domains, and of a minute of watching them."""
    folder = site.new_directory()
    hosts = Hosts(folder)
    with ExitStack() as running:
        running.enter_context(hosts.running())
        for address in NAME_SERVERS:
            zone_folder = site.new_directory()
            running.enter_context(serve(_zones(), zone_folder, address, 53))
        daemon = running.enter_context(Daemon(_configure(site, folder, hosts)))
        assert daemon.process is not None
        pid = daemon.process.pid
        daemon.wait_until(lambda: _looked_at(daemon) == DOMAINS, "the first round", 300)
        first_cpu, first_asked = cpu_seconds(pid), daemon.value("smtp_probe_dns_queries_total")
        _check_that_all_is_well(daemon)
        idle_seconds = site.choose(180.0, 120.0)
        time.sleep(idle_seconds)
        later_cpu, later_asked = cpu_seconds(pid), daemon.value("smtp_probe_dns_queries_total")
        _check_that_all_is_well(daemon)
    minutes = idle_seconds / 60
    pace = f"{DOMAINS} domains, all checks each 20 s, visits each minute, TTL 1 min; without questions to the own servers"
    return [
        _row("questions of the first look at a domain", "", first_asked / DOMAINS, "all checks"),
        _row(f"CPU of the start and the first look at {DOMAINS} domains", "s", first_cpu, "all checks"),
        _row("questions a minute", "", (later_asked - first_asked) / minutes, pace),
        _row("CPU of watching domains", "s/min", (later_cpu - first_cpu) / minutes, pace),
    ]


def _row(what: str, unit: str, value: float, note: str) -> Row:
    return Row(benchmark="domains", what=what, ours=Figure.of(unit, [value]), note=note)


def _check_that_all_is_well(daemon: Daemon) -> None:
    """What is measured is the whole: every host was visited, every policy fetched, and nothing was cut short."""
    up = daemon.value("smtp_probe_exchanger_up")
    assert up == DOMAINS * len(MX_ADDRESSES), f"{up:g} exchangers are up"
    for check in ("exchangers", "mta_sts", "authority", "dnsbl", "identity", "dkim"):
        assert daemon.value("smtp_probe_check_up", check=check) == DOMAINS, check
    found = sorted(
        {dict(labels)["check"] for name, labels in daemon.samples() if name == "smtp_probe_finding"}
    )
    assert not found, f"there are findings: {found}"


def _domains() -> list[Domain]:
    return [
        Domain(name=f"d{number}", without=("@ MX", "mx1", "mx2"), plus=_MORE, ttl=_TTL_SECONDS)
        for number in range(DOMAINS)
    ]


def _zones() -> dict[str, str]:
    """The zone of all domains, which has both name servers, and the root with the addresses' names."""
    lists = Domain(name="lists", without=("",), plus=_LISTS)
    lines = write_zone([*_domains(), lists]).splitlines()
    lines = [line for line in lines if not line.startswith("ns.test.")]
    mine = ["test. 3600 IN SOA ns1.test. admin.test. 1 3600 600 86400 300"]
    for number, address in enumerate(NAME_SERVERS, 1):
        mine += [f"test. 3600 IN NS ns{number}.test.", f"ns{number}.test. 3600 IN A {address}"]
    mine += [f"{host}. 60 IN A {address}" for host, address in MX_ADDRESSES.items()]
    mine += [line for line in lines if line.split(" ")[0].endswith(".test.")]
    others = [line for line in lines if not line.split(" ")[0].endswith(".test.")]
    return {name: "\n".join(text) + "\n" for name, text in (("test.", mine), (".", others))}


def _configure(site: Site, folder: Path, hosts: Hosts) -> Path:
    domains: dict[str, Any] = {}
    for number, domain in enumerate(_domains()):
        domains[f"{domain.name}.test"] = {
            "interval": _INTERVAL_SECONDS,
            "exchanger_interval": _VISIT_SECONDS,
            "private_addresses": True,
            "authority": True,
            "dnsbl": ["bl.test"],
            "rhsbl": ["dbl.test"],
            "selectors": ["s1"],
            "egress": [fill("{ip}", domain, number)],
            "ehlo_name": f"mail.{domain.name}.test",
            "ca_file": str(hosts.ca_file),
        }
    return write_config(
        site.lab,
        folder,
        {"idle": route(interval=86_400, give_up_after=86_400 * 2)},
        resolver={"nameservers": [NAME_SERVERS[0]]},
        domains=domains,
    )


def _looked_at(daemon: Daemon) -> int:
    return sum(name == "smtp_probe_domain_last_check_timestamp_seconds" for name, _ in daemon.samples())
