"""A week of the whole daemon in a minute: its clock is the event loop's, which jumps to the next thing to do.

As a program (`python -m tests.acceptance.soak DIRECTORY DAYS ROUTES INTERVAL_SECONDS`) it runs `app.daemon.Daemon` on fakes of the mail servers, and
prints, as a line of JSON at the end of each simulated day, what the process holds: memory, descriptors, tasks, series,
journal. Everything but the two protocols is the program's own: scheduler, ledger, watcher, trace, journal on the disk, page.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import random
import selectors
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import psutil

from smtp_probe.app import program
from smtp_probe.app.daemon import Daemon
from smtp_probe.app.lifetime import DaemonOptions
from smtp_probe.model import Cause
from smtp_probe.ports import Envelope
from smtp_probe.report.journal import JOURNAL_NAME
from tests.probes.fakes import START_NS, FakeServer, FakeSubmitter

DAY_SECONDS = 86_400.0
_NS = 10**9
_WAIT_FOR_THREADS_SECONDS = 0.05
_LOST, _JUNKED, _SLOW = 0.01, 0.02, 0.03
"""Shares of messages that never arrive, that are filed as junk, and that come after their deadline."""


class _Jump(selectors.DefaultSelector):
    """Waits for nothing but the disk: where a loop would wait for its next timer, the time becomes that of the timer."""

    loop: JumpingLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self.loop.at_work:
            return super().select(_WAIT_FOR_THREADS_SECONDS)
        self.loop.seconds += timeout
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop in simulated time. It stands still while a thread works."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.at_work = 0
        selector = _Jump()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.seconds

    def count_work(self) -> None:
        """Know of everything that a pool of threads is given from now on."""
        submit = ThreadPoolExecutor.submit

        def counted(pool: ThreadPoolExecutor, work: Any, /, *arguments: Any, **named: Any) -> Any:
            self.at_work += 1
            future = submit(pool, work, *arguments, **named)
            future.add_done_callback(self._tell_rested)
            return future

        ThreadPoolExecutor.submit = counted  # type: ignore[assignment]

    def _tell_rested(self, _: object) -> None:
        """In the thread, when the work is done: the loop hears of it behind all else that the work has told it."""
        with suppress(RuntimeError):  # the loop is closed
            self.call_soon_threadsafe(self._rested)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        future = super().run_in_executor(executor, func, *args)
        self.at_work += 1  # a second time: until its result is there
        future.add_done_callback(self._rested)
        return future

    def _rested(self, _future: object = None) -> None:
        self.at_work -= 1


class LoopClock:
    """`ports.Clock` in the loop's time."""

    def __init__(self, loop: JumpingLoop) -> None:
        self._loop = loop

    def now_ns(self) -> int:
        return START_NS + round(self._loop.seconds * _NS)

    def wall_step_seconds(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Mailboxes(FakeServer):
    """`app.connectors.Connector`."""

    account = "probe@inbox"
    tls_facts = None


class World:
    """The mail servers: what is sent arrives after a while, or late, as junk, or never."""

    def __init__(self, clock: LoopClock) -> None:
        self.clock = clock
        self.sent = 0
        self.servers: dict[str, FakeServer] = {}
        self._chance = random.Random(7)

    def submitter(self, *_: object) -> FakeSubmitter:
        submitter = FakeSubmitter(self.clock, self.deliver)
        submitter.seconds = 0.1
        submitter.envelopes = deque(maxlen=1)  # type: ignore[assignment]
        return submitter

    def connector(self, name: str, *_: object) -> FakeServer:
        server = Mailboxes(self.clock, Cause.CONNECTION_LOST, name=name)
        self.servers[name] = server
        return server

    def deliver(self, envelope: Envelope) -> None:
        self.sent += 1
        chance = self._chance.random()
        if chance < _LOST:
            return
        seconds = 4000.0 if chance > 1 - _SLOW else self._chance.uniform(0.1, 5)
        folder = "Junk" if chance < _LOST + _JUNKED else "INBOX"
        asyncio.get_running_loop().call_later(
            seconds, self._store, self._hop("mx.example.net") + envelope.message, folder
        )

    def _hop(self, by: str) -> bytes:
        stamp = format_datetime(datetime.fromtimestamp(self.clock.now_ns() / _NS, UTC))
        return f"Received: from before (before.example.net [192.0.2.7])\r\n\tby {by} (Postfix) with ESMTPS id ABC;\r\n\t{stamp}\r\n".encode()

    def _store(self, message: bytes, name: str) -> None:
        for server in self.servers.values():
            folder = server.folders[name]
            folder.removed.clear()
            folder.put(self._hop("store.example.org") + message)


async def soak(directory: Path, days: int, routes: int, interval: float) -> None:
    """Run it, and print what the process holds at the end of each day."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    loop.count_work()
    clock = LoopClock(loop)
    world = World(clock)
    fakes = {"ReferenceClock": lambda: clock, "SmtpSubmitter": world.submitter, "connect": world.connector}
    for name, fake in fakes.items():
        setattr(program, name, fake)
    daemon = Daemon(
        DaemonOptions(
            config_file=_write_config(directory, routes, interval), listen_addresses=("127.0.0.1:0",)
        )
    )
    running = asyncio.create_task(daemon.run())
    for day in range(1, days + 1):
        await asyncio.sleep(DAY_SECONDS)
        print(json.dumps(await _look(daemon, directory, day, world)), flush=True)
    daemon.stop()
    await running


async def _look(daemon: Daemon, directory: Path, day: int, world: World) -> dict[str, int]:
    page = (await daemon.telemetry.exposition.page("")).body.decode()
    gc.collect()
    process = psutil.Process()
    ended = sum(
        float(line.rpartition(" ")[2])
        for line in page.splitlines()
        if line.startswith("smtp_probe_outcomes_total{")
    )
    return {
        "day": day,
        "sent": world.sent,
        "ended": round(ended),
        "in_flight": len(daemon.program.ledger.open_probes()),
        "rss_bytes": process.memory_info().rss,
        "descriptors": process.num_fds(),
        "tasks": len(asyncio.all_tasks()),
        "series": sum(line.startswith("smtp_probe_") for line in page.splitlines()),
        "journal_bytes": sum(path.stat().st_size for path in (directory / "state").glob(f"{JOURNAL_NAME}*")),
        "mailbox_messages": sum(
            len(folder.messages) for each in world.servers.values() for folder in each.folders.values()
        ),
    }


def _write_config(directory: Path, routes: int, interval: float) -> Path:
    route = {
        "sender": "s",
        "recipient": "probe@example.org",
        "mailbox": "inbox",
        "interval": interval,
        "deadline": 600,
        "give_up_after": 7200,
        "authentication": False,
    }
    sender = {
        "host": "127.0.0.1",
        "port": 25,
        "tls": "none",
        "ehlo_name": "p.example.net",
        "envelope_from": "probe@example.net",
        "max_per_minute": 10_000,
    }
    password = directory / "password"
    password.write_text("not used\n")
    password.chmod(0o600)
    config = {
        "state_directory": str(directory / "state"),
        "history_days": 1,
        "failure_history_days": 1,
        "senders": {"s": sender},
        "mailboxes": {
            "inbox": {
                "host": "127.0.0.1",
                "port": 993,
                "tls": "implicit",
                "auth": {"username": "probe", "password_file": str(password)},
            }
        },
        "routes": {f"route-{number:03d}": route for number in range(routes)},
    }
    path = directory / "smtp-probe.yaml"
    path.write_text(json.dumps(config))
    return path


def main() -> None:
    directory, days, routes, interval = (
        Path(sys.argv[1]),
        int(sys.argv[2]),
        int(sys.argv[3]),
        float(sys.argv[4]),
    )
    logging.disable(logging.INFO)
    os.umask(0o077)
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(soak(directory, days, routes, interval))


if __name__ == "__main__":
    main()
