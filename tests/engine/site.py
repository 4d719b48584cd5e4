"""A cluster, a receiver and the processes of an engine, put together for a test."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.acceptance.daemon import Daemon
from tests.engine.cluster import Cluster
from tests.engine.forking import Forked
from tests.engine.receiver import PASSWORD


class Receiver:
    """The embedded receiver as a process of its own."""

    def __init__(self, directory: Path, users: Iterable[str]) -> None:
        self._directory = directory
        self._users = list(users)
        directory.mkdir(parents=True)
        self.facts: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with (self._directory / "errors.log").open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.engine.receiver", str(self._directory), ",".join(self._users)],
                stderr=errors,
            )
        wait_until((self._directory / "facts.json").exists, "the receiver", 20)
        self.facts = json.loads((self._directory / "facts.json").read_text())
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    @property
    def pid(self) -> int:
        """The process of the receiver."""
        assert self._process is not None
        return self._process.pid

    def hold(self, is_held: bool) -> None:
        """Answer no final dot, or answer again."""
        path = self._directory / "hold"
        path.touch() if is_held else path.unlink(missing_ok=True)

    def mails(self) -> list[dict[str, Any]]:
        """Every message that was taken, in order."""
        path = self._directory / "mail.log"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def counts(self) -> Counter[str]:
        """Messages taken, by probe."""
        return Counter(mail["probe_id"] for mail in self.mails())


def write_config(
    receiver: Receiver,
    cluster: Cluster | None,
    directory: Path,
    routes: dict[str, dict[str, Any]],
    **engine: Any,
) -> Path:
    """Write a configuration for all processes, or without a cluster for one alone. Each route's `user` is its mailbox."""
    directory.mkdir(parents=True, exist_ok=True)
    key, password = directory / "tag.key", directory / "password"
    for path, content in ((key, "0123456789abcdef" * 4), (password, PASSWORD)):
        path.write_text(content)
        path.chmod(0o600)
    users = {route["user"] for route in routes.values()}
    config: dict[str, Any] = {
        "state_directory": str(directory / "state"),
        "tag_key_files": [str(key)],
        "schedule": {
            "minimum_interval": 1,
            "max_per_minute": 60_000,
            "backoff_minimum": 1,
            "backoff_maximum": 2,
        },
        "senders": {
            "lab": {
                "host": "127.0.0.1",
                "port": receiver.facts["smtp_port"],
                "tls": "none",
                "ehlo_name": "prober.example.test",
                "envelope_from": "prober@example.test",
                "max_per_minute": 60_000,
            }
        },
        "mailboxes": {
            user: {
                "host": "127.0.0.1",
                "port": receiver.facts["imap_port"],
                "tls": "starttls",
                "tls_options": {"ca_file": receiver.facts["ca_file"], "server_name": "imap.example.test"},
                "auth": {"mechanism": "plain", "username": user, "password_file": str(password)},
                "timeouts": {"reconnect_minimum": 0.2, "reconnect_maximum": 2},
            }
            for user in sorted(users)
        },
        "routes": {name: _route(settings) for name, settings in routes.items()},
    }
    if cluster is not None:
        config["engine"] = {
            "servers": cluster.urls,
            "replicas": len(cluster.nodes),
            "lease": 2,
            "max_bytes": 33_554_432,
            **engine,
        }
    path = directory / "smtp-probe.yaml"
    path.write_text(json.dumps(config, indent=1))
    return path


def _route(settings: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in settings.items() if name != "user"}
    return {
        "sender": "lab",
        "recipient": f"{settings['user']}@example.test",
        "mailbox": settings["user"],
        "deadline": 30,
        "give_up_after": 60,
        "authentication": False,
        **rest,
    }


