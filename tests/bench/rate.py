"""The rate that is sustained through the lab: the daemon's whole cycle against Postfix's smtp-source, which only sends.

smtp-source fills the first queue as fast as it can, so it shows what the chain delivers when nobody else needs the
processors. The daemon sends as often as the chain takes mail (every route has at most two on the way), finds each
message by IMAP, judges it, writes it down and deletes it. smtp-source speaks neither TLS nor AUTH, so the daemon
is measured on the same plain port too. The two take turns, and the lab is emptied in between.
"""

from __future__ import annotations

import re
import subprocess
import time

from tests.lab import MailLab

from .figures import Baseline, Figure, Row, ratio_at_least
from .probers import DaemonUnderTest, routes_at
from .process import cpu_seconds
from .quiet import make_quiet
from .site import Site

MESSAGE_BYTES = 1024
_SESSIONS = 10
_ROUTES, _WANTED_RATE, _MAX_IN_FLIGHT = 30, 120.0, 2
_WARM_UP_SECONDS, _WARM_UP_MAILS = 2.0, 40
_PATIENCE_SECONDS = 60.0
_NS = 1_000_000_000
_NAME = re.compile(r"(\d+)\.M(\d+)P")
"""A Maildir file's name has the instant in which it was stored, in microseconds."""


def measure_rate(site: Site) -> list[Row]:
    """Compare messages a second, plain and with STARTTLS and login; and what the daemon needed for each of them."""
    source: list[float] = []
    rates: dict[str, list[float]] = {"plain": [], "submit": []}
    costs: dict[str, list[float]] = {"plain": [], "submit": []}
    for number in range(site.choose(3, 1)):
        site.say(f"rate: turn {number + 1}")
        source.append(_measure_smtp_source(site))
        for sender in rates:
            rate, cost = _measure_daemon(site, sender)
            rates[sender].append(rate)
            costs[sender].append(cost)
    baseline = Baseline("smtp-source, plain, sends only", Figure.of("mails/s", source))
    titles = {"plain": "sent, found and judged, plain port", "submit": "the same with STARTTLS and login"}
    cycles = [
        Row(
            benchmark="rate",
            what=titles[sender],
            ours=Figure.of("mails/s", rates[sender]),
            baseline=baseline,
            aim=ratio_at_least(0.5),
            is_paired=True,
        )
        for sender in rates
    ]
    loads = [
        Row(benchmark="rate", what=f"CPU a probe at this rate, {kind}", ours=Figure.of("ms", costs[sender]))
        for sender, kind in (("plain", "plain port"), ("submit", "STARTTLS and login"))
    ]
    return cycles + loads


def _measure_smtp_source(site: Site) -> float:
    """Give how many mails a second went through, from the first connection to the last store."""
    lab = site.lab
    make_quiet(lab, "probe1", "probe2")
    _send_all(lab, _WARM_UP_MAILS)
    make_quiet(lab, "probe1")
    count, begun = site.choose(400, 200), time.time_ns() / _NS
    _send_all(lab, count)
    last_stored = _wait_for_stored(lab, count)
    make_quiet(lab, "probe1")
    return count / (last_stored - begun)


def _send_all(lab: MailLab, count: int) -> None:
    """Send so many mails to probe1, as fast as they are taken."""
    command = ["smtp-source", "-s", str(_SESSIONS), "-m", str(count), "-l", str(MESSAGE_BYTES)]
    envelope = ["-f", lab.mail_address("probe3"), "-t", lab.mail_address("probe1")]
    submission = f"{lab.submission.host}:{lab.submission.plain_port}"
    subprocess.run([*command, *envelope, submission], check=True, timeout=_PATIENCE_SECONDS)


def _wait_for_stored(lab: MailLab, count: int) -> float:
    """Wait until so many mails are stored; give when the last of them was, in seconds since the epoch."""
    folder = lab.maildir("probe1") / "new"
    gives_up_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        names = [match for path in folder.iterdir() if (match := _NAME.match(path.name))]
        if len(names) >= count:
            return max(int(name.group(1)) + int(name.group(2)) / 1e6 for name in names)
        if time.monotonic() > gives_up_at:
            raise TimeoutError(f"smtp-source: {len(names)} of {count} mails were delivered")
        time.sleep(0.1)


def _measure_daemon(site: Site, sender: str) -> tuple[float, float]:
    """Give deliveries a second over a window, and milliseconds of processor time for each."""
    routes = routes_at(
        _ROUTES, _WANTED_RATE, sender=sender, max_in_flight=_MAX_IN_FLIGHT, message_size=MESSAGE_BYTES
    )
    with DaemonUnderTest(site.lab, site.new_directory(), routes) as daemon:
        time.sleep(_WARM_UP_SECONDS)
        begun_ns, begun_cpu = time.time_ns(), cpu_seconds(daemon.pid)
        time.sleep(site.choose(8.0, 4.0))
        ended_ns, ended_cpu = time.time_ns(), cpu_seconds(daemon.pid)
        ends = daemon.ends()
    make_quiet(site.lab, "probe2")
    count = sum(kind == "delivered" and begun_ns <= at_ns < ended_ns for kind, at_ns in ends)
    return count / ((ended_ns - begun_ns) / _NS), (ended_cpu - begun_cpu) / count * 1e3
