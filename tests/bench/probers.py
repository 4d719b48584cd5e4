"""The probers that are compared, each as a process of its own on the same lab.

`DaemonUnderTest` is `smtp-probe run` as users run it, `RawScript` is `raw_client.py`, `LibraryScript` is `library_client.py`,
and `MailExporter` is Debian's prometheus-mailexporter. All of them log in with STARTTLS and AUTH PLAIN on the submission port.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from tests.acceptance.daemon import Daemon, free_port, route, write_config
from tests.lab import MailLab
from tests.lab.client import send, wait_for_mail, write
from tests.lab.part import Command

from .process import end

_ROOT = Path(__file__).parents[2]
_RAW_CLIENT = Path(__file__).with_name("raw_client.py")
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_UNBOUNDED = {"minimum_interval": 0.05, "max_per_minute": 100_000, "max_submissions": 200}


class Prober:
    """A process that probes. `count_ends` says how many probes have come to their end."""

    name: str

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process that is measured."""
        assert self.process is not None
        return self.process.pid

    def count_ends(self) -> int:
        """Give how many probes have ended so far."""
        raise NotImplementedError

    def scrape(self) -> None:
        """Fetch the metrics page, as a Prometheus would; nothing where there is none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            end(self.process)

    def wait_for_ends(self, count: int, seconds: float = _PATIENCE_SECONDS) -> None:
        """Wait until so many probes have ended."""
        self.wait_until(lambda: self.count_ends() >= count, f"{count} probes", seconds)

    def wait_until(self, claim: Callable[[], object], what: str, seconds: float = _PATIENCE_SECONDS) -> None:
        """Wait until something is so. Raises TimeoutError."""
        gives_up_at = time.monotonic() + seconds
        while not claim():
            if time.monotonic() > gives_up_at or (
                self.process is not None and self.process.poll() is not None
            ):
                raise TimeoutError(f"{self.name}: waited in vain for {what}")
            time.sleep(_LOOK_SECONDS)


class DaemonUnderTest(Prober):
    """`smtp-probe run`, with all its defaults but the bounds on how often it may probe."""

    name = "smtp-probe"

    def __init__(self, lab: MailLab, directory: Path, routes: Mapping[str, Mapping[str, object]]) -> None:
        super().__init__()
        resolver = {"nameservers": [lab.dns.host], "port": lab.dns.port}
        config = write_config(
            lab, directory, routes, schedule=_UNBOUNDED, senders=senders(lab), resolver=resolver
        )
        self.daemon = Daemon(config)
        self._journal = directory / "state" / "journal.db"

    def __enter__(self) -> Self:
        self.daemon.__enter__()
        self.process = self.daemon.process
        return self

    def scrape(self) -> None:
        """Fetch the page in the format that Prometheus asks for."""
        self.daemon.get("/metrics", Accept="application/openmetrics-text;version=1.0.0")

    def count_ends(self) -> int:
        """Count in the journal, which costs the daemon nothing."""
        return len(self.ends())

    def ends(self) -> list[tuple[str, int]]:
        """Give kind and instant (epoch nanoseconds) of every end."""
        return self._query("SELECT kind, ended_ns FROM probes WHERE is_open = 0 ORDER BY ended_ns")

    def arrivals(self) -> list[dict[str, Any]]:
        """Give every arrival in the journal, the oldest first."""
        rows = self._query("SELECT outcome FROM probes WHERE kind = 'delivered' ORDER BY ended_ns")
        return [json.loads(outcome)["arrival"] for (outcome,) in rows]

    def _query(self, query: str) -> list[Any]:
        if not self._journal.exists():
            return []
        with sqlite3.connect(f"file:{self._journal}?mode=ro", uri=True, timeout=10) as database:
            return database.execute(query).fetchall()


def senders(lab: MailLab) -> dict[str, dict[str, object]]:
    """The submission port with TLS and login, and the plain port with neither; both without a bound in practice."""
    common = {
        "host": lab.submission.host,
        "ehlo_name": "prober.example.test",
        "envelope_from": "probe1@example.test",
        "max_per_minute": 100_000,
    }
    auth = {"username": "probe1", "password_file": str(lab.password_file("probe1"))}
    trust = {"ca_file": str(lab.ca_file), "server_name": lab.submission.server_name}
    return {
        "submit": {"port": lab.submission.starttls_port, "tls": "starttls", "tls_options": trust, "auth": auth, **common},
        "plain": {"port": lab.submission.plain_port, "tls": "none", **common},
    }  # fmt: skip


def routes_at(count: int, probes_a_second: float, **settings: object) -> dict[str, dict[str, object]]:
    """So many routes which together probe so many times a second, into probe2's mailbox."""
    interval = count / probes_a_second
    one = {**route(interval=interval), **settings}
    return {f"route-{number:05d}": one for number in range(count)}


