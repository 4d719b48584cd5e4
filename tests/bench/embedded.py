"""The daemon over the embedded receiver (`tests.engine.receiver`), whose mail servers are never the limit.

In: how many routes, and how often all of them together are to be sent on. Out: what the daemon used meanwhile, and what became of
every message that the receiver took.
"""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.acceptance.daemon import Daemon
from tests.engine.site import Receiver, change_config, wait_until, write_config

from .process import cpu_seconds, rss_bytes

_MAILBOXES = 10
_PATIENCE_SECONDS = 60.0
USERS = [f"user{number}" for number in range(_MAILBOXES)]


@dataclass(frozen=True)
class Window:
    """What happened in a while. `lags` are the seconds between a slot and the beginning of its probe, ascending."""

    seconds: float
    cpu_seconds: float
    rss_bytes: int
    sent: int
    lags: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.sent / self.seconds

    @property
    def p99_lag(self) -> float:
        """What 99 of 100 lags are below, in seconds."""
        return self.lags[min(len(self.lags) - 1, round(len(self.lags) * 0.99))]


class EmbeddedDaemon:
    """`smtp-probe run` with so many routes, which together are sent on so many times a second."""

    def __init__(self, receiver: Receiver, directory: Path, count: int, rate: float) -> None:
        interval = max(count / rate, 0.05)
        routes = {
            f"route-{number:05d}": {"user": USERS[number % _MAILBOXES], "interval": interval, "deadline": 60}
            for number in range(count)
        }
        self._receiver = receiver
        self._before = len(receiver.mails())
        self.config = write_config(receiver, None, directory / "daemon", routes)
        change_config(
            self.config,
            lambda config: config["schedule"].update(minimum_interval=0.05, max_submissions=200),
        )
        self.daemon = Daemon(self.config, start_seconds=_PATIENCE_SECONDS)
        self._journal = self.config.parent / "state" / "journal.db"

    def __enter__(self) -> Self:
        self.daemon.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.daemon.__exit__()

    @property
    def pid(self) -> int:
        """The process that is measured."""
        assert self.daemon.process is not None
        return self.daemon.process.pid

    def warm_up(self, messages: int) -> None:
        """Wait until so many messages have been taken."""
        wait_until(
            lambda: len(self._receiver.mails()) >= self._before + messages, "messages", _PATIENCE_SECONDS
        )

    def measure(self, seconds: float) -> Window:
        """Look for so long; a scrape at its end is counted in."""
        sent, cpu, begun = len(self._receiver.mails()), cpu_seconds(self.pid), time.monotonic()
        time.sleep(seconds)
        self.daemon.get("/metrics")
        took, used = time.monotonic() - begun, cpu_seconds(self.pid) - cpu
        ids = {mail["probe_id"] for mail in self._receiver.mails()[sent:]}
        return Window(took, used, rss_bytes(self.pid), len(ids), self._lags(ids))

    def measure_quiet(self, seconds: float) -> float:
        """Processor time in so many seconds, in seconds; nothing is asked of the daemon meanwhile."""
        cpu = cpu_seconds(self.pid)
        time.sleep(seconds)
        return cpu_seconds(self.pid) - cpu

    def account(self) -> tuple[int, int]:
        """End the daemon, and give how many messages were taken, and how many of those the journal has no end or open probe of.

        Raises AssertionError where a run was sent twice.
        """
        self.daemon.terminate()
        mails = [mail["probe_id"] for mail in self._receiver.mails()[self._before :]]
        assert len(set(mails)) == len(mails), "a probe was sent twice"
        known = {probe_id for (probe_id,) in self._query("SELECT probe_id FROM probes")}
        return len(mails), len(set(mails) - known)

    def _lags(self, ids: set[str]) -> tuple[float, ...]:
        rows = self._query("SELECT probe_id, probe FROM probes ORDER BY created_ns DESC LIMIT 20000")
        probes = [json.loads(probe) for probe_id, probe in rows if probe_id in ids]
        return tuple(sorted((each["created_ns"] - each["scheduled_ns"]) / 1e9 for each in probes))

    def _query(self, query: str) -> list[tuple[str, ...]]:
        with sqlite3.connect(f"file:{self._journal}?mode=ro", uri=True, timeout=10) as database:
            return database.execute(query).fetchall()
