"""Processes that obey orders: the watched daemon, and an empty event loop beside it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self

from tests.acceptance.daemon import free_port

from .events import fill_journal
from .probers import DaemonUnderTest, routes_at
from .process import end
from .site import Site

_OWN_RATE = 0.02
"""Real probes a second, over all routes."""
_START_SECONDS = 60.0


class Servant:
    """A process that obeys orders on its standard input (see `heart`)."""

    def __init__(self, *command: str | Path, log: Path) -> None:
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        end(self.process)

    def ask(self, order: str) -> float:
        """Give the answer to an order."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return float(json.loads(self.process.stdout.readline()))


class EmptyLoop(Servant):
    """A heart in a loop that has nothing else to do."""

    def __init__(self, site: Site) -> None:
        super().__init__("tests.bench.heart", log=site.new_directory() / "heart.log")


class WatchedDaemon(Servant):
    """`watched_daemon` with so many routes, each of which has been probed."""

    def __init__(self, site: Site, count: int) -> None:
        prepared = DaemonUnderTest(site.lab, site.new_directory(), routes_at(count, _OWN_RATE)).daemon
        fill_journal(prepared.config)
        self._address = f"127.0.0.1:{free_port()}"
        super().__init__("tests.bench.watched_daemon", prepared.config, self._address, log=prepared.log)

    def __enter__(self) -> Self:
        gives_up_at = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if time.monotonic() > gives_up_at or self.process.poll() is not None:
                raise TimeoutError("the watched daemon did not become ready")
            time.sleep(0.1)
        return self

    def _is_ready(self) -> bool:
        try:
            return bool(self.get("/-/ready", {}))
        except OSError:  # not listening yet, or not ready
            return False

    def get(self, path: str, headers: dict[str, str]) -> bytes:
        """Fetch a page. Raises OSError for any answer but 200."""
        request = urllib.request.Request(f"http://{self._address}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=_START_SECONDS) as answer:
            page: bytes = answer.read()
            return page

    def scrape_ms(self, headers: dict[str, str]) -> float:
        """Give how long a scrape took, with its transfer."""
        begun = time.perf_counter()
        self.get("/metrics", headers)
        return (time.perf_counter() - begun) * 1e3
