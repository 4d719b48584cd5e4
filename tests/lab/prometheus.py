"""Debian's Prometheus as a part of a lab: its configuration, and questions to its HTTP API."""

import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .errors import LabError
from .layout import Layout
from .part import Part, Recipe

PORT = 9090
FIRST_NUMBER = 90
"""Last number of the first Prometheus' address; the next has the next."""

JOB = "smtp-probe"
INTERVAL_SECONDS = 1
ANSWER_SECONDS = 10.0


class Sample(NamedTuple):
    """One series of an instant vector."""

    labels: dict[str, str]
    value: float


def prometheus_recipe(
    layout: Layout,
    number: int,
    scrape_targets: Sequence[str],
    rule_files: Sequence[Path] = (),
    flags: Sequence[str] = (),
    alertmanagers: Sequence[str] = (),
) -> tuple[Recipe, str]:
    """Write a Prometheus' files; return how to run it, and its URL."""
    name = f"prometheus-{number}"
    folder = layout.path(name)
    folder.mkdir()
    rules = [str(shutil.copy(path, folder / f"{place}-{path.name}")) for place, path in enumerate(rule_files)]
    interval = f"{INTERVAL_SECONDS}s"
    configuration = {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": rules,
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]},
        "scrape_configs": [{"job_name": JOB, "static_configs": [{"targets": list(scrape_targets)}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(configuration, indent=1))  # JSON is YAML
    address = f"{layout.block}.{FIRST_NUMBER + number - 1}:{PORT}"
    argv = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--web.enable-lifecycle",
        *flags,
    ]
    url = f"http://{address}"
    return Recipe(name, argv, [lambda: _is_ready(url)], stale=[folder / "data" / "lock"]), url


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=ANSWER_SECONDS):
            return True
    except OSError:  # an HTTPError is one too
        return False


@dataclass
class Prometheus:
    """A running Prometheus."""

    url: str
    part: Part

    def api(self, path: str, **parameters: str) -> Any:
        """GET `/api/v1/<path>` and return its `data`; an error of the API is a LabError."""
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(
                f"{self.url}/api/v1/{path}?{query}", timeout=ANSWER_SECONDS
            ) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise LabError(f"{path}: {error.read().decode()}") from error

    def query(self, promql: str) -> list[Sample]:
        """Evaluate an expression now."""
        data = self.api("query", query=promql)
        if data["resultType"] in ("scalar", "string"):
            return [Sample({}, float(data["result"][1]))]
        return [Sample(each["metric"], float(each["value"][1])) for each in data["result"]]

    def wait_for(self, promql: str, timeout_seconds: float = 30.0) -> list[Sample]:
        """Return the samples of an expression as soon as there are any."""
        deadline = time.monotonic() + timeout_seconds
        while not (samples := self.query(promql)):
            if time.monotonic() > deadline:
                raise LabError(f"no sample of {promql} within {timeout_seconds:g} s")
            time.sleep(INTERVAL_SECONDS / 10)
        return samples

    def reload(self) -> None:
        """Make it read its configuration and rules again."""
        request = urllib.request.Request(f"{self.url}/-/reload", method="POST")
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):
            pass

    def stop(self) -> None:
        """End it before the lab ends."""
        self.part.stop()