class RawScript(Prober):
    """`raw_client.py`, isolated from everything but the standard library."""

    name = "raw sockets"
    user = "probe3"
    command: tuple[str | Path, ...] = (sys.executable, "-I", "-S", "-B", _RAW_CLIENT)

    def __init__(
        self, lab: MailLab, directory: Path, *, interval_seconds: float, is_tight: bool = False
    ) -> None:
        super().__init__()
        self._plan = directory / "plan.json"
        self._output = directory / "probes.jsonl"
        plan = {
            "smtp_host": lab.submission.host,
            "smtp_port": lab.submission.starttls_port,
            "imap_host": lab.imap.host,
            "imap_port": lab.imap.tls_port,
            "server_name": lab.imap.server_name,
            "ca_file": str(lab.ca_file),
            "user": self.user,
            "password": lab.password(self.user),
            "recipient": lab.mail_address(self.user),
            "interval_seconds": interval_seconds,
            "is_tight": is_tight,
        }
        self._plan.write_text(json.dumps(plan))

    def __enter__(self) -> Self:
        command: Command = [*self.command, self._plan]
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, cwd=_ROOT)
        return self

    def count_ends(self) -> int:
        """Count the lines that it has written."""
        return len(self.probes())

    def probes(self) -> list[dict[str, int]]:
        """Give what it has written of each probe."""
        return [
            json.loads(line)
            for line in self._output.read_text().splitlines(keepends=True)
            if line.endswith("\n")
        ]


class LibraryScript(RawScript):
    """`library_client.py`: the same plan by aiosmtplib and aioimaplib."""

    name = "the two libraries"
    user = "probe4"
    command = (sys.executable, "-m", "tests.bench.library_client")


class MailExporter(Prober):
    """Debian's prometheus-mailexporter: sends by SMTP, and is told of new mail by the kernel, in the Maildir."""

    name = "mailexporter"

    def __init__(self, lab: MailLab, directory: Path, *, interval_seconds: float) -> None:
        super().__init__()
        wait_for_mail(lab, "probe1", send(lab, write(lab.mail_address("probe1"))))  # makes the Maildir
        self._config = directory / "mailexporter.yaml"
        self._log = directory / "mailexporter.log"
        self._environment = {**os.environ, "SSL_CERT_FILE": str(lab.ca_file)}
        self._port = free_port()
        server = {
            "name": "lab",
            "server": lab.submission.host,
            "port": str(lab.submission.starttls_port),
            "login": "probe1",
            "passphrase": lab.password("probe1"),
            "from": lab.mail_address("probe1"),
            "to": lab.mail_address("probe1"),
            "detectiondir": str(lab.maildir("probe1") / "new"),
        }
        interval = f"{round(interval_seconds * 1000)}ms"
        config = {
            "monitoringinterval": interval,
            "startupoffset": interval,
            "mailchecktimeout": "60s",
            "servers": [server],
        }
        self._config.write_text(json.dumps(config))  # JSON is YAML

    def __enter__(self) -> Self:
        command: Command = [
            "mailexporter", "-config.file", self._config, "-web.listen-address", f"127.0.0.1:{self._port}",
        ]  # fmt: skip
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        self.wait_until(self._answers, "its page")
        return self

    def _answers(self) -> bool:
        try:
            self.scrape()
        except OSError:
            return False
        return True

    def scrape(self) -> None:
        """Fetch the page, which also says how many probes have ended."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=10) as answer:
            self._page = answer.read().decode()

    def count_ends(self) -> int:
        """Give how many mails had arrived at the last scrape."""
        counts = (
            line.split()[-1]
            for line in self._page.splitlines()
            if line.startswith("mail_deliver_durations_seconds_count")
        )
        return round(sum(map(float, counts)))

    def wait_for_ends(self, count: int, seconds: float = _PATIENCE_SECONDS) -> None:
        """Scrape until so many probes have ended."""

        def enough() -> bool:
            self.scrape()
            return self.count_ends() >= count

        self.wait_until(enough, f"{count} probes", seconds)
