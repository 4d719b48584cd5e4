"""A daemon under test: started, signalled, killed, and asked."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families

from tests.lab import MailLab

START_SECONDS = 60.0
"""Patience on a machine that has much other work. No test proves by it how quickly a daemon starts."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def write_config(
    lab: MailLab, work: Path, routes: Mapping[str, Mapping[str, object]], **sections: Mapping[str, object]
) -> Path:
    """Write a configuration (JSON is YAML) with the lab's sender and two mailboxes."""
    tls = {"ca_file": str(lab.ca_file), "server_name": "submit.example.test"}
    config: dict[str, Any] = {
        "state_directory": str(work / "state"),
        "schedule": {
            "minimum_interval": 0.2,
            "max_per_minute": 6000,
            "backoff_minimum": 1,
            "backoff_maximum": 5,
        },
        "senders": {
            "submit": {
                "host": lab.submission.host,
                "port": lab.submission.starttls_port,
                "tls": "starttls",
                "tls_options": tls,
                "auth": {"username": "probe1", "password_file": str(lab.password_file("probe1"))},
                "ehlo_name": "prober.example.test",
                "envelope_from": "probe1@example.test",
                "max_per_minute": 6000,
            },
        },
        "mailboxes": {user: account(lab, user) for user in ("probe1", "probe2")},
        "routes": {name: dict(settings) for name, settings in routes.items()},
    }
    for section, settings in sections.items():
        config[section] = {**config.get(section, {}), **settings}
    path = work / "smtp-probe.yaml"
    path.write_text(json.dumps(config, indent=1))
    return path


def account(lab: MailLab, user: str) -> dict[str, object]:
    """A mailbox of the lab, over TLS from the first byte."""
    return {
        "host": lab.imap.host,
        "port": lab.imap.tls_port,
        "tls": "implicit",
        "tls_options": {"ca_file": str(lab.ca_file), "server_name": lab.imap.server_name},
        "auth": {"username": user, "password_file": str(lab.password_file(user))},
        "timeouts": {"reconnect_minimum": 0.2, "reconnect_maximum": 2},
    }


def route(recipient: str = "probe2", mailbox: str = "probe2", **settings: object) -> dict[str, object]:
    """A route through the lab's sender, quick enough for a test."""
    defaults: dict[str, object] = {"interval": 2, "deadline": 60, "give_up_after": 600}
    return {
        "sender": "submit", "recipient": f"{recipient}@example.test", "mailbox": mailbox, **defaults, **settings,
    }  # fmt: skip


class Daemon:
    """`smtp-probe run` as a process of its own."""

    def __init__(self, config: Path, *options: str, start_seconds: float = START_SECONDS) -> None:
        self.config = config
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._options = options
        self._start_seconds = start_seconds
        self.log = config.with_name("daemon.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "smtp_probe", "run", f"--config.file={self.config}",
                    f"--web.listen-address=127.0.0.1:{self.port}", *self._options,
                ],
                stderr=log,
            )  # fmt: skip
        return self

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until(self.is_ready, "the daemon to be ready", self._start_seconds)
        except BaseException:
            self.__exit__()  # nobody else will
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def terminate(self) -> tuple[int, float]:
        """SIGTERM; gives the exit code and how many seconds it took."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        return code, time.monotonic() - begun

    def hang_up(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    # Asking.

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon ended with {self.process.returncode}:\n{self.log.read_text()}")
        try:
            return self.get("/-/ready")[0] == 200
        except OSError:
            return False

    def samples(self, name: str = "") -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """All samples, or those of this name: who asks for one again and again need not read the whole page."""
        _, page = self.get("/metrics", Accept="text/plain")
        if name:
            wanted = (f"{name}{{", f"{name} ")
            page = "".join(f"{line}\n" for line in page.split("\n") if line.startswith(wanted))
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that have these labels; 0 for none."""
        wanted = set(labels.items())
        return sum(value for (_, have), value in self.samples(name).items() if wanted <= set(have))

    def outcomes(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for (_, labels), value in self.samples("smtp_probe_outcomes_total").items():
            if value:
                found[dict(labels)["outcome"]] += int(value)
        return found

    def wait_until(self, claim: Callable[[], object], what: str, seconds: float = 30.0) -> None:
        give_up = time.monotonic() + seconds
        while not claim():
            if time.monotonic() > give_up:
                raise AssertionError(f"waited {seconds:g} s for {what}\n{self.log.read_text()[-4000:]}")
            time.sleep(0.1)

    def _journal_rows(self, columns: str) -> list[tuple[Any, ...]]:
        config = json.loads(self.config.read_text())
        with sqlite3.connect(f"file:{config['state_directory']}/journal.db?mode=ro", uri=True) as database:
            return database.execute(f"SELECT {columns} FROM probes").fetchall()

    def kinds(self) -> dict[str, str | None]:
        """The kind of its end, or None, of every probe that the journal knows: all that who asks again and again needs."""
        return dict(self._journal_rows("probe_id, kind"))

    def journal(self) -> list[dict[str, Any]]:
        """Every probe that the journal knows: id, kind of its end or None, submission and outcome as data."""
        rows = self._journal_rows("probe_id, route, kind, submission, outcome")
        return [
            {
                "probe_id": probe_id,
                "route": name,
                "kind": kind,
                "submission": json.loads(submission) if submission else None,
                "outcome": json.loads(outcome) if outcome else None,
            }
            for probe_id, name, kind, submission, outcome in rows
        ]

    def rest(self) -> None:
        """Have every route wait an hour, so that what is on its way can be seen to end."""
        config = json.loads(self.config.read_text())
        for settings in config["routes"].values():
            settings["interval"] = 86_400
        self.config.write_text(json.dumps(config))
        loads = self.value("smtp_probe_config_last_reload_success_timestamp_seconds")
        self.hang_up()
        self.wait_until(
            lambda: self.value("smtp_probe_config_last_reload_success_timestamp_seconds") > loads,
            "the reload",
        )

    def in_flight(self) -> float:
        return self.value("smtp_probe_messages_in_flight")