def change_config(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite a configuration."""
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


class Member(Daemon):
    """One process of an engine; a copy of the configuration gives it a state directory of its own."""

    def __init__(
        self, config: Path, role: str, name: str, *options: str, engine: Mapping[str, Any] | None = None
    ) -> None:
        self.engine = dict(engine or {})
        own = config.parent / name
        own.mkdir(exist_ok=True)
        self.shared = config
        self.name = name
        self.role = role
        super().__init__(own / "smtp-probe.yaml", f"--role={role}", *options)
        self.take_config()

    def start(self) -> Self:
        """Start it, from a process that has everything loaded."""
        arguments = [
            "run",
            f"--config.file={self.config}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            *self._options,
        ]
        self.process = Forked(arguments, self.log)  # type: ignore[assignment]
        return self

    def take_config(self) -> None:
        """Copy the shared configuration."""
        data = json.loads(self.shared.read_text())
        data["state_directory"] = str(self.config.parent / "state")
        data["engine"] |= self.engine
        self.config.write_text(json.dumps(data))


class Site:
    """The processes of one engine, and what must be true of them in the end."""

    def __init__(self, cluster: Cluster, receiver: Receiver, directory: Path, namespace: str) -> None:
        self.cluster = cluster
        self.receiver = receiver
        self.namespace = namespace
        self._directory = directory
        self.members: list[Member] = []
        self.config = Path()
        self._before = len(receiver.mails())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.receiver.hold(False)
        for member in self.members:
            member.__exit__()

    def configure(self, routes: dict[str, dict[str, Any]], **engine: Any) -> None:
        engine = {"namespace": self.namespace, **engine}
        self.config = write_config(self.receiver, self.cluster, self._directory, routes, **engine)

    def start(self, role: str, name: str, *options: str, **engine: Any) -> Member:
        """Start a process, without waiting for it; `engine` are settings of its own."""
        member = Member(self.config, role, name, *options, engine=engine)
        self.members.append(member)
        member.start()
        return member

    @property
    def stream(self) -> str:
        return f"{self.namespace.upper().replace('-', '_')}_EVENTS"

    def mails(self) -> list[dict[str, Any]]:
        """What was sent in this test."""
        return self.receiver.mails()[self._before :]

    def stop(self, role: str) -> None:
        """End all processes of a role, as an administrator would."""
        for member in self.members:
            if member.role == role and member.process is not None and member.process.poll() is None:
                code, seconds = member.terminate()
                assert code == 0, member.log.read_text()[-3000:]
                assert seconds < 10

    def settle(self, exporters: Sequence[Member], seconds: float = 40.0) -> dict[str, dict[str, Any]]:
        """Wait until every mail has an end that all exporters know of. Gives the probes, by id."""

        def is_settled() -> bool:
            sent = {mail["probe_id"] for mail in self.mails()}
            return all(have_ended(exporter, sent) for exporter in exporters)

        wait_until(is_settled, "an end for every mail", seconds)
        return ended(exporters[0])

    def verify(self, exporters: Sequence[Member]) -> dict[str, dict[str, Any]]:
        """Hold what the exporters say against the mail log: to be called when nothing is sent any more."""
        probes = self.settle(exporters)
        counts = Counter(mail["probe_id"] for mail in self.mails())
        assert max(counts.values()) == 1, counts.most_common(3)
        wait_until(
            lambda: not any(exporter.in_flight() for exporter in exporters), "the end of all probes", 70
        )
        kinds = [{key: row["kind"] for key, row in ended(exporter).items()} for exporter in exporters]
        assert all(each == kinds[0] for each in kinds)
        for exporter in exporters:
            assert durable_samples(exporter) == durable_samples(exporters[0])
            outcomes = exporter.outcomes()
            unobserved = exporter.value("smtp_probe_unobserved_total")
            assert sum(outcomes.values()) + unobserved == len(kinds[0])
            assert exporter.value("smtp_probe_probes_total") == len(kinds[0])
            assert exporter.value("smtp_probe_duplicate_messages_total") == 0
            assert exporter.value("smtp_probe_forged_messages_total") == 0
            assert exporter.value("smtp_probe_stray_messages_total") == 0
        found = Counter(kinds[0].values())
        assert found["delivered"] <= len(counts) <= found["delivered"] + found["unobserved"] + found["late"]
        return probes

    def silences(
        self, probes: Mapping[str, Mapping[str, Any]], faults: Sequence[tuple[float, str]]
    ) -> dict[str, float]:
        """The longest time between two mails of one route, by the last fault that began before its end."""
        longest: dict[str, float] = {}
        last: dict[str, float] = {}
        for mail in self.mails():
            route, at = probes[mail["probe_id"]]["route"], mail["at"]
            fault = next((name for begun, name in reversed(faults) if begun < at), "none")
            longest[fault] = max(longest.get(fault, 0.0), at - last.get(route, at))
            last[route] = at
        return longest


def durable_samples(exporter: Daemon) -> dict[Any, float]:
    """What must be the same on all exporters: everything about routes that is counted."""
    return {
        key: value
        for key, value in exporter.samples().items()
        if key[0].endswith(("_total", "_bucket", "_count", "_sum"))
        and any(label == "route" for label, _ in key[1])
    }


def ended(exporter: Daemon) -> dict[str, dict[str, Any]]:
    """The probes that have ended, as an exporter knows them."""
    return {row["probe_id"]: row for row in exporter.journal() if row["kind"]}


def have_ended(exporter: Daemon, probe_ids: set[str]) -> bool:
    """Whether an exporter knows an end of all these probes."""
    kinds = exporter.kinds()
    return all(kinds.get(each) for each in probe_ids)


def wait_until(claim: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    give_up = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > give_up:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)
