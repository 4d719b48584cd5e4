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
from tests.engine.namespaces import LOOPBACK, Namespaces, Place

SERVER = Path(sys.executable).with_name("nats-server")
START_SECONDS = 20.0


class Node:
    """One server. `extra` goes into its configuration as it stands; `max_file` is what its streams may take on its disk."""

    def __init__(
        self, name: str, directory: Path, extra: str = "", place: Place = LOOPBACK, max_file: str = "2GB"
    ) -> None:
        self.name = name
        self.place = place
        self.port, self.cluster_port, self.monitor_port = free_port(), free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.ways: dict[str, Way] = {}
        """By the name of the server to which each leads."""
        self._directory = directory / name
        self._directory.mkdir(parents=True)
        self._extra = extra
        self._max_file = max_file
        self.log = self._directory / "server.log"

    def write(self, nodes: Sequence[Node], ways: list[Way]) -> None:
        others = [node for node in nodes if node is not self]
        places = [f"{node.place.cluster_host}:{node.cluster_port}" for node in others]
        if ways:
            for node in others:
                self.ways[node.name] = way = ways.pop()
                way.target = node.cluster_port
            places = [f"127.0.0.1:{way.port}" for way in self.ways.values()]
        routes = ",".join(f'"nats://{place}"' for place in places)
        cluster = (
            f'cluster {{ name: lab, listen: "{self.place.cluster_host}:{self.cluster_port}", no_advertise: true, ping_interval: "2s", ping_max: 2, routes: [{routes}] }}'
            if len(nodes) > 1
            else ""
        )
        (self._directory / "nats.conf").write_text(
            f'server_name: {self.name}\nlisten: "{self.place.host}:{self.port}"\nhttp: "{self.place.host}:{self.monitor_port}"\n'
            f'jetstream {{ store_dir: "{self._directory / "store"}", max_mem: 256MB, max_file: {self._max_file} }}\n'
            f"{cluster}\n{self._extra}\n"
        )

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.place.command, SERVER, "-c", self._directory / "nats.conf"], stderr=log, stdout=log
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
        return f"nats://{self.place.host}:{self.port}"

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(
            f"http://{self.place.host}:{self.monitor_port}{path}", timeout=2
        ) as answer:
            return json.load(answer)

    def is_ready(self) -> bool:
        try:
            return bool(self.ask("/healthz").get("status") == "ok")
        except (OSError, ValueError):
            return False


class Cluster:
    """So many servers that replicate to each other: on this machine's loopback, or each in a namespace of its own."""

    def __init__(
        self,
        directory: Path,
        size: int = 3,
        extra: str = "",
        *,
        namespaces: Namespaces | None = None,
        max_file: str = "2GB",
    ) -> None:
        # The ways come first: a port that one of them has is not given to a server.
        ways = [Way() for _ in range(size * (size - 1) if namespaces is None else 0)]
        self._namespaces = namespaces
        places = [LOOPBACK if namespaces is None else namespaces.place(number) for number in range(size)]
        self.nodes = [
            Node(f"n{number}", directory, extra, place, max_file) for number, place in enumerate(places)
        ]
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
        if self._namespaces is not None:
            self._namespaces.cut(self.nodes.index(lonely), "a")
        for way in self._ways_of(lonely):
            way.cut()

    def mend(self, lonely: Node) -> None:
        if self._namespaces is not None:
            self._namespaces.mend(self.nodes.index(lonely))
        for way in self._ways_of(lonely):
            way.mend()

    def _ways_of(self, lonely: Node) -> list[Way]:
        if not lonely.ways:
            return []
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
