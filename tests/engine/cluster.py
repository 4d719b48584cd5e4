"""A cluster of real NATS servers on loopback: started, killed, brought back, frozen, and asked who leads."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.acceptance.daemon import free_port
from tests.engine.cutting import Way

SERVER = Path(sys.executable).with_name("nats-server")
START_SECONDS = 20.0


class Node:
    """One server. `extra` goes into its configuration as it stands."""

    def __init__(self, name: str, directory: Path, extra: str = "") -> None:
        self.name = name
        self.port, self.cluster_port, self.monitor_port = free_port(), free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.ways: dict[str, Way] = {}
        """By the name of the server to which each leads."""
        self._directory = directory / name
        self._directory.mkdir(parents=True)
        self._extra = extra
        self.log = self._directory / "server.log"

    def write(self, nodes: Sequence[Node], ways: list[Way]) -> None:
        for node in nodes:
            if node is not self:
                self.ways[node.name] = way = ways.pop()
                way.target = node.cluster_port
        routes = ",".join(f'"nats://127.0.0.1:{way.port}"' for way in self.ways.values())
        cluster = (
            f'cluster {{ name: lab, listen: "127.0.0.1:{self.cluster_port}", no_advertise: true, routes: [{routes}] }}'
            if len(nodes) > 1
            else ""
        )
        (self._directory / "nats.conf").write_text(
            f'server_name: {self.name}\nlisten: "127.0.0.1:{self.port}"\nhttp: "127.0.0.1:{self.monitor_port}"\n'
            f'jetstream {{ store_dir: "{self._directory / "store"}", max_mem: 256MB, max_file: 2GB }}\n'
            f"{cluster}\n{self._extra}\n"
        )

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [SERVER, "-c", self._directory / "nats.conf"], stderr=log, stdout=log
            )

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor_port}{path}", timeout=2) as answer:
            return json.load(answer)

    def is_ready(self) -> bool:
        try:
            return bool(self.ask("/healthz").get("status") == "ok")
        except (OSError, ValueError):
            return False


class Cluster:
    """So many servers that replicate to each other."""

    def __init__(self, directory: Path, size: int = 3, extra: str = "") -> None:
        # The ways come first: a port that one of them has is not given to a server.
        ways = [Way() for _ in range(size * (size - 1))]
        self.nodes = [Node(f"n{number}", directory, extra) for number in range(size)]
        for node in self.nodes:
            node.write(self.nodes, ways)

    def __enter__(self) -> Self:
        for node in self.nodes:
            node.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            if node.process is not None and node.process.poll() is None:
                node.signal(signal.SIGCONT)
            node.kill()
            for way in node.ways.values():
                way.close()

    def cut_off(self, lonely: Node) -> None:
        """Let one server and the others not reach each other; their clients reach all of them."""
        for way in self._ways_of(lonely):
            way.cut()

    def mend(self, lonely: Node) -> None:
        for way in self._ways_of(lonely):
            way.mend()

    def _ways_of(self, lonely: Node) -> list[Way]:
        others = [node.ways[lonely.name] for node in self.nodes if node is not lonely]
        return [*lonely.ways.values(), *others]

    def wait_until_ready(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        while not all(node.is_ready() for node in self.nodes):
            if time.monotonic() > give_up:
                raise AssertionError(
                    "the servers did not become ready: " + self.nodes[0].log.read_text()[-2000:]
                )
            time.sleep(0.05)

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    def leader_of(self, stream: str) -> Node:
        """Who leads a stream now."""
        for node in self.nodes:
            if node.process is None or node.process.poll() is not None:
                continue
            accounts = node.ask("/jsz?streams=1")["account_details"]
            for found in (each for account in accounts for each in account.get("stream_detail", ())):
                leader = found.get("cluster", {}).get("leader")
                if found["name"] == stream and leader:
                    return next(each for each in self.nodes if each.name == leader)
        raise AssertionError(f"nobody leads {stream}")
