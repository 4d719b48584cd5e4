"""A real Prometheus that scrapes the exporters of an engine every second, as two targets of one job."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.acceptance.daemon import free_port


class Scraping:
    """Prometheus, for as long as it is entered."""

    def __init__(self, directory: Path, targets: Sequence[str]) -> None:
        self._directory = directory
        self._targets = list(targets)
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._directory.mkdir()
        jobs = [{"job_name": "smtp-probe", "static_configs": [{"targets": self._targets}]}]
        config = self._directory / "prometheus.yml"
        config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}))
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus", f"--config.file={config}", f"--storage.tsdb.path={self._directory / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                ],
                stdout=log, stderr=log,
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def value(self, query: str) -> float:
        """The one value of a query; nothing counts as 0."""
        url = f"http://127.0.0.1:{self._port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            found = json.load(answer)["data"]["result"]
        return float(found[0]["value"][1]) if found else 0.0

    def wait_for(self, query: str, value: float, seconds: float = 10.0) -> None:
        """Wait until a query has this value."""
        give_up = time.monotonic() + seconds
        while (found := self.value(query)) != value:
            assert time.monotonic() < give_up, f"{query} is {found:g}, not {value:g}"
            time.sleep(0.2)
